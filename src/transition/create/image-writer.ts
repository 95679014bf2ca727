/** Filling: a whole image in one pass over its guest disk, every host byte written once, from front to back. */
import * as E from 'fp-ts/lib/Either.js'
import { flush, type HostWrite } from '../../bytes/host-write.js'
import { type Issue, issue } from '../../bytes/issue.js'
import { viewOf } from '../../bytes/octets.js'
import type { FileRef } from '../../bytes/plan.js'
import { additionalSectors } from '../../format/compressed.js'
import {
  blockEntries,
  clusterSize,
  type Geometry,
  l1Coverage,
  l2EntrySize,
  neededL1Entries,
  subclusterSize
} from '../../format/geometry.js'
import { l2Entry, type L2Entry, type SubclusterBitmap } from '../../format/l2.js'
import { maxL1Entries, maxRefcountTable } from '../../format/limits.js'
import { allSubclusters } from '../../format/subcluster.js'
import { maxRefcount, setRefcount } from '../../format/refcount.js'
import { type CreateOptions, firstClusterOf, settled, type Settled } from './options.js'

const image: FileRef = { part: 'image', depth: 0 }
const dataFile: FileRef = { part: 'data', depth: 0 }

const copied = 1n << 63n

const tooLarge = (clause: 'L1-03' | 'REF-06', found: string, expected: string): Issue =>
  issue({ clause, phase: 'limit', source: 'qemu', structure: 'image', field: '', at: 0, size: 0, found, expected })

/** Subclusters of a cluster's bytes that are not all zeros, as a mask. */
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

/**
 * An image that is being filled. Guest clusters come in order, each at most once; those that never come are unallocated.
 * Each call answers with host writes, to be done in order before the next call.
 *
 * Host clusters are taken from front to back: data and payloads as they come, the L2 table behind the clusters it covers,
 * each refcount block as the last cluster of those it counts; at the end the L1 table, the refcount table and the blocks
 * that are left; and the header when everything else is durable. One driver owns it.
 *
 * Law: the writes of all calls, {@link end} being the last, make an image without leaks or corruptions that reads as what
 * came. Before the header is written the file is no image.
 *
 * @see GEN-04, REF-20 and CW-02
 */
export class SequentialImageWriter {
  private readonly g: Geometry
  private readonly size: number
  private readonly perBlock: number
  private readonly mostCount: number
  private readonly l1: Uint8Array
  /** The L2 table that is being filled, and the L1 entry it is for. */
  private table: Uint8Array
  private index = -1
  private used = false
  /** The refcount block of the range that `next` lies in, and the host bytes of those before it. */
  private block: Uint8Array
  private readonly blocks: number[] = []
  /** The first host cluster that is free, as are all behind it. */
  private next = 0
  /** Host byte behind the last payload, if another may follow; else 0. */
  private compressedCursor = 0
  /** How many payloads there are in the cluster of that byte. */
  private packed = 0

  private constructor(private readonly o: Settled) {
    this.g = { ...o, externalDataFile: o.dataFile !== undefined }
    this.size = clusterSize(this.g)
    this.perBlock = blockEntries(this.g)
    this.mostCount = Number(maxRefcount(o.refcountOrder))
    this.l1 = new Uint8Array(8 * Number(neededL1Entries(this.g, BigInt(o.size))))
    this.table = new Uint8Array(this.size)
    this.block = new Uint8Array(this.size)
    this.count(this.next++, 1)
  }

  /** An image with these options, or what forbids it. @see L1-03 and CR-03 */
  static of(options: CreateOptions): E.Either<readonly Issue[], SequentialImageWriter> {
    return E.chain((o: Settled) => {
      const entries = neededL1Entries({ ...o }, BigInt(o.size))
      if (entries > maxL1Entries) return E.left([tooLarge('L1-03', `${entries} L1 entries`, `at most ${maxL1Entries}`)])
      const none = { size: 0n, l1Size: 0, l1TableOffset: 0n, refcountTableOffset: 0n, refcountTableClusters: 0 }
      return E.map(() => new SequentialImageWriter(o))(firstClusterOf(o, none))
    })(settled(options))
  }

  /** Bytes of a cluster. */
  get clusterSize(): number {
    return this.size
  }

  /**
   * Guest bytes from a cluster's start on: whole clusters, or the last part of the disk. With `sparse`, subclusters of
   * zeros are not allocated.
   */
  *data(guest: number, bytes: Uint8Array, sparse = true): Generator<HostWrite> {
    for (let done = 0; done < bytes.length;) {
      const { at, host, n } = yield* this.place(guest + done, bytes.length - done)
      const part = bytes.subarray(done, done + n * this.size)
      yield { _tag: 'Write', file: this.g.externalDataFile ? dataFile : image, at: host, bytes: part }
      if (!this.g.extendedL2) this.put(at, n, this.normal(host, this.bitmap(0)))
      else
        for (let i = 0; i < n; i++) {
          const cluster = part.subarray(i * this.size, (i + 1) * this.size)
          const allocated = sparse ? dataMask(cluster, subclusterSize(this.g)) : allSubclusters
          this.put(at + i, 1, this.normal(host + i * this.size, this.bitmap(allocated)))
        }
      done += part.length
    }
  }

