/** Writing a whole image in one pass over its guest disk: every host byte once, from front to back. */
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { padded, viewOf } from '../../bytes/octets.js'
import { dataFile, imageFile } from '../../bytes/plan.js'
import { additionalSectors } from '../../format/compressed.js'
import {
  clusterSize,
  type Geometry,
  l1Coverage,
  l2EntrySize,
  neededL1Entries,
  subclusterSize
} from '../../format/geometry.js'
import type { L2Entry, SubclusterBitmap } from '../../format/l2.js'
import { allSubclusters } from '../../format/subcluster.js'
import { copiedFlag, encodeRun } from '../engine/active-tree.js'
import { firstCluster } from './first-cluster.js'
import { complete, type CompleteOptions, type CreateOptions } from './options.js'
import { SequentialAllocator, writeAt } from './sequential-allocator.js'

/** The subclusters of a cluster's bytes that are not all zeros, as a mask. */
const dataMask = (bytes: Uint8Array, size: number): number => {
  let mask = 0
  for (let x = 0; x * size < bytes.length; x++) {
    const end = Math.min(bytes.length, (x + 1) * size)
    for (let i = x * size; i < end; i++)
      if (bytes[i] !== 0) {
        mask |= 1 << x
        break
      }
  }
  return mask >>> 0
}

/** Host clusters of neighbouring guest clusters: their first L2 entry, their first host byte and their number. */
interface Placement {
  readonly entry: number
  readonly host: number
  readonly n: number
}

/**
 * Writes an image whose guest clusters come in order, each at most once; those that never come are unallocated. Each method
 * returns host writes, to be performed in order before the next call.
 *
 * Data and payloads are written as they come, an L2 table after the clusters that it covers, and a refcount block as the last
 * cluster of its range; at the end the L1 table, the remaining blocks and the refcount table; and the header once everything
 * else is durable. One driver owns a writer.
 *
 * Law: the writes of all calls, {@link finish} being the last, make an image without leaks or corruptions, whose disk is what
 * came. Before the header is written the file is no image.
 *
 * @see GEN-04, REF-20 and CW-02
 */
export class SequentialImageWriter {
  private readonly g: Geometry
  private readonly size: number
  private readonly allocator: SequentialAllocator
  private readonly l1: Uint8Array
  /** The L2 table of the guest clusters that come, the L1 entry of it, and whether it has entries. */
  private table: Uint8Array
  private index = -1
  private used = false

  private constructor(private readonly o: CompleteOptions) {
    this.g = { ...o, externalDataFile: o.dataFile !== undefined }
    this.size = clusterSize(this.g)
    this.allocator = new SequentialAllocator(this.g)
    this.l1 = new Uint8Array(8 * Number(neededL1Entries(this.g, BigInt(o.size))))
    this.table = new Uint8Array(this.size)
  }

  /** A writer of an image with these options, or why there cannot be one. */
  static of(options: CreateOptions): E.Either<readonly Issue[], SequentialImageWriter> {
    return E.chain((o: CompleteOptions) => {
      const size = BigInt(o.size)
      const tables = { l1TableOffset: 0n, refcountTableOffset: 0n, refcountTableClusters: 1 }
      const first = firstCluster(o, { ...tables, size, l1Size: Number(neededL1Entries(o, size)) })
      return E.map(() => new SequentialImageWriter(o))(first)
    })(complete(options))
  }

  /** Bytes of a cluster. */
  get clusterSize(): number {
    return this.size
  }

  /**
   * Writes guest bytes from the start of a cluster on: whole clusters, or the last part of the disk. With `sparse`,
   * subclusters of zeros are not allocated.
   */
  *writeData(guest: number, bytes: Uint8Array, sparse = true): Generator<HostWrite> {
    for (let done = 0; done < bytes.length;) {
      const { entry, host, n } = yield* this.allocate(guest + done, bytes.length - done)
      const part = bytes.subarray(done, done + n * this.size)
      yield { _tag: 'Write', file: this.g.externalDataFile ? dataFile : imageFile, at: host, bytes: part }
      if (!this.g.extendedL2) this.putEntries(entry, n, this.normal(host, this.bitmap(0)))
      else
        for (let i = 0; i < n; i++) {
          const cluster = part.subarray(i * this.size, (i + 1) * this.size)
          const allocated = sparse ? dataMask(cluster, subclusterSize(this.g)) : allSubclusters
          this.putEntries(entry + i, 1, this.normal(host + i * this.size, this.bitmap(allocated)))
        }
      done += part.length
    }
  }

  /**
   * Writes guest clusters of zeros. They get host clusters where preallocation or a raw data file asks for them, and entries
   * that say zero over a backing file; else nothing is written. @see ZD-08, DATA-06 and RS-07
   */
  *writeZeros(guest: number, length: number): Generator<HostWrite> {
    const { preallocation, dataFile: data, backing, version } = this.o
    if (preallocation === 'falloc' || preallocation === 'full') yield* this.writeZeroData(guest, length)
    else if (preallocation === 'metadata' || data?.raw === true) yield* this.reserve(guest, length)
    else if (backing === undefined) return
    else if (version === 2) yield* this.writeZeroData(guest, length)
    else yield* this.putZeroEntries(guest, length)
  }

