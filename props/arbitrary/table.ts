/** L1 tables, refcount tables and refcount blocks. */
import fc from 'fast-check'
import { blockEntries, type Geometry } from '../../src/format/geometry.js'
import { type L1Entry, l1Entry } from '../../src/format/l1.js'
import { maxRefcountOrder } from '../../src/format/limits.js'
import { maxRefcount, refcountBlock, type RefcountTableEntry, refcountTableEntry } from '../../src/format/refcount.js'
import { numbers } from './number.js'
import { noise } from '../../src/fuzz/noise.js'
import { l1Fields, refcountTableFields } from '../../src/fuzz/structures.js'
import { structure, type Structure, wordOf } from './structure.js'

/** L1 table entries. */
export const l1Entries: Structure<L1Entry> = wordOf(l1Entry, l1Fields)

/** Refcount table entries. */
export const refcountTableEntries: Structure<RefcountTableEntry> = wordOf(refcountTableEntry, refcountTableFields)

/** The eight bytes of noise from byte `8 * i` on, as a number. */
const wordAt = (bytes: Uint8Array, i: number): bigint =>
  bytes.subarray(8 * i, 8 * i + 8).reduce((n, b) => n * 256n + BigInt(b), 0n)

/**
 * Refcount blocks: one count throughout, one count alone, or noise.
 *
 * @example
 * import fc from 'fast-check'
 * import { refcountBlocksOf } from 'qcow2-spec/arbitraries'
 *
 * const blocks = refcountBlocksOf({ clusterBits: 9, refcountOrder: 0 })
 * fc.assert(fc.property(blocks.anyValue, (counts) => counts.every((count) => count <= 1n)))
 */
export const refcountBlocksOf = (g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>): Structure<readonly bigint[]> => {
  const length = blockEntries(g)
  const max = maxRefcount(g.refcountOrder)
  const counts = fc.oneof(
    { withCrossShrink: true },
    numbers(0n, max).map((count) => Array.from({ length }, () => count)),
    fc
      .tuple(fc.nat({ max: length - 1 }), numbers(0n, max))
      .map(([one, count]) => Array.from({ length }, (_, i) => (i === one ? count : 0n))),
    fc.integer().map((seed) => {
      const bytes = noise(seed, 8 * length)
      return Array.from({ length }, (_, i) => wordAt(bytes, i) & max)
    })
  )
  return structure(
    `refcount block, cluster_bits ${g.clusterBits}, refcount_order ${g.refcountOrder}`,
    { type: refcountBlock(g), fields: () => [] },
    () => counts
  )
}

/** Refcount blocks of the smallest cluster, in each of the seven widths. */
export const refcountBlocks = Array.from({ length: maxRefcountOrder + 1 }, (_, refcountOrder) =>
  refcountBlocksOf({ clusterBits: 9, refcountOrder })
)
