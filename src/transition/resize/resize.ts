/** Resizing the disk: what it gains reads as zeros, and what it loses is given back. */
import type { Preallocation } from '../../../spec/disk.js'
import { type Plan } from '../../bytes/plan.js'
import { clusterSize, l2Entries, neededL1Entries, subclusterSize } from '../../format/geometry.js'
import { sectorSize, subclusters } from '../../format/limits.js'
import { chainSize } from '../../image/guest/chain.js'
import { readGuest } from '../../image/guest/read.js'
import { endRound } from '../engine/finish.js'
import { drop } from '../guest/guest-range.js'
import { resizeBitmaps } from '../bitmaps/bitmaps.js'
import { growL1 } from '../engine/l1-table.js'
import { refuse, type Work } from '../engine/work.js'
import { growDataFile, preallocate, writesZeros } from '../guest/preallocate.js'
import { changeCounts, countedEnd, dropEmptyBlocks } from '../engine/refcounts.js'
import { entryOf } from '../engine/l2-tables.js'
import { surplus } from '../engine/tree.js'
import { maskOf, mayEncode, writeBytes } from '../guest/write.js'

/** Bytes of the disk behind the image; 0 where there is none. */
const backingSize = (w: Work): number => {
  const [first, ...rest] = w.opened.backing
  return first === undefined ? 0 : chainSize([first, ...rest])
}

/** Zeros written where guest bytes `[from, to)` of one cluster are behind the end of the disk and do not read as zeros. */
function* zero(w: Work, from: number, to: number, always: boolean): Plan<void> {
  if (from >= to) return
  const was = yield* readGuest(w.chain, from, to - from, w.opened.decompressor)
  if (!always && was.every((b) => b === 0)) return
  yield* mayEncode(w)
  yield* writeBytes(w, from, new Uint8Array(to - from))
}

/**
 * Makes guest bytes from the end of the disk to byte `to` read as zeros, all of them in its last cluster. There is old data
 * if the disk was once larger, and with `hidden` the backing file's. It is overwritten, but without `written` for whole
 * subclusters, which have a bit that says so. @see RS-03 and RS-06
 */
function* zeroTail(w: Work, to: number, hidden: boolean, written: boolean): Plan<void> {
  const end = w.disk.size
  const guest = end - (end % clusterSize(w.g))
  if (end === guest) return
  const { entry } = yield* entryOf(w, guest)
  const step = subclusterSize(w.g)
  const bits = w.g.extendedL2 && entry._tag !== 'Compressed' && !(hidden && written)
  const whole = bits ? Math.min(to, Math.ceil(end / step) * step) : to
  yield* zero(w, end, whole, hidden)
  if (whole >= to) return
  const mask = maskOf((whole - guest) / step, Math.min(subclusters, Math.ceil((to - guest) / step)) - 1)
  const { table, entry: old } = yield* entryOf(w, guest)
  const { allocated, zeros } = old.subclusters ?? { allocated: 0, zeros: 0 }
  if (!hidden && (allocated & mask) === 0) return
  const bitmap = { allocated: (allocated & ~mask) >>> 0, zeros: (zeros | mask) >>> 0 }
  yield* table.put(guest, [old], [{ ...old, subclusters: bitmap }])
}

/** Changes the size of the disk, which its L1 table covers, and of its bitmaps. @see RS-01 */
function* putSize(w: Work, size: number): Plan<void> {
  yield* resizeBitmaps(w, size)
  yield* w.changeHeader('expose', { size: BigInt(size) })
}

/**
 * Makes the disk larger. What it gains is made to read as zeros while nobody sees it: the last cluster's tail, what VM
 * state lay behind the end (RS-08: it does not move), and what the backing file would show. The size comes last.
 *
 * @see RS-02, ORD-06, RS-03, RS-07 and DATA-08
 */
