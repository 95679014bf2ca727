/** Zeroing and discarding: guest bytes read as zeros by their L2 entries, and their host clusters are freed. */
import { equal } from '../../bytes/octets.js'
import { dataFile, type FileRef, imageFile, type Plan, onEmit } from '../../bytes/plan.js'
import { clusterSize, grainSize, subclusterSize } from '../../format/geometry.js'
import { encodeL2Entry, type L2Entry } from '../../format/l2.js'
import { maxClusterBits } from '../../format/limits.js'
import { allSubclusters } from '../../format/subcluster.js'
import { isZeroExtent, locations } from '../../image/guest/chain.js'
import { eachL2Table, entryOf, hostClusterOf, releaseEntry } from '../engine/active-tree.js'
import type { CommandState } from '../engine/command-state.js'
import { endRound } from '../engine/finish.js'
import { refcountOf } from '../engine/refcounts.js'
import { keepsEntry, maskOf, mayWrite, write } from './write.js'

/** A bitmap in which all subclusters read as zeros. @see ZD-05 */
const allZeros = { allocated: 0, zeros: allSubclusters }

const hasBacking = (w: CommandState): boolean => w.image.backing.length > 0

const isAllocated = (e: L2Entry): boolean => e._tag !== 'Unallocated' && e._tag !== 'ZeroPlain'

/** An entry without a host cluster that reads as zeros: in version 2 because there is no backing file. @see ZD-02, ZD-06 and ZD-07 */
const plain = (w: CommandState): L2Entry =>
  w.g.extendedL2
    ? { _tag: 'Unallocated', copied: false, reserved: 0n, subclusters: allZeros }
    : { _tag: w.g.version === 2 ? 'Unallocated' : 'ZeroPlain', copied: false, reserved: 0n }

/** An entry after a discard. @see ZD-03, ZD-06 and ZD-07 */
const discarded = (w: CommandState, e: L2Entry): L2Entry => (isAllocated(e) || hasBacking(w) ? plain(w) : e)

/** An entry after its whole cluster is zeroed. @see ZD-01, ZD-02, ZD-04, ZD-05, ZD-07 and ZD-12 */
const zeroed = (w: CommandState, e: L2Entry, unmap: boolean): L2Entry => {
  if (w.g.version === 2) return discarded(w, e)
  if (e._tag === 'Compressed' || (unmap && isAllocated(e))) return plain(w)
  if (w.g.extendedL2) return { ...e, subclusters: allZeros }
  if (e._tag === 'ZeroAllocated') return e
  return e._tag === 'Normal' && e.hostClusterOffset !== 0n
    ? { ...e, _tag: 'ZeroAllocated' }
    : { _tag: 'ZeroPlain', copied: e.copied, reserved: e.reserved }
}

/** Zeros for bytes `[from, to)`, in parts that end at cluster boundaries and share their memory. */
const zerosFor = (from: number, to: number): readonly (readonly [at: number, bytes: Uint8Array])[] => {
  const most = 2 ** maxClusterBits
  const zeros = new Uint8Array(Math.min(most, to - from))
  const out: (readonly [number, Uint8Array])[] = []
  for (let at = from, end = at; at < to; at = end) {
    end = Math.min(to, (Math.floor(at / most) + 1) * most)
    out.push([at, zeros.subarray(0, end - at)])
  }
  return out
}

/** Writes zeros as data. @see ZD-08 and SW-05 */
function* writeAsData(w: CommandState, from: number, to: number): Plan<void> {
  for (const [at, bytes] of zerosFor(from, to)) yield* write(w, at, bytes)
}

const isRaw = (w: CommandState): boolean => w.header.autoclearFeatures.rawExternalData

/** Writes zeros to an external data file that is the raw disk, before an entry says so. @see DATA-06 and DATA-07 */
function* zeroRawDisk(w: CommandState, from: number, to: number, unmap: boolean): Plan<void> {
  if (!isRaw(w)) return
  if (unmap) w.tx.schedule('expose', { _tag: 'Punch', file: dataFile, at: from, length: to - from })
  else for (const [at, bytes] of zerosFor(from, to)) w.tx.write('guest data', 'expose', at, bytes, dataFile)
  yield* endRound(w)
}

/**
 * Frees the space of the host clusters at these bytes, neighbours in one hole: once nothing durable points to them, or
 * together with the entries in an external data file, where nobody else uses them and old and new entries read as zeros.
 *
 * @see ORD-02, ZD-15 and ZD-16
 */
const punch = (w: CommandState, file: FileRef, hosts: readonly number[]): void => {
  const stage = file.part === 'data' ? 'expose' : w.releaseStage
  const size = clusterSize(w.g)
  const sorted = Float64Array.from(hosts).sort()
  for (let i = 0, next = 0; i < sorted.length; i = next) {
    const at = sorted[i] ?? 0
    while (sorted[next] === at + (next - i) * size) next++
    w.tx.schedule(stage, { _tag: 'Punch', file, at, length: (next - i) * size })
  }
}

/** The host offset of the cluster that is free without this entry; `undefined` if it is shared or holds payloads. */
function* freedBy(w: CommandState, e: L2Entry): Plan<number | undefined> {
  const host = hostClusterOf(e)
  if (host === undefined) return undefined
  if (w.g.externalDataFile) return host
  return (yield* refcountOf(w, host / clusterSize(w.g))) === 1n ? host : undefined
}

/**
 * Changes the entries of the guest clusters in `[from, to)`, which starts at one, an L2 table at a time. Releases what they
 * no longer refer to, and frees the space of clusters of their own.
 */
