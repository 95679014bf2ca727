/** Geometry: the numbers a header fixes for every other structure. */
import { maxClusterBits, minClusterBits, subclusters } from './limits.js'
import type { Applied } from './feature.js'
import type { Header } from './header.js'
import type { IncompatibleFeatures } from './header-values.js'

/**
 * What a decoder of tables needs to know of the header: every incompatible feature that a reader applies is in it, except the
 * compression type, which is a field of the header as well.
 */
export interface Geometry extends Pick<
  IncompatibleFeatures,
  Exclude<Applied<'incompatible', 'reader'>, 'compressionType'>
> {
  readonly version: number
  /** A cluster is `1 << clusterBits` bytes, 9 to 21. */
  readonly clusterBits: number
  /** A refcount is `1 << refcountOrder` bits, 0 to 6. */
  readonly refcountOrder: number
}

/**
 * The geometry of a header whose cluster_bits and refcount_order are within bounds; `undefined` otherwise.
 *
 * @example
 * import fc from 'fast-check'
 * import { headers } from 'qcow2-spec/arbitraries'
 * import { geometry } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(headers.wellFormed, (h) => geometry(h)?.clusterBits === h.clusterBits))
 */
export const geometry = (h: Header): Geometry | undefined =>
  h.clusterBits >= minClusterBits && h.clusterBits <= maxClusterBits && h.refcountOrder <= 6
    ? {
        version: h.version,
        clusterBits: h.clusterBits,
        extendedL2: h.incompatibleFeatures.extendedL2,
        externalDataFile: h.incompatibleFeatures.externalDataFile,
        refcountOrder: h.refcountOrder
      }
    : undefined

/**
 * Bytes of a cluster.
 *
 * @example
 * import { clusterSize } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(clusterSize({ clusterBits: 16 }), 65536)
 */
export const clusterSize = (g: Pick<Geometry, 'clusterBits'>): number => 2 ** g.clusterBits

/**
 * Bytes of an L2 entry: 8, or 16 when extended.
 *
 * @see SUB-01
 * @example
 * import { l2EntrySize } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(l2EntrySize({ extendedL2: true }), 16)
 */
export const l2EntrySize = (g: Pick<Geometry, 'extendedL2'>): number => (g.extendedL2 ? 16 : 8)

/**
 * Entries of an L2 table, which is one cluster.
 *
 * @see L1-02
 * @example
 * import { l2Entries } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(l2Entries({ clusterBits: 16, extendedL2: false }), 8192)
 */
export const l2Entries = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>): number => clusterSize(g) / l2EntrySize(g)

/**
 * Guest bytes that one L1 entry covers.
 *
 * @see L1-02
 * @example
 * import { l1Coverage } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const l1Index = Math.floor(2 ** 30 / l1Coverage({ clusterBits: 16, extendedL2: false }))
 * assert.equal(l1Index, 2)
 */
export const l1Coverage = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>): number => l2Entries(g) * clusterSize(g)

/**
 * L1 entries that a guest disk of `size` bytes needs.
 *
 * @see HDR-09
 * @example
 * import { neededL1Entries } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(neededL1Entries({ clusterBits: 16, extendedL2: false }, 2n ** 30n + 1n), 3n)
 */
export const neededL1Entries = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>, size: bigint): bigint => {
  const coverage = BigInt(l1Coverage(g))
  return (size + coverage - 1n) / coverage
}

/**
 * Bytes of a subcluster.
 *
 * @see SUB-01
 * @example
 * import { subclusterSize } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(subclusterSize({ clusterBits: 16 }), 2048)
 */
export const subclusterSize = (g: Pick<Geometry, 'clusterBits'>): number => clusterSize(g) / subclusters

/**
 * Bytes that have a state of their own in an L2 entry: a subcluster with extended L2 entries, else a cluster.
 *
 * @see SUB-01
 * @example
 * import { grainSize } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(grainSize({ clusterBits: 16, extendedL2: true }), 2048)
 * assert.equal(grainSize({ clusterBits: 16, extendedL2: false }), 65536)
 */
export const grainSize = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>): number =>
  g.extendedL2 ? subclusterSize(g) : clusterSize(g)

/**
 * Refcounts in a refcount block, which is one cluster.
 *
 * @see REF-03
 * @example
 * import { blockEntries } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(blockEntries({ clusterBits: 16, refcountOrder: 4 }), 32768)
 */
export const blockEntries = (g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>): number =>
  (clusterSize(g) * 8) / 2 ** g.refcountOrder

/**
 * Host bytes that one refcount table entry covers.
 *
 * @see REF-03
 * @example
 * import { blockCoverage } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(blockCoverage({ clusterBits: 16, refcountOrder: 4 }), 2 ** 31)
 */
export const blockCoverage = (g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>): number =>
  blockEntries(g) * clusterSize(g)

/**
 * Bits of the host offset in a compressed descriptor: `70 - clusterBits`.
 *
 * @see CMP-01
 * @example
 * import { offsetBits } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(offsetBits(16), 54)
 */
export const offsetBits = (clusterBits: number): number => 70 - clusterBits
