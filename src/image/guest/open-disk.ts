/** Open disks: a chain that is read in many small reads, with the tables and clusters used last in memory. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { LastUsed } from '../../bytes/last-used.js'
import {
  bytesOf,
  failWith,
  type FileRef,
  Memory,
  type Plan,
  readOver,
  runSync,
  type SyncWorld
} from '../../bytes/plan.js'
import { copy, empty } from '../../bytes/octets.js'
import { clusterSize } from '../../format/geometry.js'
import type { Decompressor } from '../../compression/decompress.js'
import { type Chain, chainSize, fileOf, isZeroExtent, type LocatedExtent } from './chain.js'
import { Locator } from './locator.js'
import { extentBytes } from './read.js'

/** How much an open disk keeps in memory. */
export interface CacheSizes {
  /** Bytes of L2 tables; 8 MiB unless given. At least 64 KiB are kept for each layer. */
  readonly tables: number
  /** Bytes of decompressed clusters; 8 MiB unless given. At least one cluster is kept. */
  readonly clusters: number
}

const usualSizes: CacheSizes = { tables: 2 ** 23, clusters: 2 ** 23 }

/** Bytes that are read ahead where reads follow each other. */
const aheadSize = 2 ** 17

/** Stored guest bytes that were read ahead. */
interface Ahead {
  readonly at: number
  readonly end: number
  readonly bytes: Uint8Array
}

const nothingAhead: Ahead = { at: 0, end: 0, bytes: empty }

/**
 * A guest disk that is open for reading. It keeps every L1 table that it has read, and the L2 tables and decompressed
 * clusters used last; small reads that follow each other are read ahead. Its files must not change. One plan of it is run
 * at a time.
 *
 * Law: each read ends as `readGuest` of the same bytes does, but for which issue comes first where there are several.
 */
export class OpenDisk {
  /** Bytes of the disk. */
  readonly size: number
  private readonly files: readonly FileRef[]
  /** Bytes of a cluster of each layer. */
  private readonly sizes: readonly number[]
  private readonly locator: Locator
  private readonly clusters: LastUsed<Uint8Array>
  private readonly memory = new Memory()
  private ahead = nothingAhead
  /** Where the last read ended. */
  private end = -1

  /** See {@link openDisk}. */
  constructor(
    private readonly chain: Chain,
    private readonly decompressor: Decompressor,
    { tables, clusters }: CacheSizes
  ) {
    this.size = chainSize(chain)
    this.files = chain.map(fileOf)
    this.locator = new Locator(chain, tables)
    this.sizes = chain.map((layer) => (layer._tag === 'Image' ? clusterSize(layer.disk.g) : 1))
    this.clusters = new LastUsed(Math.floor(clusters / Math.max(...this.sizes)))
  }

  /**
   * Guest bytes `[at, at + length)`; the range lies within the disk. Fails where an entry or a payload cannot be followed,
   * by clause and byte offset.
   *
   * @param into what the bytes are put in, of this length; memory of their own unless given
   * @see RD-01 and RD-08
   */
  *read(at: number, length: number, into?: Uint8Array): Plan<Uint8Array> {
    return this.takeAhead(at, length, into) ?? (yield* this.requested(at, into ?? new Uint8Array(length)))
  }

  /** Fills the memory with guest bytes from `at` on. */
  private *requested(at: number, into: Uint8Array): Plan<Uint8Array> {
    const { length } = into
    const end = at + length
    const reach = at === this.end ? Math.max(end, Math.min(this.size, at + aheadSize)) : end
    for (let here = at; here < end;) {
      const e = this.locator.find(here, reach)
      if (e.kind === 'wanted') {
        e.keep(yield* readOver(new Uint8Array(e.length), e.at, e.file))
        continue
      }
      if (e.kind === 'refused') return yield* failWith(e.issues)
      const to = Math.min(end, here + e.length)
      const place = to - here === length ? into : into.subarray(here - at, to - at)
      if (isZeroExtent(e)) place.fill(0)
      else {
        const bytes = e.kind === 'data' ? yield* this.stored(e, place) : yield* this.compressed(e, to)
        if (bytes !== place) place.set(bytes)
      }
      here = to
    }
    this.end = end
    return into
  }

