/** L2 entries: what a guest cluster is, by the 64 bits of its entry and, when extended, the 64 bits of its subclusters. */
import { type Bits, bits, type BitsLeaf, count, flag, masked, maskOf } from '../bytes/bits.js'
import { viewOf } from '../bytes/octets.js'
import { compressedBits } from './compressed.js'
import { type Geometry, l2EntrySize } from './geometry.js'
import { maxClusterBits } from './limits.js'
import type { CompressedBits, DescriptorBits, StandardBits, SubclusterBitmap } from './table-values.js'

export type { SubclusterBitmap }

/** What an L2 entry is read with. */
export type L2Context = Pick<Geometry, 'version' | 'clusterBits' | 'extendedL2' | 'externalDataFile'>

const rows = {
  hostClusterOffset: masked(9, 55, 'host_cluster_offset', 'L2-02', 'host offset of the cluster, cluster aligned'),
  copied: flag(63, 'copied', 'L2-04', 'the refcount of the cluster is exactly one; meaningful in active tables only')
}

/** The bit field of a standard L2 entry under extended L2, where bit 0 is reserved. */
export const descriptorBits: BitsLeaf<DescriptorBits> = bits('L2 entry', rows, { clause: 'L2-02' })
/** The bit field of a standard L2 entry; bit 62 is clear in it. */
export const standardBits: BitsLeaf<StandardBits> = bits(
  'L2 entry',
  { zero: flag(0, 'zero', 'L2-02', 'reads as zeros; version 3 without extended L2 only'), ...rows },
  { clause: 'L2-02' }
)

/** A standard cluster without host cluster: reads from the backing file, or as zeros. */
export interface Unallocated extends Pick<DescriptorBits, 'copied' | 'reserved'> {
  readonly _tag: 'Unallocated'
}

/** A cluster whose data lies at a host offset. */
export interface Normal extends DescriptorBits {
  readonly _tag: 'Normal'
}

/** A cluster that reads as zeros and has no host cluster. */
export interface ZeroPlain extends Pick<DescriptorBits, 'copied' | 'reserved'> {
  readonly _tag: 'ZeroPlain'
}

/** A cluster that reads as zeros and keeps its host cluster. */
export interface ZeroAllocated extends DescriptorBits {
  readonly _tag: 'ZeroAllocated'
}

/** A cluster whose compressed payload lies at a host byte offset. */
export interface Compressed extends Pick<CompressedBits, 'hostOffset' | 'additionalSectors' | 'copied'> {
  readonly _tag: 'Compressed'
}

/** The second 64 bits of an extended L2 entry; bit x of each half is about subcluster x. @see SUB-02 */
export const subclusterBits: BitsLeaf<SubclusterBitmap & Bits> = bits('subcluster bitmap', {
  allocated: count(0, 31, 'allocated', 'SUB-02', 'subclusters whose data is in the host cluster'),
  zeros: count(32, 63, 'zeros', 'SUB-02', 'subclusters that read as zeros')
})

/** What the first 64 bits of an L2 entry say. @see L2-03 */
export type Cluster = Unallocated | Normal | ZeroPlain | ZeroAllocated | Compressed

/** An L2 entry. @see L2-03 and SUB-02 */
export type L2Entry = Cluster & {
  /** The second 64 bits of the entry: present exactly where the image has extended L2 entries. */
  readonly subclusters?: SubclusterBitmap
}

const compressedFlag = maskOf(compressedBits(maxClusterBits).rows.compressed)

const standard = (word: bigint, ctx: L2Context): Cluster => {
  const { zero, hostClusterOffset, copied, reserved } = ctx.extendedL2
    ? { zero: false, ...descriptorBits.ofWord(word) }
    : standardBits.ofWord(word)
  const placed = hostClusterOffset !== 0n
  if (zero)
    return placed
      ? { _tag: 'ZeroAllocated', hostClusterOffset, copied, reserved }
      : { _tag: 'ZeroPlain', copied, reserved }
  return placed || (ctx.externalDataFile && copied)
    ? { _tag: 'Normal', hostClusterOffset, copied, reserved }
    : { _tag: 'Unallocated', copied, reserved }
}

/**
 * What the 64 bits of a descriptor say. The compressed flag is looked at first: bit 0 of a compressed descriptor is an address bit.
 *
 * @see L2-03
 */
export const clusterOfWord = (word: bigint, ctx: L2Context): Cluster => {
  if ((word & compressedFlag) === 0n) return standard(word, ctx)
  const { hostOffset, additionalSectors, copied } = compressedBits(ctx.clusterBits).ofWord(word)
  return { _tag: 'Compressed', hostOffset, additionalSectors, copied }
}

/** The 64 bits of a descriptor. Law: `wordOfCluster(clusterOfWord(w)) = w`. */
export const wordOfCluster = (c: Cluster, ctx: Pick<L2Context, 'clusterBits'>): bigint => {
  switch (c._tag) {
    case 'Compressed':
      return compressedBits(ctx.clusterBits).toWord({ ...c, compressed: true, reserved: 0n })
    case 'Unallocated':
      return descriptorBits.toWord({ ...c, hostClusterOffset: 0n })
    case 'Normal':
      return descriptorBits.toWord(c)
    case 'ZeroPlain':
      return standardBits.toWord({ ...c, hostClusterOffset: 0n, zero: true })
    case 'ZeroAllocated':
      return standardBits.toWord({ ...c, zero: true })
  }
}

/** The bytes of an L2 entry, 8, or 16 with extended L2. */
export const encodeL2Entry = (e: L2Entry, ctx: Pick<L2Context, 'clusterBits' | 'extendedL2'>): Uint8Array => {
  const bytes = new Uint8Array(l2EntrySize(ctx))
  const view = viewOf(bytes)
  view.setBigUint64(0, wordOfCluster(e, ctx))
  if (e.subclusters !== undefined) {
    view.setUint32(8, e.subclusters.zeros)
    view.setUint32(12, e.subclusters.allocated)
  }
  return bytes
}
