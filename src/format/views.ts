/** Lazy views over tables of millions of entries. Each equals the entry codec at every index. */
import { maskOf } from '../bytes/bits.js'
import { bitAt, viewOf } from '../bytes/octets.js'
import { type Halves, halves, Words } from '../bytes/words.js'
import { type BitmapTableEntry, bitmapTableEntry } from './bitmap.js'
import { compressedBits } from './compressed.js'
import { type L1Entry, l1Entry } from './l1.js'
import { clusterOfWord, type L2Context, type L2Entry, standardBits } from './l2.js'
import { maxClusterBits, minClusterBits, sectorSize } from './limits.js'
import { allSubclusters } from './subcluster.js'
import { refcountAt, type RefcountTableEntry, refcountTableEntry } from './refcount.js'

/** The masks of the bits of entries, in halves. The offsets and the copied flags of all tables have the same bits. @see RD-04 */
const { hi: offsetHi, lo: offsetLo } = halves(maskOf(standardBits.rows.hostClusterOffset))
const { hi: copiedHi } = halves(maskOf(standardBits.rows.copied))
const { hi: compressedHi } = halves(maskOf(compressedBits(maxClusterBits).rows.compressed))
const { lo: zeroLo } = halves(maskOf(standardBits.rows.zero))
const { lo: blockOffsetLo } = halves(maskOf(refcountTableEntry.leaf.rows.refcountBlockOffset))
const { lo: allOnesLo } = halves(maskOf(bitmapTableEntry.leaf.rows.allOnes))

/** The host offset in a word as a number: a multiple of 512 below 2^56, which a double holds exactly. */
const offset = (hi: number, lo: number): number => (hi & offsetHi) * 0x1_0000_0000 + ((lo & offsetLo) >>> 0)

/** A table whose entries are one word each. */
class WordTable {
  /** Number of entries. */
  readonly length: number
  readonly words: Words

  constructor(bytes: Uint8Array) {
    this.words = new Words(bytes)
    this.length = this.words.length
  }

  /** Whether all bits of entry `i` are 0. */
  isZero(i: number): boolean {
    return this.words.hi(i) === 0 && this.words.lo(i) === 0
  }

  /** Whether entry `i` has any of these bits. */
  hasAny(i: number, mask: Halves): boolean {
    return ((this.words.hi(i) & mask.hi) | (this.words.lo(i) & mask.lo)) !== 0
  }
}

/** An L1 table. Law: `entry(i)` is what `l1Entry` decodes at byte `8 * i`. */
export class L1View extends WordTable {
  /** Host offset of the L2 table in bytes; 0: the whole range is unallocated. */
  l2TableOffset(i: number): number {
    return offset(this.words.hi(i), this.words.lo(i))
  }

  /** The copied flag of entry `i`. */
  copied(i: number): boolean {
    return (this.words.hi(i) & copiedHi) !== 0
  }

  entry(i: number): L1Entry {
    return l1Entry.leaf.ofWord(this.words.at(i))
  }
}

/**
 * Kinds of clusters as small numbers, in the order of `clusterKinds`: of a standard cluster, bit 1 says that it reads
 * as zeros and bit 0 that it has a host cluster.
 */
export const clusterKind = { Unallocated: 0, Normal: 1, ZeroPlain: 2, ZeroAllocated: 3, Compressed: 4 } as const
/** The tags of {@link clusterKind} by number. */
export const clusterKinds = ['Unallocated', 'Normal', 'ZeroPlain', 'ZeroAllocated', 'Compressed'] as const

const noMasks = { payloadHi: 0, sectorsHi: 0 }

/** For each cluster_bits the upper halves of the masks of a compressed descriptor. */
const compressedMasks = Array.from({ length: maxClusterBits + 1 }, (_, clusterBits) => {
  if (clusterBits < minClusterBits) return noMasks
  const { hostOffset, additionalSectors } = compressedBits(clusterBits).rows
  return { payloadHi: halves(maskOf(hostOffset)).hi, sectorsHi: halves(maskOf(additionalSectors)).hi }
})

/** Whether the bits of all subclusters are the same. */
const isAlike = (bits: number): boolean => bits === 0 || bits === allSubclusters