  /**
   * Guest clusters of zeros. They get host clusters where preallocation or a raw data file asks for them, and are made to
   * read as zeros over a backing file; else nothing has to be done. @see ZD-08, DATA-06 and RS-07
   */
  *zeros(guest: number, length: number): Generator<HostWrite> {
    const { preallocation, dataFile: data, backing, version } = this.o
    if (preallocation === 'falloc' || preallocation === 'full') yield* this.writtenZeros(guest, length)
    else if (preallocation === 'metadata' || data?.raw === true) yield* this.reserve(guest, length)
    else if (backing === undefined) return
    else if (version === 2) yield* this.writtenZeros(guest, length)
    else yield* this.plainZeros(guest, length)
  }

  /** A guest cluster as a payload, which is shorter. @see CW-02 and CMP-06 */
  *payload(guest: number, payload: Uint8Array): Generator<HostWrite> {
    yield* this.enter(guest, 1)
    const host = yield* this.appendPayload(payload.length)
    yield { _tag: 'Write', file: image, at: host, bytes: payload }
    this.put(this.entryAt(guest), 1, {
      _tag: 'Compressed',
      hostOffset: BigInt(host),
      additionalSectors: additionalSectors(BigInt(host), payload.length),
      copied: false,
      ...(this.g.extendedL2 ? { subclusters: { allocated: 0, zeros: 0 } } : {})
    })
  }

  /** Zeros as data. */
  private *writtenZeros(guest: number, length: number): Generator<HostWrite> {
    const zeros = new Uint8Array(Math.min(length, Math.max(this.size, 2 ** 20)))
    for (let done = 0; done < length; done += zeros.length)
      yield* this.data(guest + done, zeros.subarray(0, length - done))
  }

  /** Host clusters of zeros, which may be holes. */
  private *reserve(guest: number, length: number): Generator<HostWrite> {
    for (let done = 0; done < length;) {
      const { at, host, n } = yield* this.place(guest + done, length - done)
      this.put(at, n, this.normal(host, this.bitmap(0)))
      done += n * this.size
    }
  }

  /** Zeros in the entries alone. */
  private *plainZeros(guest: number, length: number): Generator<HostWrite> {
    const plain = { copied: false, reserved: 0n }
    const zero: L2Entry = this.g.extendedL2
      ? { _tag: 'Unallocated', ...plain, subclusters: this.bitmap(0) }
      : { _tag: 'ZeroPlain', ...plain }
    for (let done = 0; done < length;) {
      const n = yield* this.enter(guest + done, length - done)
      this.put(this.entryAt(guest + done), n, zero)
      done += n * this.size
    }
  }

  /** What is left to be written; refused where the image has grown too large for a refcount table. @see REF-06 */
  *end(): Generator<HostWrite, E.Either<readonly Issue[], void>> {
    yield* this.leave()
    const l1 = Math.ceil(this.l1.length / this.size)
    const start = this.next
    const { t, k } = this.room(start + l1)
    if (t * this.size > maxRefcountTable)
      return E.left([tooLarge('REF-06', `${t * this.size} bytes of refcount table`, `at most ${maxRefcountTable}`)])
    const first = firstClusterOf(this.o, {
      size: BigInt(this.o.size),
      l1Size: this.l1.length / 8,
      l1TableOffset: l1 === 0 ? 0n : BigInt(start * this.size),
      refcountTableOffset: BigInt((start + l1) * this.size),
      refcountTableClusters: t
    })
    if (E.isLeft(first)) return first
    if (l1 > 0) yield* this.write(start * this.size, this.padded(this.l1, l1))
    const table = (start + l1) * this.size
    this.next = start + l1 + t + k
    for (let i = 0, c = start; i < k; i++) {
      const range = this.blocks.length
      for (; c < Math.min(this.next, (range + 1) * this.perBlock); c++) this.count(c, 1)
      this.blocks.push((start + l1 + t + i) * this.size)
      yield* this.write(this.blocks[range] ?? 0, this.block)
      this.block = new Uint8Array(this.size)
    }
    const entries = new Uint8Array(8 * this.blocks.length)
    this.blocks.forEach((at, i) => {
      viewOf(entries).setBigUint64(8 * i, BigInt(at))
    })
    yield* this.write(table, this.padded(entries, t))
    if (this.g.externalDataFile) yield { _tag: 'Truncate', file: dataFile, length: this.o.size }
    yield flush
    yield* this.write(0, first.right)
    return E.right(undefined)
  }

  private *write(at: number, bytes: Uint8Array): Generator<HostWrite> {
    yield { _tag: 'Write', file: image, at, bytes }
  }

