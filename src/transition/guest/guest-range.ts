/** Ranges of guest clusters: dropped from the active tree, or given entries that follow one rule. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { clusterSize, l2Entries, l2EntrySize } from '../../format/geometry.js'
import { encodeL2Entry, type L2Entry } from '../../format/l2.js'
import { L1View, L2View } from '../../format/views.js'
import { Counts } from '../../image/check/counts.js'
import type { Work } from '../engine/work.js'
import { type L2Table, tableOf } from '../engine/l2-tables.js'
import { tallyEntries, tallyTree } from '../engine/tree.js'

/**
 * Makes guest clusters `[from, to)` unallocated, which lie behind the end of the disk. L2 tables of nothing else are cut
 * off at the L1 table. Tells the references that go; whoever calls takes them from the counts, after all that allocates.
 *
 * @see ZD-13 and RS-04
 */
export function* drop(w: Work, from: number, to: number): Plan<Counts> {
  const gone = new Counts()
  const perTable = l2Entries(w.g)
  const [first, last] = [Math.ceil(from / perTable), Math.floor(to / perTable)]
  if (first > last) yield* clear(w, from, to, gone)
  else {
    yield* clear(w, from, first * perTable, gone)
    yield* cutOff(w, first, Math.min(last, w.l1.entries), gone)
    yield* clear(w, last * perTable, to, gone)
  }
  return gone
}

/** Clears L1 entries `[first, last)`. */
function* cutOff(w: Work, first: number, last: number, gone: Counts): Plan<void> {
  if (first >= last) return
  const place = { at: w.l1.at + 8 * first, entries: last - first }
  const bytes = yield* readAt(place.at, 8 * place.entries)
  if (bytes.every((b) => b === 0)) return
  yield* tallyTree(w, place, gone)
  yield* w.tx.put('active L1 table', 'expose', place.at, new Uint8Array(bytes.length))
}

/** Clears the L2 entries of guest clusters `[from, to)`, which one table covers, if there is anything in them. */
function* clear(w: Work, from: number, to: number, gone: Counts): Plan<void> {
  const i = Math.floor(from / l2Entries(w.g))
  if (from >= to || i >= w.l1.entries) return
  const table = new L1View(yield* readAt(w.l1.at + 8 * i, 8)).l2TableOffset(0)
  if (table === 0) return
  const stride = l2EntrySize(w.g)
  const start = (from % l2Entries(w.g)) * stride
  const bytes = yield* readAt(table + start, (to - from) * stride)
  if (bytes.every((b) => b === 0)) return
  yield* tallyEntries(w, gone, new L2View(bytes, w.g), 0, to - from, 1)
  const own = yield* (yield* tableOf(w, from * clusterSize(w.g))).writable(w.g.extendedL2)
  yield* w.tx.put('active L2 table', 'expose', own + start, new Uint8Array(bytes.length))
}

/**
 * Gives the guest clusters in `[guest, end)`, which one L2 table covers and which have no entries, new ones: the first is
 * `entry`, and the host cluster of each is the one behind that of the entry before. @see RS-03 and RS-07
 */
export function* fill(w: Work, table: L2Table, guest: number, end: number, entry: L2Entry): Plan<void> {
  const size = clusterSize(w.g)
  const stride = l2EntrySize(w.g)
  const first = encodeL2Entry(entry, w.g)
  const step = 'hostClusterOffset' in entry ? BigInt(size) : 0n
  const bytes = new Uint8Array(((end - guest) / size) * stride)
  const view = viewOf(bytes)
  let word = viewOf(first).getBigUint64(0)
  for (let at = 0; at < bytes.length; at += stride, word += step) {
    bytes.set(first, at)
    view.setBigUint64(at, word)
  }
  const at = yield* table.writable(w.g.extendedL2)
  yield* w.tx.put('active L2 table', 'expose', at + ((guest / size) % l2Entries(w.g)) * stride, bytes)
}
