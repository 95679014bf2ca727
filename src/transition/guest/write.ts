/** Writing guest bytes: in place where nobody shares the cluster, else into a new one with what surrounds them. */
import { concat } from '../../bytes/octets.js'
import { type Plan } from '../../bytes/plan.js'
import { clusterSize, grainSize, subclusterSize } from '../../format/geometry.js'
import type { L2Entry } from '../../format/l2.js'
import { subclusters } from '../../format/limits.js'
import { subclusterAt } from '../../format/subcluster.js'
import { type Chain, chainSize } from '../../image/guest/chain.js'
import { readGuest } from '../../image/guest/read.js'
import { allocate, type Run } from '../engine/allocate.js'
import { refuse, type Work } from '../engine/work.js'
import { eachTable, entryOf, hostClusterOf, type L2Table, releaseEntry } from '../engine/l2-tables.js'
import type { Stage } from '../engine/transaction.js'

/** What a write does to one guest cluster. Offsets count from the cluster's start, in bytes. */
interface Target {
  /** Guest byte at which the cluster starts. */
  readonly guest: number
  readonly table: L2Table
  readonly entry: L2Entry
  /** The bytes the command names: `[from, to)`. */
  readonly from: number
  readonly to: number
}

/** What of a cluster is written: `[start, end)`, which is seen at once where it lies in `seen` subclusters. */
interface Patch {
  readonly start: number
  readonly end: number
  /** The entry afterwards; the same one where nothing changes. */
  readonly entry: L2Entry
}

/** Whether the entry has a cluster of the host to itself. With an external data file every cluster is its own. @see WR-01 and DATA-03 */
const isOwn = (w: Work, e: L2Entry): boolean =>
  (e._tag === 'Normal' || e._tag === 'ZeroAllocated') && (e.copied || w.g.externalDataFile)

/** Subclusters `[first, last]` as a mask of 32 bits. */
export const maskOf = (first: number, last: number): number =>
  ((last === subclusters - 1 ? 0 : -1 << (last + 1)) ^ (-1 << first)) >>> 0

/** The subclusters that a range of a cluster touches. */
const touched = (w: Work, from: number, to: number): { readonly first: number; readonly last: number } => ({
  first: Math.floor(from / subclusterSize(w.g)),
  last: Math.floor((to - 1) / subclusterSize(w.g))
})

const normal = (w: Work, host: number, old: L2Entry, allocated: number): L2Entry => ({
  _tag: 'Normal',
  hostClusterOffset: BigInt(host),
  copied: true,
  reserved: 0n,
  ...(w.g.extendedL2
    ? {
        subclusters: {
          allocated: ((old._tag === 'Compressed' ? 0 : (old.subclusters?.allocated ?? 0)) | allocated) >>> 0,
          zeros: ((old._tag === 'Compressed' ? 0 : (old.subclusters?.zeros ?? 0)) & ~allocated) >>> 0
        }
      }
    : {})
})