  private padded(bytes: Uint8Array, clusters: number): Uint8Array {
    const out = new Uint8Array(clusters * this.size)
    out.set(bytes)
    return out
  }

  private count(cluster: number, count: number): void {
    setRefcount(viewOf(this.block), this.g.refcountOrder, cluster % this.perBlock, count)
  }

  /** Clusters of the refcount table and blocks still to be placed, all of them behind cluster `from`, so that everything is counted. */
  private room(from: number): { readonly t: number; readonly k: number } {
    for (let t = 1, k = 1; ;) {
      const blocks = Math.ceil((from + t + k) / this.perBlock)
      const [moreT, moreK] = [Math.ceil((8 * blocks) / this.size), blocks - this.blocks.length]
      if (moreT <= t && moreK <= k) return { t, k }
      t = Math.max(t, moreT)
      k = Math.max(k, moreK)
    }
  }

  /** Takes up to `most` neighbouring host clusters that count 1; the last cluster of a range is its refcount block. */
  private *take(most: number): Generator<HostWrite, { readonly cluster: number; readonly n: number }> {
    const last = this.perBlock - 1
    if (this.next % this.perBlock === last) {
      this.count(this.next, 1)
      const at = this.next++ * this.size
      this.blocks.push(at)
      yield* this.write(at, this.block)
      this.block = new Uint8Array(this.size)
      this.compressedCursor = 0
    }
    const cluster = this.next
    const n = Math.min(most, last - (cluster % this.perBlock))
    for (let i = 0; i < n; i++) this.count(cluster + i, 1)
    this.next += n
    return { cluster, n }
  }

  /** Writes the L2 table, if there is anything in it. */
  private *leave(): Generator<HostWrite> {
    if (!this.used) return
    const { cluster } = yield* this.take(1)
    viewOf(this.l1).setBigUint64(8 * this.index, BigInt(cluster * this.size) | copied)
    yield* this.write(cluster * this.size, this.table)
    this.table = new Uint8Array(this.size)
    this.used = false
  }

  /** Goes to the L2 table of a guest cluster; tells how many of the clusters of `length` bytes it covers. */
  private *enter(guest: number, length: number): Generator<HostWrite, number> {
    const coverage = l1Coverage(this.g)
    const index = Math.floor(guest / coverage)
    if (index !== this.index) yield* this.leave()
    this.index = index
    return Math.ceil(Math.min(length, (index + 1) * coverage - guest) / this.size)
  }

  private entryAt(guest: number): number {
    return (guest % l1Coverage(this.g)) / this.size
  }

  /** A place for clusters of up to `length` guest bytes: their first entry, their first host byte and their number. */
  private *place(
    guest: number,
    length: number
  ): Generator<HostWrite, { readonly at: number; readonly host: number; readonly n: number }> {
    const most = yield* this.enter(guest, length)
    const at = this.entryAt(guest)
    if (this.g.externalDataFile) return { at, host: guest, n: most }
    const { cluster, n } = yield* this.take(most)
    return { at, host: cluster * this.size, n }
  }

  /** Bytes for a payload. */
  private *appendPayload(length: number): Generator<HostWrite, number> {
    const inCluster = this.compressedCursor % this.size
    const more = this.compressedCursor !== 0 && this.packed < this.mostCount
    const old = Math.floor(this.compressedCursor / this.size)
    const fits = more && this.size - inCluster >= length
    let at = this.compressedCursor
    if (!fits) {
      const { cluster } = yield* this.take(1)
      const follows = more && this.compressedCursor !== 0 && cluster === old + 1
      if (follows) this.count(old, this.packed + 1)
      else at = cluster * this.size
      this.packed = 1
    } else this.count(old, ++this.packed)
    const end = at + length
    this.compressedCursor = end % this.size === 0 ? 0 : end
    return at
  }

  /** Subclusters: those that are allocated, and the others, which have to be zeros over a backing file. */
  private bitmap(allocated: number): SubclusterBitmap {
    return { allocated, zeros: this.o.backing === undefined ? 0 : ~allocated >>> 0 }
  }

  private normal(host: number, subclusters: SubclusterBitmap): L2Entry {
    const placed = { _tag: 'Normal' as const, hostClusterOffset: BigInt(host), copied: true, reserved: 0n }
    return this.g.extendedL2 ? { ...placed, subclusters } : placed
  }

  /** Puts `n` entries from entry `at` on: the host cluster of each is the one behind that of the entry before. */
  private put(at: number, n: number, entry: L2Entry): void {
    const stride = l2EntrySize(this.g)
    const bytes = l2Entry(this.g).encode(entry)
    const step = 'hostClusterOffset' in entry ? BigInt(this.size) : 0n
    const view = viewOf(this.table)
    let word = viewOf(bytes).getBigUint64(0)
    for (let i = at; i < at + n; i++, word += step) {
      this.table.set(bytes, i * stride)
      view.setBigUint64(i * stride, word)
    }
    this.used = true
  }
}
