/** Host clusters of an image that is written from front to back, and the refcount structures that follow from them. */
import type { HostWrite } from '../../bytes/host-write.js'
import { padded, viewOf } from '../../bytes/octets.js'
import { imageFile } from '../../bytes/plan.js'
import { encodeWords } from '../../bytes/words.js'
import { blockEntries, clusterSize, type Geometry } from '../../format/geometry.js'
import { maxRefcount, setRefcount } from '../../format/refcount.js'
import type { ClusterRun } from '../engine/allocate.js'

/** The clusters at the end of the image: the L1 table, the refcount table, and the refcount blocks that are left. */
export interface EndLayout {
  /** The first cluster of each. */
  readonly l1: number
  readonly table: number
  readonly blocks: number
  /** The first cluster after them. */
  readonly end: number
}

/** A write of the image file. */
export const writeAt = (at: number, bytes: Uint8Array): HostWrite => ({ _tag: 'Write', file: imageFile, at, bytes })

/**
 * Allocates host clusters from front to back. The last cluster of the range of each refcount block is that block, which is
 * written when the allocator reaches it. One image writer owns it.
 *
 * @see REF-20 and CW-02
 */
export class SequentialAllocator {
  private readonly size: number
  private readonly perBlock: number
  private readonly mostRefcount: number
  /** The refcount block of the range of `next`, and the host offsets of those before it. */
  private block: Uint8Array
  private readonly blocks: number[] = []
  /** The first host cluster that is free; so are all after it. Cluster 0 is that of the header. */
  private next = 1
  /** The host byte after the last payload, where the next may be appended; else 0. */
  private compressedCursor = 0
  /** The payloads in the cluster of that byte. */
  private payloads = 0

  constructor(private readonly g: Geometry) {
    this.size = clusterSize(g)
    this.perBlock = blockEntries(g)
    this.mostRefcount = Number(maxRefcount(g.refcountOrder))
    this.block = new Uint8Array(this.size)
    this.setRefcount(0, 1)
  }

  /** Allocates up to `most` consecutive clusters, with a refcount of one. */
  *allocate(most: number): Generator<HostWrite, ClusterRun> {
    const last = this.perBlock - 1
    if (this.next % this.perBlock === last) {
      this.setRefcount(this.next, 1)
      yield* this.writeBlock(this.next++)
      this.compressedCursor = 0
    }
    const cluster = this.next
    const n = Math.min(most, last - (cluster % this.perBlock))
    for (let i = 0; i < n; i++) this.setRefcount(cluster + i, 1)
    this.next += n
    return { cluster, n }
  }

  /** Allocates the bytes of a payload, and returns their host offset: after the last payload where there is room. @see CMP-06 */
  *allocatePayload(length: number): Generator<HostWrite, number> {
    const inCluster = this.compressedCursor % this.size
    const more = this.compressedCursor !== 0 && this.payloads < this.mostRefcount
    const old = Math.floor(this.compressedCursor / this.size)
    let at = this.compressedCursor
    if (more && this.size - inCluster >= length) this.setRefcount(old, ++this.payloads)
    else {
      const { cluster } = yield* this.allocate(1)
      const follows = more && this.compressedCursor !== 0 && cluster === old + 1
      if (follows) this.setRefcount(old, this.payloads + 1)
      else at = cluster * this.size
      this.payloads = 1
    }
    const end = at + length
    this.compressedCursor = end % this.size === 0 ? 0 : end
    return at
  }

  /** The layout of the end of the image, with an L1 table of so many clusters. */
  endLayout(l1Clusters: number): EndLayout {
    const table = this.next + l1Clusters
    for (let t = 1, k = 1; ;) {
      const blocks = Math.ceil((table + t + k) / this.perBlock)
      const [moreT, moreK] = [Math.ceil((8 * blocks) / this.size), blocks - this.blocks.length]
      if (moreT <= t && moreK <= k) return { l1: this.next, table, blocks: table + t, end: table + t + k }
      t = Math.max(t, moreT)
      k = Math.max(k, moreK)
    }
  }

  /** Writes the refcount blocks that are left, then the refcount table. Nothing is allocated afterwards. */
  *writeRefcounts({ l1, table, blocks, end }: EndLayout): Generator<HostWrite> {
    for (let at = blocks, c = l1; at < end; at++) {
      const covered = (this.blocks.length + 1) * this.perBlock
      for (; c < Math.min(end, covered); c++) this.setRefcount(c, 1)
      yield* this.writeBlock(at)
    }
    yield writeAt(table * this.size, padded(encodeWords(this.blocks), (blocks - table) * this.size))
  }

  private setRefcount(cluster: number, refcount: number): void {
    setRefcount(viewOf(this.block), this.g.refcountOrder, cluster % this.perBlock, refcount)
  }

  /** Writes the refcount block to a cluster, and begins the next block. */
  private *writeBlock(cluster: number): Generator<HostWrite> {
    this.blocks.push(cluster * this.size)
    yield writeAt(cluster * this.size, this.block)
    this.block = new Uint8Array(this.size)
  }
}
