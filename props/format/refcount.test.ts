/** Refcount table entries, and blocks in all seven widths. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { blockEntries } from '../../src/format/geometry.js'
import { refcountBlock, refcountTableEntry, setRefcount } from '../../src/format/refcount.js'
import { numbers } from '../arbitrary/number.js'
import { octets } from '../arbitrary/octets.js'
import { refcountBlocks, refcountTableEntries } from '../arbitrary/index.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { laws, same, sameBytes, valueOf } from './laws.js'
import { bytesIn } from './notation.js'
import { hasMasks } from './words.js'

const test = suite('refcount')

laws(test, 'refcount table entry', [refcountTableEntries])
laws(test, 'refcount block', refcountBlocks, 20)

test('bits 9 to 63 of a table entry are the offset of the block, and the others are reserved', () => {
  hasMasks(refcountTableEntry, { refcountBlockOffset: 0xffff_ffff_ffff_fe00n, reserved: 0x1ffn })
})

/** Eleven counts as they stand in a block of each width. */
const written = [
  [1, '55aa16', [1, 1, 1, 1, 2, 2, 2, 2, 2, 1, 1]],
  [2, '111122221201', [1, 1, 1, 1, 2, 2, 2, 2, 2, 1, 1]],
  [0, 'ff03', [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]],
  [0, '3f', [1, 1, 1, 1, 1, 1]],
  [3, '01ff', [1, 255]],
  [4, '0001fffe', [1, 65534]],
  [5, '00000001fffffffe', [1, 4294967294]]
] as const

for (const [refcountOrder, hex, counts] of written)
  test(`refcounts of ${2 ** refcountOrder} bits: ${counts.join(', ')} are ${hex}`, () => {
    const block = refcountBlock({ clusterBits: 9, refcountOrder })
    const bytes = bytesIn(`${hex} 00*${512 - hex.length / 2}`)
    const all = [...counts.map(BigInt), ...Array.from({ length: 4096 / 2 ** refcountOrder - counts.length }, () => 0n)]
    same(valueOf(block, bytes), all)
    sameBytes(block.encode(all), bytes)
  })

test('a refcount below 8 bits is stored least significant bit first, a wider one is big-endian', () => {
  for (let refcountOrder = 0; refcountOrder <= 6; refcountOrder++) {
    const width = 2 ** refcountOrder
    const g = { clusterBits: 9, refcountOrder }
    holds(
      fc.property(octets(512), (bytes) => {
        const expected = Array.from({ length: blockEntries(g) }, (_, i) => {
          if (width < 8) return BigInt(((bytes[(i * width) >> 3] ?? 0) >> ((i * width) & 7)) & (2 ** width - 1))
          const own = bytes.subarray((i * width) / 8, ((i + 1) * width) / 8)
          return own.reduce((n, b) => n * 256n + BigInt(b), 0n)
        })
        same(valueOf(refcountBlock(g), bytes), expected)
      }),
      { runs: 10 }
    )
  }
})

test('a count that is set is found in its place, and no other count changes', () => {
  for (let refcountOrder = 0; refcountOrder <= 6; refcountOrder++) {
    const block = refcountBlock({ clusterBits: 9, refcountOrder })
    const counts = 4096 / 2 ** refcountOrder
    const max = 2n ** BigInt(2 ** refcountOrder) - 1n
    holds(
      fc.property(octets(512), fc.nat({ max: counts - 1 }), numbers(0n, max), (bytes, i, count) => {
        const before = valueOf(block, bytes)
        const after = Uint8Array.from(bytes)
        setRefcount(new DataView(after.buffer), refcountOrder, i, count)
        same(valueOf(block, after), before.with(i, count))
      }),
      { runs: 10 }
    )
  }
})

test('a count that does not fit its width, or a count too many, is no block', () => {
  for (let refcountOrder = 0; refcountOrder <= 6; refcountOrder++) {
    const block = refcountBlock({ clusterBits: 9, refcountOrder })
    const counts = valueOf(block, new Uint8Array(512))
    assert.ok(block.is(counts))
    assert.not.ok(block.is([2n ** BigInt(2 ** refcountOrder), ...counts.slice(1)]))
    assert.not.ok(block.is([-1n, ...counts.slice(1)]))
    assert.not.ok(block.is([...counts, 0n]))
    assert.not.ok(block.is(counts.slice(1)))
  }
})

test.run()