  /** Writes a guest cluster as a compressed payload. @see CW-02 and CMP-06 */
  *writePayload(guest: number, payload: Uint8Array): Generator<HostWrite> {
    yield* this.selectTable(guest, 1)
    const host = yield* this.allocator.allocatePayload(payload.length)
    yield writeAt(host, payload)
    this.putEntries(this.entryOf(guest), 1, {
      _tag: 'Compressed',
      hostOffset: BigInt(host),
      additionalSectors: additionalSectors(BigInt(host), payload.length),
      copied: false,
      ...(this.g.extendedL2 ? { subclusters: { allocated: 0, zeros: 0 } } : {})
    })
  }

  /** Writes what is left: tables, refcounts and the header. Refused where the refcount table would be too large. @see REF-06 */
  *finish(): Generator<HostWrite, E.Either<readonly Issue[], void>> {
    yield* this.writeTable()
    const layout = this.allocator.endLayout(Math.ceil(this.l1.length / this.size))
    const l1Clusters = layout.table - layout.l1
    const first = firstCluster(this.o, {
      size: BigInt(this.o.size),
      l1Size: this.l1.length / 8,
      l1TableOffset: l1Clusters === 0 ? 0n : BigInt(layout.l1 * this.size),
      refcountTableOffset: BigInt(layout.table * this.size),
      refcountTableClusters: layout.blocks - layout.table
    })
    if (E.isLeft(first)) return first
    if (l1Clusters > 0) yield writeAt(layout.l1 * this.size, padded(this.l1, l1Clusters * this.size))
    yield* this.allocator.writeRefcounts(layout)
    if (this.g.externalDataFile) yield { _tag: 'Truncate', file: dataFile, length: this.o.size }
    yield flush
    yield writeAt(0, first.right)
    return E.right(undefined)
  }

  private *writeZeroData(guest: number, length: number): Generator<HostWrite> {
    const zeros = new Uint8Array(Math.min(length, Math.max(this.size, 2 ** 20)))
    for (let done = 0; done < length; done += zeros.length)
      yield* this.writeData(guest + done, zeros.subarray(0, length - done))
  }

  /** Allocates host clusters that are not written, so that they may be holes. */
  private *reserve(guest: number, length: number): Generator<HostWrite> {
    for (let done = 0; done < length;) {
      const { entry, host, n } = yield* this.allocate(guest + done, length - done)
      this.putEntries(entry, n, this.normal(host, this.bitmap(0)))
      done += n * this.size
    }
  }

  private *putZeroEntries(guest: number, length: number): Generator<HostWrite> {
    const plain = { copied: false, reserved: 0n }
    const zero: L2Entry = this.g.extendedL2
      ? { _tag: 'Unallocated', ...plain, subclusters: this.bitmap(0) }
      : { _tag: 'ZeroPlain', ...plain }
    for (let done = 0; done < length;) {
      const n = yield* this.selectTable(guest + done, length - done)
      this.putEntries(this.entryOf(guest + done), n, zero)
      done += n * this.size
    }
  }

  /** Writes the L2 table, if it has entries. */
  private *writeTable(): Generator<HostWrite> {
    if (!this.used) return
    const { cluster } = yield* this.allocator.allocate(1)
    viewOf(this.l1).setBigUint64(8 * this.index, BigInt(cluster * this.size) | copiedFlag)
    yield writeAt(cluster * this.size, this.table)
    this.table = new Uint8Array(this.size)
    this.used = false
  }

  /** Goes on to the L2 table of a guest cluster; returns how many of the clusters of `length` bytes it covers. */
  private *selectTable(guest: number, length: number): Generator<HostWrite, number> {
    const coverage = l1Coverage(this.g)
    const index = Math.floor(guest / coverage)
    if (index !== this.index) yield* this.writeTable()
    this.index = index
    return Math.ceil(Math.min(length, (index + 1) * coverage - guest) / this.size)
  }

  private entryOf(guest: number): number {
    return (guest % l1Coverage(this.g)) / this.size
  }

  /** Allocates host clusters for up to `length` guest bytes. */
  private *allocate(guest: number, length: number): Generator<HostWrite, Placement> {
    const most = yield* this.selectTable(guest, length)
    const entry = this.entryOf(guest)
    if (this.g.externalDataFile) return { entry, host: guest, n: most }
    const { cluster, n } = yield* this.allocator.allocate(most)
    return { entry, host: cluster * this.size, n }
  }

  /** Subclusters: those that are allocated; over a backing file the others are zeros. */
  private bitmap(allocated: number): SubclusterBitmap {
    return { allocated, zeros: this.o.backing === undefined ? 0 : ~allocated >>> 0 }
  }

  private normal(host: number, subclusters: SubclusterBitmap): L2Entry {
    const placed = { _tag: 'Normal' as const, hostClusterOffset: BigInt(host), copied: true, reserved: 0n }
    return this.g.extendedL2 ? { ...placed, subclusters } : placed
  }

  /** Sets `n` entries from number `entry` on; each host cluster follows the one before. */
  private putEntries(entry: number, n: number, first: L2Entry): void {
    this.table.set(encodeRun(first, n, this.g), entry * l2EntrySize(this.g))
    this.used = true
  }
}
