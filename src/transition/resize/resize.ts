/** Resizing the disk: what it gains reads as zeros, and what it loses is freed. */
import type { Preallocation } from '../../../spec/disk.js'
import { dataFile, type Plan } from '../../bytes/plan.js'
import { clusterSize, l2Entries, neededL1Entries, subclusterSize } from '../../format/geometry.js'
import { subclusters } from '../../format/limits.js'
import { chainSize } from '../../image/guest/chain.js'
import { readGuest } from '../../image/guest/read.js'
import { resizeBitmaps } from '../bitmaps/bitmaps.js'
import { entryOf, growL1 } from '../engine/active-tree.js'
import type { CommandState } from '../engine/command-state.js'
import { mayHaveSize, refuse } from '../engine/refuse.js'
import { endRound } from '../engine/finish.js'
import { cutFile, dropEmptyBlocks } from '../engine/refcount-table.js'
import { changeRefcounts } from '../engine/refcounts.js'
import { surplus } from '../engine/references.js'
import { drop } from '../guest/drop.js'
import { growDataFile, preallocate, writesZeros } from '../guest/preallocate.js'
import { maskOf, mayEncode, writeBytes } from '../guest/write.js'

/** Bytes of the backing disk; 0 without one. */
const backingSize = (w: CommandState): number => {
  const [first, ...rest] = w.image.backing
  return first === undefined ? 0 : chainSize([first, ...rest])
}

/** Writes zeros to guest bytes `[from, to)` of one cluster past the end of the disk, unless they read as zeros; or `always`. */
function* zero(w: CommandState, from: number, to: number, always: boolean): Plan<void> {
  if (from >= to) return
  const was = yield* readGuest(w.chain, from, to - from, w.image.decompressor)
  if (!always && was.every((b) => b === 0)) return
  yield* mayEncode(w)
  yield* writeBytes(w, from, new Uint8Array(to - from))
}

/**
 * Makes guest bytes from the end of the disk to byte `to` read as zeros, all of them in its last cluster. They are old data
 * of a disk that was larger, or with `hidden` the backing file's. They are overwritten, except without `written` whole
 * subclusters, whose bits say zero.
 *
 * @see RS-03 and RS-06
 */
function* zeroTail(w: CommandState, to: number, hidden: boolean, written: boolean): Plan<void> {
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
function* putSize(w: CommandState, size: number): Plan<void> {
  yield* resizeBitmaps(w, size)
  yield* w.changeHeader('expose', { size: BigInt(size) })
}

/**
 * Makes the disk larger. What it gains is made to read as zeros before anybody sees it: the tail of the last cluster, VM
 * state past the old end (RS-08: it does not move), and what the backing file would show. The size changes last.
 *
 * @see RS-02, ORD-06, RS-03, RS-07 and DATA-08
 */
export function* grow(w: CommandState, size: number, asked: Preallocation = 'off'): Plan<void> {
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
  yield* changeRefcounts(w, surplus(gone, -1), w.releaseStage)
  yield* growL1(w, Number(neededL1Entries(w.g, BigInt(size))))
  yield* endRound(w)
  if (w.g.externalDataFile && mode === 'off') growDataFile(w, old, size, mode)
  yield* putSize(w, size)
}

/**
 * The first guest cluster to preallocate: the last one of the disk if it is unallocated, else the next. The last cluster of
 * an external data file is not: its bytes past the end are not known to be zeros.
 */
function* firstToAllocate(w: CommandState): Plan<number> {
  const bytes = clusterSize(w.g)
  const end = w.disk.size
  const empty = end % bytes !== 0 && w.image.backing.length === 0 && !w.g.externalDataFile
  const last = empty ? yield* entryOf(w, end) : undefined
  return last?.entry._tag === 'Unallocated' ? Math.floor(end / bytes) : Math.ceil(end / bytes)
}

/**
 * Makes the disk smaller: its size changes first, so that nobody sees the rest go; then the entries and L2 tables past its
 * end, with those of VM state; then refcounts, empty refcount blocks, and the ends of the files. Snapshots keep their
 * clusters. The last cluster keeps its tail until the disk grows again.
 *
 * @see RS-04, ORD-05, RS-05 and DATA-08
 */
function* shrink(w: CommandState, size: number): Plan<void> {
  yield* putSize(w, size)
  yield* endRound(w)
  const sized = w.tx.claims.length
  const gone = yield* drop(w, Math.ceil(size / clusterSize(w.g)), w.l1.entries * l2Entries(w.g))
  yield* changeRefcounts(w, surplus(gone, -1), w.releaseStage)
  yield* endRound(w)
  const changed = w.tx.claims.length
  // Where no cluster goes, no block that is empty has been in use.
  yield* dropEmptyBlocks(w, changed === sized ? 'prepare' : 'expose')
  yield* endRound(w)
  // Blocks that go may lie past the end, and bytes of an external data file are seen until the size is durable.
  const stage = w.tx.claims.length === changed && !w.g.externalDataFile ? 'prepare' : 'release'
  yield* cutFile(w, stage)
  if (w.g.externalDataFile) w.tx.schedule(stage, { _tag: 'Truncate', file: dataFile, length: size })
}

/**
 * Gives the disk another size, in bytes. Refused unless it is a multiple of 512; in version 2 with snapshots, and where the
 * backing file would be read in what the disk gains; and where a disk that shrinks is to preallocate.
 *
 * @see RS-01, RS-03 and RS-07
 */
export function* resize(w: CommandState, size: number, preallocation: Preallocation = 'off'): Plan<void> {
  const old = w.disk.size
  yield* mayHaveSize(size, `a size of ${size}`)
  if (w.g.version === 2 && w.header.nbSnapshots > 0)
    yield* refuse('RS-01', 'a disk of version 2 with snapshots', 'no snapshots, or version 3')
  if (size < old && preallocation !== 'off')
    yield* refuse('RS-07', `preallocation ${preallocation}`, 'off, for a disk that gets smaller')
  if (size > old) yield* grow(w, size, preallocation)
  if (size < old) yield* shrink(w, size)
}
