/** Guest writes: in place where the host cluster is the disk's own, else into a new one with the bytes around them. */
import { concat } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { clusterSize, grainSize, l1Coverage, subclusterSize } from '../../format/geometry.js'
import { headerPlaces } from '../../format/header.js'
import type { L2Entry } from '../../format/l2.js'
import { subclusters } from '../../format/limits.js'
import { subclusterAt } from '../../format/subcluster.js'
import type { Chain } from '../../image/guest/chain.js'
import { readPadded } from '../../image/guest/read.js'
import { vmStateOffset } from '../../image/guest/vm-state.js'
import {
  eachL2Table,
  entryOf,
  growL1,
  hostClusterOf,
  isPlaced,
  noSubclusters,
  type WritableL2Table,
  releaseEntry
} from '../engine/active-tree.js'
import { allocate, type ClusterRun } from '../engine/allocate.js'
import type { CommandState } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'
import type { Stage } from '../engine/stages.js'

/** The part of a write that lies in one guest cluster. Offsets count from the start of the cluster, in bytes. */
interface ClusterWrite {
  /** The guest byte at which the cluster starts. */
  readonly guest: number
  readonly table: WritableL2Table
  readonly entry: L2Entry
  /** The bytes that the command names: `[from, to)`. */
  readonly from: number
  readonly to: number
}

/** The change of a cluster: its bytes `[start, end)` are written, and its entry becomes another one. */
interface ClusterChange {
  readonly start: number
  readonly end: number
  /** The same object where the entry stays. */
  readonly entry: L2Entry
}

/** Whether an entry has a host cluster of its own; with an external data file every one is. @see WR-01 and DATA-03 */
const isOwn = (w: CommandState, e: L2Entry): boolean => isPlaced(e) && (e.copied || w.g.externalDataFile)

/** Subclusters `[first, last]` as a mask of 32 bits. */
export const maskOf = (first: number, last: number): number =>
  ((last === subclusters - 1 ? 0 : -1 << (last + 1)) ^ (-1 << first)) >>> 0

/** The subclusters that a range of a cluster touches. */
const touched = (w: CommandState, from: number, to: number): { readonly first: number; readonly last: number } => ({
  first: Math.floor(from / subclusterSize(w.g)),
  last: Math.floor((to - 1) / subclusterSize(w.g))
})

/** The entry of a cluster at a host offset, in which the subclusters of a mask are allocated beside those of the old entry. */
const normal = (w: CommandState, host: number, old: L2Entry, allocated: number): L2Entry => {
  const before = (old._tag === 'Compressed' ? undefined : old.subclusters) ?? noSubclusters
  const subclusters = {
    allocated: (before.allocated | allocated) >>> 0,
    zeros: (before.zeros & ~allocated) >>> 0
  }
  return {
    _tag: 'Normal',
    hostClusterOffset: BigInt(host),
    copied: true,
    reserved: 0n,
    ...(w.g.extendedL2 ? { subclusters } : {})
  }
}

/** The change of a cluster that keeps its place. @see WR-06 and SW-03 */
const inPlace = (w: CommandState, { entry, from, to }: ClusterWrite, host: number): ClusterChange => {
  if (!w.g.extendedL2)
    return entry._tag === 'Normal'
      ? { start: from, end: to, entry }
      : { start: 0, end: clusterSize(w.g), entry: normal(w, host, entry, 0) }
  const { first, last } = touched(w, from, to)
  const size = subclusterSize(w.g)
  return {
    start: subclusterAt(entry, first) === 'data' ? from : first * size,
    end: subclusterAt(entry, last) === 'data' ? to : (last + 1) * size,
    entry: normal(w, host, entry, maskOf(first, last))
  }
}

/** Whether guest bytes of one cluster can be written without a change of its entry. */
export function* keepsEntry(w: CommandState, from: number, to: number): Plan<boolean> {
  const { entry } = yield* entryOf(w, from)
  const start = from - (from % clusterSize(w.g))
  const { first, last } = touched(w, from - start, to - start)
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return isOwn(w, entry) && all.every((i) => subclusterAt(entry, i) === 'data')
}

/** The change of a cluster that gets a new place. @see WR-05, SW-01, SW-02 and SW-04 */
const inNew = (w: CommandState, { entry, from, to }: ClusterWrite, host: number): ClusterChange => {
  if (!w.g.extendedL2 || entry._tag === 'Compressed')
    return { start: 0, end: clusterSize(w.g), entry: normal(w, host, entry, maskOf(0, subclusters - 1)) }
  const kept = entry.subclusters?.allocated ?? 0
  const { first, last } = touched(w, from, to)
  const low = kept === 0 ? first : Math.min(first, 31 - Math.clz32(kept & -kept))
  const high = kept === 0 ? last : Math.max(last, 31 - Math.clz32(kept))
  const size = subclusterSize(w.g)
  return { start: low * size, end: (high + 1) * size, entry: normal(w, host, entry, maskOf(low, high)) }
}

/** Writes bytes of a guest cluster to their place in the host. */
const place = (w: CommandState, stage: Stage, host: number, bytes: Uint8Array): void =>
  w.tx.write('guest data', stage, host, bytes, { part: w.g.externalDataFile ? 'data' : 'image', depth: 0 })

/** Whether the guest reads the host byte at `at` of a cluster through its entry. */
const isSeen = (w: CommandState, e: L2Entry, at: number): boolean =>
  w.g.extendedL2 ? subclusterAt(e, Math.floor(at / subclusterSize(w.g))) === 'data' : e._tag === 'Normal'

