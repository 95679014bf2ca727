/** The numbers that the cluster size and the refcount width fix for every table. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import {
  blockCoverage,
  blockEntries,
  clusterSize,
  l1Coverage,
  l2Entries,
  l2EntrySize,
  neededL1Entries,
  subclusterSize
} from '../../src/format/geometry.js'
import { maxL1Entries } from '../../src/format/limits.js'
import { maxRefcount, refcountBits, refcountPlace } from '../../src/format/refcount.js'
import { numbers } from '../arbitrary/number.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { same } from './laws.js'

const test = suite('geometry')

const plain = (clusterBits: number) => ({ clusterBits, extendedL2: false })
const extended = (clusterBits: number) => ({ clusterBits, extendedL2: true })

test('an L2 table is a cluster of entries of 8 bytes, or of 16 when extended', () => {
  same([l2EntrySize(plain(9)), l2EntrySize(extended(16))], [8, 16])
  same([l2Entries(plain(9)), l2Entries(plain(16)), l2Entries(plain(21))], [64, 8192, 262144])
  same([l2Entries(extended(14)), l2Entries(extended(16))], [1024, 4096])
})

test('an L1 entry covers as many guest clusters as its L2 table has entries', () => {
  same([l1Coverage(plain(9)), l1Coverage(plain(16)), l1Coverage(extended(16))], [2 ** 15, 2 ** 29, 2 ** 28])
})

test('the largest L1 table bounds the disk: 128 GiB in the smallest clusters, 2 EiB in the largest, half when extended', () => {
  const largest = (g: { clusterBits: number; extendedL2: boolean }): bigint =>
    BigInt(maxL1Entries) * BigInt(l1Coverage(g))
  same([largest(plain(9)), largest(plain(16)), largest(plain(21))], [2n ** 37n, 2n ** 51n, 2n ** 61n])
  assert.is(largest(extended(16)), 2n ** 50n)
  for (const g of [plain(9), plain(21), extended(16)]) {
    assert.is(neededL1Entries(g, largest(g)), BigInt(maxL1Entries))
    assert.is(neededL1Entries(g, largest(g) + 1n), BigInt(maxL1Entries) + 1n)
  }
})

test('a disk needs L1 entries up to its last byte', () => {
  for (const [size, needed] of [
    [0n, 0n],
    [1n, 1n],
    [2n ** 15n, 1n],
    [2n ** 15n + 1n, 2n],
    [2n ** 20n, 32n],
    [2n ** 64n - 1n, 2n ** 49n]
  ] as const)
    assert.is(neededL1Entries(plain(9), size), needed)
})

test('a subcluster is a 32nd of a cluster', () => {
  same([subclusterSize(plain(14)), subclusterSize(plain(16)), subclusterSize(plain(21))], [512, 2048, 65536])
})

test('a refcount block is a cluster of refcounts: 32768 of 16 bits cover 2 GiB in clusters of 64 KiB', () => {
  assert.is(blockEntries({ clusterBits: 16, refcountOrder: 4 }), 32768)
  assert.is(blockCoverage({ clusterBits: 16, refcountOrder: 4 }), 2 ** 31)
  assert.is(blockEntries({ clusterBits: 9, refcountOrder: 0 }), 4096)
  assert.is(blockEntries({ clusterBits: 9, refcountOrder: 6 }), 64)
  assert.is(clusterSize(plain(21)), 2 ** 21)
})

test('a count of order n has 2^n bits', () => {
  same([0, 1, 2, 3, 4, 5, 6].map(refcountBits), [1, 2, 4, 8, 16, 32, 64])
  same([0, 1, 2, 6].map(maxRefcount), [1n, 3n, 15n, 2n ** 64n - 1n])
})

test('the refcount of a cluster is stored at its number, by whole blocks', () => {
  const geometries = fc.record({
    clusterBits: fc.integer({ min: 9, max: 21 }),
    refcountOrder: fc.integer({ min: 0, max: 6 })
  })
  holds(
    fc.property(geometries, numbers(0n, 2n ** 44n), (g, cluster) => {
      const { table, entry } = refcountPlace(g, Number(cluster))
      assert.ok(entry >= 0 && entry < blockEntries(g))
      assert.is(BigInt(table) * BigInt(blockEntries(g)) + BigInt(entry), cluster)
    })
  )
})

test.run()