  /**
   * The same, at once, in a world that answers at once. What is in memory is taken from there without a request.
   *
   * @param into what the bytes are put in, of this length; memory of their own unless given
   */
  readSync(
    world: SyncWorld<never>,
    at: number,
    length: number,
    into?: Uint8Array
  ): E.Either<readonly Issue[], Uint8Array>
  readSync<L>(
    world: SyncWorld<never, L>,
    at: number,
    length: number,
    into?: Uint8Array
  ): E.Either<readonly Issue[] | L, Uint8Array>
  readSync<L>(
    world: SyncWorld<never, L>,
    at: number,
    length: number,
    into?: Uint8Array
  ): E.Either<readonly Issue[] | L, Uint8Array> {
    const ahead = this.takeAhead(at, length, into)
    if (ahead !== undefined) return E.right(ahead)
    return runSync(this.requested(at, into ?? new Uint8Array(length)), world)
  }

  /** Bytes that were read ahead, if they were. */
  private takeAhead(at: number, length: number, into: Uint8Array | undefined): Uint8Array | undefined {
    const { ahead } = this
    const [from, end] = [at - ahead.at, at + length]
    if (from < 0 || end > ahead.end) return undefined
    this.end = end
    if (into === undefined) return copy(ahead.bytes.subarray(from, from + length))
    into.set(ahead.bytes.subarray(from, from + length))
    return into
  }

  /** The first bytes of stored data, in this place; all of the extent is read, and what is past the place is kept. */
  private *stored(e: LocatedExtent, place: Uint8Array): Plan<Uint8Array> {
    const isAhead = e.length > place.length
    if (isAhead) this.ahead = nothingAhead
    const into = isAhead ? this.memory.take(e.length) : place
    const { depth, host = 0, start, length } = e
    const layer = this.chain[depth]
    const bytes =
      layer?._tag === 'Image' && layer.disk.encrypted
        ? ((yield* extentBytes(this.chain, e, start, start + length, this.decompressor, into)) ?? into.fill(0))
        : bytesOf(yield { _tag: 'Read', file: this.files[depth] ?? fileOf(layer, depth), at: host, length, into })
    if (!isAhead) return bytes
    this.ahead = { at: start, end: start + length, bytes }
    return bytes.subarray(0, place.length)
  }

  /** The bytes of a compressed extent up to guest byte `to`. */
  private *compressed(e: LocatedExtent, to: number): Plan<Uint8Array> {
    const size = this.sizes[e.depth] ?? 1
    const number = Math.floor(e.start / size)
    const start = number * size
    const key = number * this.chain.length + e.depth
    const kept = this.clusters.get(key)
    if (kept !== undefined) return kept.subarray(e.start - start, to - start)
    const whole = { ...e, start, length: size, skipped: 0 }
    const cluster = (yield* extentBytes(this.chain, whole, start, start + size, this.decompressor)) ?? empty
    this.clusters.add(key, cluster)
    return cluster.subarray(e.start - start, to - start)
  }
}

/**
 * Opens the disk of a chain for many small reads. It reads nothing yet, and runs in every world: `read` is a plan, `readSync`
 * reads at once.
 *
 * @see RD-01 and RD-08
 * @example
 * import { fromMemory, openDisk, portable, runSync } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const disk = openDisk([{ _tag: 'Raw', size: 3 }], portable)
 * const world = { read: fromMemory(Uint8Array.of(1, 2, 3)) }
 * assert.deepEqual(disk.readSync(world, 1, 4), { _tag: 'Right', right: Uint8Array.of(2, 3, 0, 0) })
 * assert.deepEqual(runSync(disk.read(0, 1), world), { _tag: 'Right', right: Uint8Array.of(1) })
 */
export const openDisk = (chain: Chain, decompressor: Decompressor, sizes: Partial<CacheSizes> = {}): OpenDisk =>
  new OpenDisk(chain, decompressor, { ...usualSizes, ...sizes })
