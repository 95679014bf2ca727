/** Compressed cluster descriptors: where the offset ends and the sector count begins, and how many bytes they stand for. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { additionalSectors, availableBytes, compressedBits } from '../../src/format/compressed.js'
import { offsetBits } from '../../src/format/geometry.js'
import { clusterOfWord } from '../../src/format/l2.js'
import { numbers } from '../arbitrary/number.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { same } from './laws.js'

const test = suite('compressed')

/** cluster_bits, bits of the offset, bits of the sector count, most additional sectors, most bytes. */
const widths = [
  [9, 61, 1, 1, 1024],
  [10, 60, 2, 3, 2048],
  [11, 59, 3, 7, 4096],
  [12, 58, 4, 15, 8192],
  [13, 57, 5, 31, 16384],
  [14, 56, 6, 63, 32768],
  [15, 55, 7, 127, 65536],
  [16, 54, 8, 255, 131072],
  [17, 53, 9, 511, 262144],
  [18, 52, 10, 1023, 524288],
  [19, 51, 11, 2047, 1048576],
  [20, 50, 12, 4095, 2097152],
  [21, 49, 13, 8191, 4194304]
] as const

for (const [clusterBits, offset, count, mostSectors, mostBytes] of widths)
  test(`cluster_bits ${clusterBits}: ${offset} bits of offset, ${count} of sectors, at most ${mostBytes} bytes`, () => {
    const {
      hostOffset,
      additionalSectors: sectors,
      compressed,
      copied,
      reserved
    } = compressedBits(clusterBits).ofWord(2n ** 64n - 1n)
    assert.is(offsetBits(clusterBits), offset)
    assert.is(offset + count, 62)
    assert.is(hostOffset, 2n ** BigInt(offset) - 1n)
    assert.is(sectors, mostSectors)
    same([compressed, copied, reserved], [true, true, 0n])
    assert.is(availableBytes({ hostOffset: 0n, additionalSectors: sectors }), mostBytes)
  })

test('0x4AC00000003D9750 in clusters of 64 KiB: 44 sectors less the 336 bytes before the payload', () => {
  const ctx = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false }
  const cluster = clusterOfWord(0x4ac0_0000_003d_9750n, ctx)
  same(cluster, { _tag: 'Compressed', hostOffset: 0x3d_9750n, additionalSectors: 43, copied: false })
  if (cluster._tag === 'Compressed') assert.is(availableBytes(cluster), 44 * 512 - 336)
})

const payloads = fc.tuple(numbers(0n, 2n ** 56n - 1n), numbers(1n, 2n ** 21n - 1n))

test('the sectors of a payload are the fewest that hold it: a byte more than they have needs another', () => {
  holds(
    fc.property(payloads, ([hostOffset, length]) => {
      const sectors = additionalSectors(hostOffset, Number(length))
      const available = availableBytes({ hostOffset, additionalSectors: sectors })
      assert.ok(available >= Number(length) && available - Number(length) < 512)
      assert.is(additionalSectors(hostOffset, available), sectors)
      assert.is(additionalSectors(hostOffset, available + 1), sectors + 1)
    }),
    { runs: 300 }
  )
})

test('the sectors of a payload are those between its first and its last byte', () => {
  holds(
    fc.property(payloads, ([hostOffset, length]) => {
      const [first, last] = [hostOffset / 512n, (hostOffset + length - 1n) / 512n]
      assert.is(additionalSectors(hostOffset, Number(length)), Number(last - first))
    }),
    { runs: 300 }
  )
})

test('a payload shorter than a cluster fits the sector count of its cluster size', () => {
  for (const [clusterBits, , , mostSectors] of widths)
    for (const offset of [0n, 1n, 511n, 512n, 2n ** 49n - 1n])
      assert.ok(additionalSectors(offset, 2 ** clusterBits - 1) <= mostSectors)
})

test.run()