/** An L2 table. Law: `entry(i)` is what `l2Entry(ctx)` decodes at byte `8 * i`, or `16 * i` when extended. */
export class L2View {
  /** Number of entries. */
  readonly length: number
  readonly words: Words
  private readonly stride: number
  private readonly compressed: { readonly payloadHi: number; readonly sectorsHi: number }

  constructor(
    bytes: Uint8Array,
    readonly ctx: L2Context
  ) {
    this.words = new Words(bytes)
    this.stride = ctx.extendedL2 ? 2 : 1
    this.length = Math.floor(this.words.length / this.stride)
    this.compressed = compressedMasks[ctx.clusterBits] ?? noMasks
  }

  /** What entry `i` is, as a number of {@link clusterKind}. */
  kind(i: number): number {
    const hi = this.words.hi(i * this.stride)
    if ((hi & compressedHi) !== 0) return clusterKind.Compressed
    const lo = this.words.lo(i * this.stride)
    const zero = this.ctx.extendedL2 ? 0 : lo & zeroLo
    if (this.ctx.externalDataFile && zero === 0 && (hi & copiedHi) !== 0) return clusterKind.Normal
    return 2 * zero + Number(((hi & offsetHi) | (lo & offsetLo)) !== 0)
  }

  /** Whether entry `i` has a host cluster that holds nothing else: bit 0 of its kind. @see L2-06 and SUB-08 */
  isPlaced(i: number): boolean {
    return (this.kind(i) & 1) === 1
  }

  /**
   * How many entries from `i` on, up to `end`, go on as entry `i` does: the same flags, and no host cluster or each one
   * after the one before. At least 1; always 1 where clusters are compressed or their subclusters are not all alike.
   */
  run(i: number, end: number): number {
    const kind = this.kind(i)
    if (kind === clusterKind.Compressed) return 1
    const step = this.isPlaced(i) ? 2 ** this.ctx.clusterBits : 0
    return this.stride === 1 ? this.words.steps(i, end, step) : this.alikeRun(i, end, step)
  }

  /** The same for extended entries whose host clusters are `step` bytes apart. */
  private alikeRun(i: number, end: number, step: number): number {
    const { words } = this
    const [hi, allocated, zeros] = [words.hi(2 * i), this.allocated(i), this.zeros(i)]
    if (!isAlike(allocated) || !isAlike(zeros)) return 1
    let n = 1
    for (let next = words.lo(2 * i) + step; i + n < end; n++, next += step) {
      const isNext = words.lo(2 * (i + n)) === next && words.hi(2 * (i + n)) === hi
      if (!isNext || this.allocated(i + n) !== allocated || this.zeros(i + n) !== zeros) break
    }
    return n
  }

  /** Whether all bits of entry `i` are 0. */
  isZero(i: number): boolean {
    const first = i * this.stride
    const last = first + this.stride - 1
    return (this.words.hi(first) | this.words.lo(first) | this.words.hi(last) | this.words.lo(last)) === 0
  }

  /** Whether the descriptor of entry `i` has any of these bits. */
  hasAny(i: number, mask: Halves): boolean {
    return ((this.words.hi(i * this.stride) & mask.hi) | (this.words.lo(i * this.stride) & mask.lo)) !== 0
  }

  /** The copied flag of entry `i`. */
  copied(i: number): boolean {
    return (this.words.hi(i * this.stride) & copiedHi) !== 0
  }

  /** Host offset of the cluster of entry `i` in bytes; 0 where it has none. For entries that are not compressed. */
  hostClusterOffset(i: number): number {
    return offset(this.words.hi(i * this.stride), this.words.lo(i * this.stride))
  }

  /** Host offset of the payload of compressed entry `i` in bytes; inexact from 2^53 on, past the end of any file. */
  hostOffset(i: number): number {
    return (this.words.hi(i * this.stride) & this.compressed.payloadHi) * 0x1_0000_0000 + this.words.lo(i * this.stride)
  }

  /** Additional sectors of compressed entry `i`. */
  additionalSectors(i: number): number {
    return (this.words.hi(i * this.stride) & this.compressed.sectorsHi) / (this.compressed.payloadHi + 1)
  }