/** What is written to a cluster that stays where it is. @see WR-06 and SW-03 */
const inPlace = (w: Work, { entry, from, to }: Target, host: number): Patch => {
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
export function* keepsEntry(w: Work, from: number, to: number): Plan<boolean> {
  const { entry } = yield* entryOf(w, from)
  const start = from - (from % clusterSize(w.g))
  const { first, last } = touched(w, from - start, to - start)
  const all = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return isOwn(w, entry) && all.every((i) => subclusterAt(entry, i) === 'data')
}

/** What is written to a new cluster. @see WR-05, SW-01, SW-02 and SW-04 */
const inNew = (w: Work, { entry, from, to }: Target, host: number): Patch => {
  if (!w.g.extendedL2 || entry._tag === 'Compressed')
    return { start: 0, end: clusterSize(w.g), entry: normal(w, host, entry, maskOf(0, subclusters - 1)) }
  const kept = entry.subclusters?.allocated ?? 0
  const { first, last } = touched(w, from, to)
  const low = kept === 0 ? first : Math.min(first, 31 - Math.clz32(kept & -kept))
  const high = kept === 0 ? last : Math.max(last, 31 - Math.clz32(kept))
  const size = subclusterSize(w.g)
  return { start: low * size, end: (high + 1) * size, entry: normal(w, host, entry, maskOf(low, high)) }
}

/** Guest bytes as they are, zeros behind the end of the disk. */
function* guestBytes(w: Work, chain: Chain, from: number, to: number): Plan<Uint8Array> {
  const end = Math.min(to, chainSize(chain))
  if (end === to) return yield* readGuest(chain, from, to - from, w.opened.decompressor)
  const out = new Uint8Array(to - from)
  if (end > from) out.set(yield* readGuest(chain, from, end - from, w.opened.decompressor))
  return out
}

/** Writes part of a guest cluster to its place in the host. */
const place = (w: Work, stage: Stage, host: number, bytes: Uint8Array): void =>
  w.tx.write('guest data', stage, host, bytes, { part: w.g.externalDataFile ? 'data' : 'image', depth: 0 })

/** Whether what stands at byte `at` of a cluster is seen through its entry. */
const isSeen = (w: Work, e: L2Entry, at: number): boolean =>
  w.g.extendedL2 ? subclusterAt(e, Math.floor(at / subclusterSize(w.g))) === 'data' : e._tag === 'Normal'

/** Writes the bytes of a patch: what is seen at once when it is exposed, the rest before. */
const placeParts = (w: Work, host: number, start: number, bytes: Uint8Array, old: L2Entry): void => {
  const step = grainSize(w.g)
  const end = start + bytes.length
  for (let at = start, next = at; at < end; at = next) {
    const seen = isSeen(w, old, at)
    next = Math.min(end, (Math.floor(at / step) + 1) * step)
    while (next < end && isSeen(w, old, next) === seen) next = Math.min(end, next + step)
    place(w, seen ? 'expose' : 'prepare', host + at, bytes.subarray(at - start, next - start))
  }
}

/** The host cluster of an entry that stays in place; with an external data file it must be the guest's own. @see DATA-04 */
export function* hostOf(w: Work, guest: number, e: L2Entry): Plan<number> {
  const host = hostClusterOf(e) ?? 0
  if (w.g.externalDataFile && host !== guest)
    return yield* refuse<number>('DATA-04', `0x${host.toString(16)}`, `the guest offset, 0x${guest.toString(16)}`, {
      structure: 'L2 entry'
    })
  return host
}

function* writeCluster(w: Work, chain: Chain, t: Target, bytes: Uint8Array, fresh: number | undefined): Plan<void> {
  const own = fresh === undefined
  const host = fresh ?? (yield* hostOf(w, t.guest, t.entry))
  const patch = own ? inPlace(w, t, host) : inNew(w, t, host)
  const head = yield* guestBytes(w, chain, t.guest + patch.start, t.guest + Math.max(patch.start, t.from))
  const tail = yield* guestBytes(w, chain, t.guest + t.to, t.guest + Math.max(patch.end, t.to))
  const whole = head.length + tail.length === 0 ? bytes : concat([head, bytes, tail])
  if (own) placeParts(w, host, patch.start, whole, t.entry)
  else place(w, 'prepare', host + patch.start, whole)
  if (patch.entry === t.entry) return
  yield* t.table.put(t.guest, [t.entry], [patch.entry])
  if (!own) releaseEntry(w, t.entry)
}

/** The clusters that guest bytes `[at, at + length)` touch, with their entries. */
function* targetsOf(w: Work, at: number, length: number): Plan<readonly Target[]> {
  const size = clusterSize(w.g)
  const out: Target[] = []
  yield* eachTable(w, at - (at % size), at + length, function* (table, first, end): Plan<void> {
    const entries = yield* table.entries(first, Math.ceil((end - first) / size))
    for (const [i, entry] of entries.entries()) {
      const guest = first + i * size
      out.push({ guest, table, entry, from: Math.max(at - guest, 0), to: Math.min(at + length - guest, size) })
    }
  })
  return out
}

/** Refuses to put guest bytes into an encrypted disk. @see LUKS-08 */
export function* mayEncode(w: Work): Plan<void> {
  if (w.disk.encrypted)
    yield* refuse('LUKS-08', 'an encrypted disk', 'one that can be written without a key', {
      structure: 'header',
      field: 'crypt_method'
    })
}

/** Refuses what reaches past the end of the disk, and every guest write to an encrypted one. @see RD-01 and LUKS-08 */
export function* mayWrite(w: Work, at: number, length: number): Plan<void> {
  const { size } = w.disk
  yield* mayEncode(w)
  if (at < 0 || at + length > size)
    yield* refuse('RD-01', `guest bytes ${at} to ${at + length}`, `bytes of the disk, 0 to ${size}`)
}

/**
 * Writes guest bytes at any byte offset within the disk. Clusters that are not the disk's own are replaced by new ones,
 * the lowest that are free; what surrounds the bytes is copied.
 *
 * @see WR-01 and ORD-04
 */
export function* write(w: Work, at: number, bytes: Uint8Array): Plan<void> {
  yield* mayWrite(w, at, bytes.length)
  yield* writeBytes(w, at, bytes)
}

/** Writes guest bytes that its L1 table covers; what surrounds them is the chain's, and zeros behind the end of its disk. */
export function* writeBytes(w: Work, at: number, bytes: Uint8Array, chain: Chain = w.chain): Plan<void> {
  if (bytes.length === 0) return
  const targets = yield* targetsOf(w, at, bytes.length)
  let missing = targets.filter((t) => !isOwn(w, t.entry)).length
  let run: Run = { cluster: 0, n: 0 }
  for (const t of targets) {
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