function* changeClusters(w: CommandState, from: number, to: number, change: (e: L2Entry) => L2Entry): Plan<void> {
  const size = clusterSize(w.g)
  const freed: number[] = []
  yield* eachL2Table(w, from, to, function* (table, guest, end): Plan<void> {
    const before = yield* table.entries(guest, Math.ceil((end - guest) / size))
    const after = before.map(change)
    const stays = (e: L2Entry, i: number): boolean => {
      const then = after[i] ?? e
      return then === e || equal(encodeL2Entry(e, w.g), encodeL2Entry(then, w.g))
    }
    if (before.every(stays)) return
    yield* table.put(guest, before, after)
    for (const [i, e] of before.entries()) {
      const then = after[i] ?? e
      if (!isAllocated(e) || isAllocated(then)) continue
      const host = yield* freedBy(w, e)
      if (host !== undefined) freed.push(host)
      releaseEntry(w, e)
    }
  })
  if (!isRaw(w)) punch(w, w.g.externalDataFile ? dataFile : imageFile, freed)
}

/** Zeroes the subclusters in `[from, to)` of one cluster; compressed ones become data. @see SW-05 */
function* zeroSubclusters(w: CommandState, from: number, to: number): Plan<void> {
  if (from === to) return
  const { table, entry: e } = yield* entryOf(w, from)
  if (e._tag === 'Compressed') return yield* writeAsData(w, from, to)
  const inCluster = from % clusterSize(w.g)
  const size = subclusterSize(w.g)
  const mask = maskOf(inCluster / size, Math.ceil((inCluster + to - from) / size) - 1)
  const { allocated, zeros } = e.subclusters ?? allZeros
  const zeroed = { ...e, subclusters: { allocated: (allocated & ~mask) >>> 0, zeros: (zeros | mask) >>> 0 } }
  yield* table.put(from, [e], [zeroed])
}

/** Zeroes whole grains, of which the last part of the disk is one, in their L2 entries. */
function* zeroGrains(w: CommandState, from: number, to: number, unmap: boolean): Plan<void> {
  const size = clusterSize(w.g)
  const first = Math.min(to, Math.ceil(from / size) * size)
  const last = to === w.disk.size ? to : Math.max(first, to - (to % size))
  yield* zeroRawDisk(w, from, to, unmap)
  yield* zeroSubclusters(w, from, first)
  yield* changeClusters(w, first, last, (e) => zeroed(w, e, unmap))
  yield* zeroSubclusters(w, last, to)
}

function* readsAsZeros(w: CommandState, from: number, to: number): Plan<boolean> {
  if (from === to) return true
  let zeros = true
  yield* onEmit(locations(w.chain, from, to), function* (e): Plan<void> {
    zeros &&= isZeroExtent(e)
  })
  return zeros
}

/** Zeroes whole grains or a part of one: in its L2 entry where the rest of it reads as zeros too. @see ZD-10 */
function* zeroPart(w: CommandState, from: number, to: number, unmap: boolean): Plan<void> {
  const grain = grainSize(w.g)
  const low = from - (from % grain)
  const high = Math.min(w.disk.size, Math.ceil(to / grain) * grain)
  const fits = (yield* readsAsZeros(w, low, from)) && (yield* readsAsZeros(w, to, high))
  yield* fits ? zeroGrains(w, low, high, unmap) : writeAsData(w, from, to)
}

/**
 * Makes guest bytes read as zeros. Whole clusters or subclusters become zero in their L2 entries, and keep their host
 * clusters unless `unmap`; the ends of the range may have to be written as data, and so has all of it where entries cannot
 * say zero, in version 2 over a backing file.
 *
 * @see ZD-01, ZD-08 and ZD-10
 */
export function* writeZeroes(w: CommandState, at: number, length: number, unmap: boolean): Plan<void> {
  yield* mayWrite(w, at, length)
  const end = at + length
  if (w.g.version === 2 && hasBacking(w)) return yield* writeAsData(w, at, end)
  const grain = grainSize(w.g)
  const first = Math.min(end, Math.ceil(at / grain) * grain)
  const last = end === w.disk.size ? end : Math.max(first, end - (end % grain))
  const parts = [
    [at, first],
    [first, last],
    [last, end]
  ] as const
  let changed = false
  for (const [from, to] of parts) {
    if (from === to) continue
    const keeps = w.g.extendedL2 && from !== first && (yield* keepsEntry(w, from, to))
    // Two parts may lie in one cluster, whose entry changes once a round.
    if (changed && !keeps && from % clusterSize(w.g) !== 0) yield* endRound(w)
    changed ||= !keeps
    yield* zeroPart(w, from, to, unmap)
  }
}

/**
 * Makes whole clusters read as zeros and frees their host clusters. Parts of clusters stay as they are, except the last part
 * of the disk; in version 2 over a backing file everything does. A cluster whose refcount falls to zero becomes a hole, unlike
 * QEMU's only once the change of its entry is durable; in an external data file the hole is punched together with that.
 *
 * @see ZD-03, ZD-09, ZD-11 and ORD-02
 */
export function* discard(w: CommandState, at: number, length: number): Plan<void> {
  yield* mayWrite(w, at, length)
  const size = clusterSize(w.g)
  const end = at + length
  const from = Math.ceil(at / size) * size
  const to = end === w.disk.size ? end : end - (end % size)
  if (from >= to || (w.g.version === 2 && hasBacking(w))) return
  yield* zeroRawDisk(w, from, to, true)
  yield* changeClusters(w, from, to, (e) => discarded(w, e))
}
