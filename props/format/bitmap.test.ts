/** Dirty bitmaps: the directory, table entries, the order of bits, and how many of them a disk needs. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { bitAt, packBits } from '../../src/bytes/octets.js'
import { bitmapDirectory, bitmapEntry, bitmapStarts } from '../../src/format/bitmap-directory.js'
import {
  bitmapBits,
  bitmapCluster,
  bitmapTableEntries as tableEntriesFor,
  bitmapTableEntry,
  lastBitsRules
} from '../../src/format/bitmap.js'
import { bitmapClustersOf, bitmapDirectories, bitmaps, bitmapTableEntries } from '../arbitrary/index.js'
import { numbers } from '../arbitrary/number.js'
import { octets } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { laws, same, valueOf } from './laws.js'
import { bytesIn } from './notation.js'
import { hasMasks } from './words.js'

const test = suite('bitmap')

laws(test, 'bitmap directory entry', [bitmaps])
laws(test, 'bitmap directory', [bitmapDirectories])
laws(test, 'bitmap table entry', [bitmapTableEntries])
laws(test, 'bitmap data', [bitmapClustersOf(9)], 20)

test('bits 9 to 55 of a table entry are an offset, bit 0 means all ones, and all others are reserved', () => {
  hasMasks(bitmapTableEntry, {
    clusterOffset: 0x00ff_ffff_ffff_fe00n,
    allOnes: 1n,
    reserved: 0xff00_0000_0000_01fen
  })
})

test('extra data precedes the name, and zeros pad both to a multiple of 8', () => {
  const b = valueOf(bitmapEntry, bytesIn('00*16 01 10 0002 00000003 eeeeee 6230 00*3 ff'))
  same([b.extra, b.name, b.padding], [bytesIn('eeeeee'), bytesIn('6230'), bytesIn('00*3')])
})

test('every entry of a directory starts at a multiple of 8, and the last one ends at one', () => {
  holds(
    fc.property(bitmapDirectories.anyValue, (list) => {
      for (const start of bitmapStarts(list)) assert.is(start % 8, 0)
      assert.is(bitmapDirectory.sizeOf(list) % 8, 0)
    })
  )
})

test('bit b is bit b mod 8 of byte b div 8, 0 being the least significant', () => {
  const bits = valueOf(bitmapCluster(9), bytesIn('05 00 80 00*509'))
  same(
    bits.flatMap((bit, i) => (bit ? [i] : [])),
    [0, 2, 23]
  )
  holds(
    fc.property(octets(64), fc.nat({ max: 511 }), (bytes, b) => {
      const byte = bytes[Math.floor(b / 8)] ?? 0
      assert.is(bitAt(bytes, b), Math.floor(byte / 2 ** (b % 8)) % 2 === 1)
    })
  )
})

test('packing bits is the inverse of asking for them', () => {
  holds(
    fc.property(fc.array(fc.boolean(), { maxLength: 100 }), (bits) => {
      const bytes = packBits(bits)
      assert.is(bytes.length, Math.ceil(bits.length / 8))
      same(
        Array.from({ length: bits.length }, (_, i) => bitAt(bytes, i)),
        bits
      )
    })
  )
})

/** a / b, rounded up. */
const ceil = (a: bigint, b: bigint): bigint => (a % b === 0n ? a / b : a / b + 1n)

test('a disk needs a bit for each granule it begins, and whole words of 64 bits in as many clusters as hold them', () => {
  const shapes = fc.record({
    size: numbers(0n, 2n ** 63n),
    granularityBits: fc.integer({ min: 0, max: 63 }),
    clusterBits: fc.integer({ min: 9, max: 21 })
  })
  holds(
    fc.property(shapes, ({ size, granularityBits, clusterBits }) => {
      const bits = ceil(size, 2n ** BigInt(granularityBits))
      assert.is(bitmapBits(size, granularityBits), bits)
      const needed = ceil(ceil(bits, 64n) * 8n, 2n ** BigInt(clusterBits))
      assert.is(tableEntriesFor(size, granularityBits, clusterBits), needed)
    }),
    { runs: 300 }
  )
})

test('one table entry covers 32 GiB in clusters and granules of 64 KiB', () => {
  assert.is(tableEntriesFor(2n ** 35n, 16, 16), 1n)
  assert.is(tableEntriesFor(2n ** 35n + 1n, 16, 16), 2n)
  assert.is(tableEntriesFor(0n, 16, 16), 0n)
})

test('a bit set after the last one is found in the first byte that has one', () => {
  const used = fc.nat({ max: 140 })
  const sparse = fc.tuple(fc.array(fc.nat({ max: 127 }), { maxLength: 3 }), used)
  holds(
    fc.property(sparse, ([set, n]) => {
      const bytes = packBits(Array.from({ length: 128 }, (_, i) => set.includes(i)))
      const stray = set.filter((i) => i >= n)
      same(
        lastBitsRules.judge({ bytes, used: n }, undefined).map((c) => [c.clause, c.at]),
        stray.length === 0 ? [] : [['BMP-08', Math.min(...stray) >> 3]]
      )
    }),
    { runs: 300 }
  )
})

test.run()
