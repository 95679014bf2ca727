/** Dropping guest clusters: they become unallocated, L2 tables and all. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize, l2Entries, l2EntrySize } from '../../format/geometry.js'
import { L1View, L2View } from '../../format/views.js'
import { Counts } from '../../image/check/counts.js'
import { l2TableOf } from '../engine/active-tree.js'
import type { CommandState } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'
import { endRound } from '../engine/finish.js'
import { cutFile, dropEmptyBlocks } from '../engine/refcount-table.js'
import { changeRefcounts } from '../engine/refcounts.js'
import { addEntries, surplus, treeReferences } from '../engine/references.js'

/**
 * Makes guest clusters `[from, to)` unallocated, which are past the end of the disk. L2 tables of nothing else go with their
 * L1 entries. Returns the references that go; the caller takes them from the refcounts, after everything that allocates.
 *
 * @see ZD-13 and RS-04
 */
export function* drop(w: CommandState, from: number, to: number): Plan<Counts> {
  const gone = new Counts()
  const perTable = l2Entries(w.g)
  const [first, last] = [Math.ceil(from / perTable), Math.floor(to / perTable)]
  if (first > last) yield* dropEntries(w, from, to, gone)
  else {
    yield* dropEntries(w, from, first * perTable, gone)
    yield* dropTables(w, first, Math.min(last, w.l1.entries), gone)
    yield* dropEntries(w, last * perTable, to, gone)
  }
  return gone
}

/** Clears L1 entries `[first, last)`. */
function* dropTables(w: CommandState, first: number, last: number, gone: Counts): Plan<void> {
  if (first >= last) return
  const place = { at: w.l1.at + 8 * first, entries: last - first }
  const bytes = yield* readAt(place.at, 8 * place.entries)
  if (bytes.every((b) => b === 0)) return
  yield* treeReferences(w, place, gone)
  yield* w.tx.put('active L1 table', 'expose', place.at, new Uint8Array(bytes.length))
}

/** Clears the L2 entries of guest clusters `[from, to)`, which one table covers, unless they are clear. */
function* dropEntries(w: CommandState, from: number, to: number, gone: Counts): Plan<void> {
  const i = Math.floor(from / l2Entries(w.g))
  if (from >= to || i >= w.l1.entries) return
  const table = new L1View(yield* readAt(w.l1.at + 8 * i, 8)).l2TableOffset(0)
  if (table === 0) return
  const stride = l2EntrySize(w.g)
  const start = (from % l2Entries(w.g)) * stride
  const bytes = yield* readAt(table + start, (to - from) * stride)
  if (bytes.every((b) => b === 0)) return
  yield* addEntries(w, gone, new L2View(bytes, w.g), table + start, 1)
  const own = yield* (yield* l2TableOf(w, from * clusterSize(w.g))).writable(w.g.extendedL2)
  yield* w.tx.put('active L2 table', 'expose', own + start, new Uint8Array(bytes.length))
}

/**
 * Makes the whole disk unallocated and frees its clusters. Snapshots and bitmaps stay, and where there are snapshots so does
 * VM state. A crash leaves each cluster as it was or as the backing file has it, and leaks at most. Refused where the
 * external data file is the raw disk.
 *
 * @see CR-05
 */
export function* makeEmpty(w: CommandState): Plan<void> {
  if (w.header.autoclearFeatures.rawExternalData)
    return yield* refuse('DATA-06', 'raw external data', 'clusters that may be unallocated')
  const clusters = Math.ceil(w.disk.size / clusterSize(w.g))
  const all = w.l1.entries * l2Entries(w.g)
  const gone = yield* drop(w, 0, w.header.nbSnapshots === 0 ? all : Math.min(all, clusters))
  yield* changeRefcounts(w, surplus(gone, -1), 'release')
  yield* endRound(w)
  yield* dropEmptyBlocks(w, 'expose')
  yield* endRound(w)
  yield* cutFile(w, 'release')
}