export function* grow(w: Work, size: number, asked: Preallocation = 'off'): Plan<void> {
  const bytes = clusterSize(w.g)
  const old = w.disk.size
  const hidden = backingSize(w) > old
  const [from, to] = [Math.ceil(old / bytes), Math.ceil(size / bytes)]
  const raw = w.header.autoclearFeatures.rawExternalData
  const mode = raw && asked === 'off' ? 'metadata' : asked
  const written = writesZeros(w, mode)
  if (hidden && !written && w.g.version === 2 && from < to)
    yield* refuse('RS-03', `a backing file of ${backingSize(w)} bytes`, `at most the ${old} bytes of the disk`)
  if (mode !== 'off') yield* mayEncode(w)
  yield* growL1(w, Number(neededL1Entries(w.g, BigInt(size))))
  yield* zeroTail(w, Math.min(size, from * bytes), hidden, written)
  const gone = yield* drop(w, from, to)
  yield* preallocate(w, yield* firstToAllocate(w), to, mode, hidden)
  if (w.g.externalDataFile && mode !== 'off') growDataFile(w, old, size, mode)
  yield* changeCounts(w, surplus(gone, -1), w.releaseStage)
  yield* growL1(w, Number(neededL1Entries(w.g, BigInt(size))))
  yield* endRound(w)
  if (w.g.externalDataFile && mode === 'off') growDataFile(w, old, size, mode)
  yield* putSize(w, size)
}

/**
 * The first guest cluster to preallocate: the last one of the disk if it has nothing, else the one behind it. What an
 * external data file holds in its place is not known to be zeros.
 */
function* firstToAllocate(w: Work): Plan<number> {
  const bytes = clusterSize(w.g)
  const end = w.disk.size
  const empty = end % bytes !== 0 && w.opened.backing.length === 0 && !w.g.externalDataFile
  const last = empty ? yield* entryOf(w, end) : undefined
  return last?.entry._tag === 'Unallocated' ? Math.floor(end / bytes) : Math.ceil(end / bytes)
}

/**
 * Makes the disk smaller: its size first, so that nobody sees the rest go; then entries and L2 tables behind its end, also
 * those of VM state; then counts, refcount blocks that count nothing more, and the end of the files. Snapshots keep their
 * clusters. The last cluster keeps its tail until the disk grows again.
 *
 * @see RS-04, ORD-05, RS-05 and DATA-08
 */
function* shrink(w: Work, size: number): Plan<void> {
  yield* putSize(w, size)
  yield* endRound(w)
  const sized = w.tx.claims.length
  const gone = yield* drop(w, Math.ceil(size / clusterSize(w.g)), w.l1.entries * l2Entries(w.g))
  yield* changeCounts(w, surplus(gone, -1), w.releaseStage)
  yield* endRound(w)
  const changed = w.tx.claims.length
  // Where no cluster goes, no block that is empty has been in use.
  yield* dropEmptyBlocks(w, changed === sized ? 'prepare' : 'expose')
  yield* endRound(w)
  // Behind the end may still lie blocks that go, and in an external data file bytes that are seen until the size is durable.
  const stage = w.tx.claims.length === changed && !w.g.externalDataFile ? 'prepare' : 'release'
  w.tx.schedule(stage, { _tag: 'Truncate', file: { part: 'image', depth: 0 }, length: yield* countedEnd(w) })
  if (w.g.externalDataFile) w.tx.schedule(stage, { _tag: 'Truncate', file: { part: 'data', depth: 0 }, length: size })
}

/**
 * Gives the disk another size, in bytes. Refused unless it is a multiple of 512, in version 2 where there are snapshots or
 * the backing file would show through what is not written, and where a disk that gets smaller is to preallocate.
 *
 * @see RS-01, RS-03 and RS-07
 */
export function* resize(w: Work, size: number, preallocation: Preallocation = 'off'): Plan<void> {
  const old = w.disk.size
  if (!Number.isSafeInteger(size) || size < 0 || size % sectorSize !== 0)
    yield* refuse('RS-01', `a size of ${size}`, `a multiple of ${sectorSize}`)
  if (w.g.version === 2 && w.header.nbSnapshots > 0)
    yield* refuse('RS-01', 'a disk of version 2 with snapshots', 'no snapshots, or version 3')
  if (size < old && preallocation !== 'off')
    yield* refuse('RS-07', `preallocation ${preallocation}`, 'off, for a disk that gets smaller')
  if (size > old) yield* grow(w, size, preallocation)
  if (size < old) yield* shrink(w, size)
}
