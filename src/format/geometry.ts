/** Geometry: the numbers a header fixes for every other structure. */
import { maxClusterBits, minClusterBits, subclusters } from './limits.js'
import type { Header } from './header.js'

/** What a decoder of tables needs to know of the header. */
export interface Geometry {
  readonly version: number
  /** A cluster is `1 << clusterBits` bytes, 9 to 21. */
  readonly clusterBits: number
  /** Whether L2 entries are 128 bits wide. */
  readonly extendedL2: boolean
  /** Whether guest data lives in another file. */
  readonly externalDataFile: boolean
  /** A refcount is `1 << refcountOrder` bits, 0 to 6. */
  readonly refcountOrder: number
}

/** The geometry of a header whose cluster_bits and refcount_order are within bounds; `undefined` otherwise. */
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

/** Bytes of a cluster. */
export const clusterSize = (g: Pick<Geometry, 'clusterBits'>): number => 2 ** g.clusterBits

/** Bytes of an L2 entry: 8, or 16 when extended. @see SUB-01 */
export const l2EntrySize = (g: Pick<Geometry, 'extendedL2'>): number => (g.extendedL2 ? 16 : 8)

/** Entries of an L2 table, which is one cluster. @see L1-02 */
export const l2Entries = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>): number => clusterSize(g) / l2EntrySize(g)

/** Guest bytes that one L1 entry covers. @see L1-02 */
export const l1Coverage = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>): number => l2Entries(g) * clusterSize(g)

/** L1 entries that a guest disk of `size` bytes needs. @see HDR-09 */
export const neededL1Entries = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>, size: bigint): bigint => {
  const coverage = BigInt(l1Coverage(g))
  return (size + coverage - 1n) / coverage
}

/** Bytes of a subcluster. @see SUB-01 */
export const subclusterSize = (g: Pick<Geometry, 'clusterBits'>): number => clusterSize(g) / subclusters

/** Bytes that have a state of their own in an L2 entry: a subcluster with extended L2 entries, else a cluster. @see SUB-01 */
export const grainSize = (g: Pick<Geometry, 'clusterBits' | 'extendedL2'>): number =>
  g.extendedL2 ? subclusterSize(g) : clusterSize(g)

/** Refcounts in a refcount block, which is one cluster. @see REF-03 */
export const blockEntries = (g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>): number =>
  (clusterSize(g) * 8) / 2 ** g.refcountOrder

/** Host bytes that one refcount table entry covers. @see REF-03 */
export const blockCoverage = (g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>): number =>
  blockEntries(g) * clusterSize(g)