/** Writes bytes of a cluster that keeps its place: those that the guest sees with `expose`, the others before. */
const placeInPlace = (w: CommandState, host: number, start: number, bytes: Uint8Array, old: L2Entry): void => {
  const step = grainSize(w.g)
  const end = start + bytes.length
  for (let at = start, next = at; at < end; at = next) {
    const seen = isSeen(w, old, at)
    next = Math.min(end, (Math.floor(at / step) + 1) * step)
    while (next < end && isSeen(w, old, next) === seen) next = Math.min(end, next + step)
    place(w, seen ? 'expose' : 'prepare', host + at, bytes.subarray(at - start, next - start))
  }
}

/** Writes one cluster: in place, or at host byte `fresh` where that is given. */
function* writeCluster(
  w: CommandState,
  chain: Chain,
  t: ClusterWrite,
  bytes: Uint8Array,
  fresh: number | undefined
): Plan<void> {
  const own = fresh === undefined
  const host = fresh ?? hostClusterOf(t.entry) ?? 0
  const { start, end, entry } = own ? inPlace(w, t, host) : inNew(w, t, host)
  const { decompressor } = w.image
  const head = yield* readPadded(chain, t.guest + start, Math.max(0, t.from - start), decompressor)
  const tail = yield* readPadded(chain, t.guest + t.to, Math.max(0, end - t.to), decompressor)
  const whole = head.length + tail.length === 0 ? bytes : concat([head, bytes, tail])
  if (own) placeInPlace(w, host, start, whole, t.entry)
  else place(w, 'prepare', host + start, whole)
  if (entry === t.entry) return
  yield* t.table.put(t.guest, [t.entry], [entry])
  if (!own) releaseEntry(w, t.entry)
}

/** The parts of a write of guest bytes `[at, at + length)`, cluster by cluster. */
function* clusterWrites(w: CommandState, at: number, length: number): Plan<readonly ClusterWrite[]> {
  const size = clusterSize(w.g)
  const out: ClusterWrite[] = []
  yield* eachL2Table(w, at - (at % size), at + length, function* (table, first, end): Plan<void> {
    const entries = yield* table.entries(first, Math.ceil((end - first) / size), w.g.extendedL2)
    for (const [i, entry] of entries.entries()) {
      const guest = first + i * size
      out.push({ guest, table, entry, from: Math.max(at - guest, 0), to: Math.min(at + length - guest, size) })
    }
  })
  return out
}

/** Refuses guest bytes for an encrypted disk. @see LUKS-08 */
export function* mayEncode(w: CommandState): Plan<void> {
  if (w.disk.encrypted)
    yield* refuse('LUKS-08', 'an encrypted disk', 'one that can be written without a key', {
      ...headerPlaces.placeOf('cryptMethod', w.header)
    })
}

/** Refuses a guest write past the end of the disk, and every one to an encrypted disk. @see RD-01 and LUKS-08 */
export function* mayWrite(w: CommandState, at: number, length: number): Plan<void> {
  const { size } = w.disk
  yield* mayEncode(w)
  if (at < 0 || at + length > size)
    yield* refuse('RD-01', `guest bytes ${at} to ${at + length}`, `bytes of the disk, 0 to ${size}`)
}

/**
 * Writes guest bytes anywhere within the disk. A cluster that is not the disk's own is replaced by a new one, the lowest
 * that is free, and the bytes around the written ones are copied.
 *
 * @see WR-01 and ORD-04
 */
export function* write(w: CommandState, at: number, bytes: Uint8Array): Plan<void> {
  yield* mayWrite(w, at, bytes.length)
  yield* writeBytes(w, at, bytes)
}

/** Writes guest bytes that the L1 table covers. The bytes around them are the chain's, and zeros past the end of its disk. */
export function* writeBytes(w: CommandState, at: number, bytes: Uint8Array, chain: Chain = w.chain): Plan<void> {
  if (bytes.length === 0) return
  const parts = yield* clusterWrites(w, at, bytes.length)
  let missing = parts.filter((t) => !isOwn(w, t.entry)).length
  let run: ClusterRun = { cluster: 0, n: 0 }
  for (const t of parts) {
    const part = bytes.subarray(t.guest + t.from - at, t.guest + t.to - at)
    if (isOwn(w, t.entry)) yield* writeCluster(w, chain, t, part, undefined)
    else if (w.g.externalDataFile) yield* writeCluster(w, chain, t, part, t.guest)
    else {
      yield* t.table.writable()
      if (run.n === 0) run = yield* allocate(w, 1, missing)
      yield* writeCluster(w, chain, t, part, run.cluster * clusterSize(w.g))
      run = { cluster: run.cluster + 1, n: run.n - 1 }
      missing--
    }
  }
}

/**
 * Writes VM state from its byte `position` on, which is past the guest disk in the active tree. The L1 table grows as far as
 * it takes; the guest sees nothing of it.
 *
 * @see SNAP-12 and RS-02
 */
export function* writeVmState(w: CommandState, position: number, bytes: Uint8Array): Plan<void> {
  yield* mayEncode(w)
  if (bytes.length === 0) return
  const at = vmStateOffset(w.g, w.disk.size) + position
  const end = at + bytes.length
  if (!Number.isSafeInteger(end))
    yield* refuse('L1-03', `VM state at byte ${position}`, 'an exact number of bytes', { phase: 'limit' })
  yield* growL1(w, Math.ceil(end / l1Coverage(w.g)))
  const tree: Chain = [{ _tag: 'Image', disk: { ...w.disk, size: w.l1.entries * l1Coverage(w.g) } }]
  yield* writeBytes(w, at, bytes, tree)
}