  /** Most bytes that the payload of compressed entry `i` may have. Law: `availableBytes` of its entry. @see CMP-02 */
  availableBytes(i: number): number {
    return (this.additionalSectors(i) + 1) * sectorSize - (this.words.lo(i * this.stride) & (sectorSize - 1))
  }

  /** Bits 0 to 31 of the subcluster bitmap of entry `i`: allocated subclusters. Extended L2 only. */
  allocated(i: number): number {
    return this.words.lo(2 * i + 1)
  }

  /** Bits 32 to 63 of the subcluster bitmap of entry `i`: subclusters that read as zeros. Extended L2 only. */
  zeros(i: number): number {
    return this.words.hi(2 * i + 1)
  }

  entry(i: number): L2Entry {
    const cluster = clusterOfWord(this.words.at(i * this.stride), this.ctx)
    return this.ctx.extendedL2
      ? { ...cluster, subclusters: { allocated: this.allocated(i), zeros: this.zeros(i) } }
      : cluster
  }
}

/** A refcount table. Law: `entry(i)` is what `refcountTableEntry` decodes at byte `8 * i`. */
export class RefcountTableView extends WordTable {
  /** Host offset of the block in bytes; 0: none. Inexact from 2^62 on, past the end of any file. */
  refcountBlockOffset(i: number): number {
    return this.words.hi(i) * 0x1_0000_0000 + ((this.words.lo(i) & blockOffsetLo) >>> 0)
  }

  entry(i: number): RefcountTableEntry {
    return refcountTableEntry.leaf.ofWord(this.words.at(i))
  }
}

/** A refcount block. Law: `entry(i)` is the `i`-th count that `refcountBlock` decodes. */
export class RefcountView {
  /** Number of refcounts. */
  readonly length: number
  private readonly view: DataView

  constructor(
    bytes: Uint8Array,
    readonly order: number
  ) {
    this.view = viewOf(bytes)
    this.length = (bytes.length * 8) / 2 ** order
  }

  /** Count `i` as a number: exact below 2^53, and never smaller than 2^53 for a count that is not. */
  count(i: number): number {
    switch (this.order) {
      case 3:
        return this.view.getUint8(i)
      case 4:
        return this.view.getUint16(2 * i)
      case 5:
        return this.view.getUint32(4 * i)
      case 6:
        return this.view.getUint32(8 * i) * 0x1_0000_0000 + this.view.getUint32(8 * i + 4)
      default: {
        const bit = i << this.order
        return (this.view.getUint8(bit >> 3) >> (bit & 7)) & ((1 << (1 << this.order)) - 1)
      }
    }
  }

  entry(i: number): bigint {
    return refcountAt(this.view, this.order, i)
  }
}

/** A bitmap table. Law: `entry(i)` is what `bitmapTableEntry` decodes at byte `8 * i`. */
export class BitmapTableView extends WordTable {
  /** Host offset of a cluster of bits in bytes; 0: none. */
  clusterOffset(i: number): number {
    return offset(this.words.hi(i), this.words.lo(i))
  }

  /** Whether entry `i`, which has no cluster, means bits that are all 1. */
  allOnes(i: number): boolean {
    return (this.words.lo(i) & allOnesLo) !== 0
  }

  entry(i: number): BitmapTableEntry {
    return bitmapTableEntry.leaf.ofWord(this.words.at(i))
  }
}

/** Bitmap data. Law: `bit(i)` is the `i`-th bit that `bitmapCluster` decodes. */
export class BitmapView {
  /** Number of bits. */
  readonly length: number

  constructor(private readonly bytes: Uint8Array) {
    this.length = 8 * bytes.length
  }

  bit(i: number): boolean {
    return bitAt(this.bytes, i)
  }

  /** How many bits from `i` on, up to `end`, are as bit `i` is; at least 1. */
  run(i: number, end: number): number {
    const set = this.bit(i)
    const alike = set ? 0xff : 0
    let next = i + 1
    while (next < end && (((next & 7) === 0 && this.bytes[next >>> 3] === alike) || this.bit(next) === set))
      next += (next & 7) === 0 && this.bytes[next >>> 3] === alike ? 8 : 1
    return Math.min(next, end) - i
  }
}
