/** Ranges of guest clusters: dropped from the active tree, or given entries that follow one rule. */
import { type Plan, readAt } from '../bytes/plan.js'
import { viewOf } from '../bytes/octets.js'
import { clusterSize, l1Coverage, l2Entries, l2EntrySize } from '../format/geometry.js'
import { l2Entry, type L2Entry } from '../format/l2.js'
import { L1View, L2View } from '../format/views.js'
import { Counts } from '../image/counts.js'
import type { Work } from './opened.js'
import { putWord, writableTable } from './tables.js'
import { tallyEntries, tallyTree } from './tree.js'

/**
 * Makes guest clusters `[from, to)` unallocated, which lie behind the end of the disk: L2 tables of nothing else are cut
 * off at the L1 table. Tells the references that go; their counts fall when whoever calls lowers them, which is after
 * everything that allocates. @see ZD-13 and RS-04
 */
export function* drop(w: Work, from: number, to: number): Plan<Counts> {
  const gone = new Counts()
  const perTable = l2Entries(w.g)
  const first = Math.floor(from / perTable)
  const last = Math.min(w.l1.entries, Math.ceil(to / perTable))
  if (from >= to || first >= last) return gone
  const view = new L1View(yield* readAt(w.l1.at + 8 * first, 8 * (last - first)))
  for (let i = first; i < last; i++) {
    const table = view.l2TableOffset(i - first)
    if (table === 0) continue
    const at = w.l1.at + 8 * i
    const [start, end] = [Math.max(0, from - i * perTable), Math.min(perTable, to - i * perTable)]
    if (start === 0 && end === perTable) {
      yield* tallyTree(w, { at, entries: 1 }, gone)
      yield* putWord(w, 'active L1 table', 'expose', at, 0n)
    } else yield* clear(w, i, table, start, end, gone)
  }
  return gone
}

/** Clears entries `[start, end)` of the L2 table behind L1 entry `i`, if there is anything in them. */
function* clear(w: Work, i: number, table: number, start: number, end: number, gone: Counts): Plan<void> {
  const stride = l2EntrySize(w.g)
  const bytes = yield* readAt(table + start * stride, (end - start) * stride)
  if (bytes.every((b) => b === 0)) return
  yield* tallyEntries(w, gone, new L2View(bytes, w.g), 0, end - start, 1)
  const own = yield* writableTable(w, i * l1Coverage(w.g), w.g.extendedL2)
  yield* w.tx.put('active L2 table', 'expose', own + start * stride, new Uint8Array(bytes.length))
}

/**
 * Gives `n` guest clusters from `cluster` on, which one L2 table covers and which have no entries, new ones: the first is
 * `entry`, and the host cluster of each is the one behind that of the entry before. @see RS-03 and RS-07
 */
export function* fill(w: Work, cluster: number, n: number, entry: L2Entry): Plan<void> {
  const size = clusterSize(w.g)
  const stride = l2EntrySize(w.g)
  const first = l2Entry(w.g).encode(entry)
  const step = 'hostClusterOffset' in entry ? BigInt(size) : 0n
  const bytes = new Uint8Array(n * stride)
  const view = viewOf(bytes)
  let word = viewOf(first).getBigUint64(0)
  for (let at = 0; at < bytes.length; at += stride, word += step) {
    bytes.set(first, at)
    view.setBigUint64(at, word)
  }
  const table = yield* writableTable(w, cluster * size, w.g.extendedL2)
  yield* w.tx.put('active L2 table', 'expose', table + (cluster % l2Entries(w.g)) * stride, bytes)
}
