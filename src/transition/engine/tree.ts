/** Trees: the host clusters that an L1 table leads to, counted, and the COPIED flags in its tables. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSpan } from '../../format/compressed.js'
import { blockEntries, clusterSize, l2EntrySize } from '../../format/geometry.js'
import { clusterKind, L1View, L2View } from '../../format/views.js'
import { Counts } from '../../image/check/counts.js'
import { refuse, type TablePlace, type Work } from './work.js'
import type { CountChange } from './refcounts.js'
import type { Owner, Stage } from './transaction.js'

/** Counts `times` references to each of `n` host clusters from byte `host` on. Refused where they cannot have counts. */
function* tallyRun(w: Work, tally: Counts, host: number, n: number, times: number): Plan<void> {
  const first = host / clusterSize(w.g)
  if (!Number.isInteger(first))
    yield* refuse('L2-02', `0x${host.toString(16)}`, 'a multiple of the cluster size', { structure: 'L2 entry' })
  if (first + n > w.refcountTable.entries * blockEntries(w.g))
    yield* refuse('REF-07', `host cluster ${first + n - 1}`, 'a cluster that the refcount table covers')
  tally.add(first, n, times)
}

/** Counts `times` references to whatever entries `[from, to)` of an L2 table refer to. @see REF-08, CMP-06 and REF-09 */
export function* tallyEntries(
  w: Work,
  tally: Counts,
  table: L2View,
  from: number,
  to: number,
  times: number
): Plan<void> {
  const size = clusterSize(w.g)
  for (let i = from, n = 1; i < to; i += n) {
    n = table.run(i, to)
    const kind = table.kind(i)
    if (kind === clusterKind.Compressed) {
      const hostOffset = BigInt(table.hostOffset(i))
      const span = clusterSpan({ hostOffset, additionalSectors: table.additionalSectors(i) }, w.g.clusterBits)
      yield* tallyRun(w, tally, span.first * size, span.last - span.first + 1, times)
    } else if ((kind === clusterKind.Normal || kind === clusterKind.ZeroAllocated) && !w.g.externalDataFile)
      yield* tallyRun(w, tally, table.hostClusterOffset(i), n, times)
  }
}

/** The L2 tables of an L1 table by host byte, and how many entries name each. */
function* l2Tables(l1: TablePlace): Plan<ReadonlyMap<number, number>> {
  const tables = new Map<number, number>()
  const view = new L1View(yield* readAt(l1.at, 8 * l1.entries))
  for (let i = 0; i < view.length; i++) {
    const at = view.l2TableOffset(i)
    if (at !== 0) tables.set(at, (tables.get(at) ?? 0) + 1)
  }
  return tables
}

/**
 * How often the entries of an L1 table, through their L2 tables, refer to each host cluster: the L2 tables themselves,
 * standard clusters, and every cluster that a compressed payload touches. The L1 table's own clusters are not among them.
 *
 * @see REF-08 and CHK-01
 */
export function* tallyTree(w: Work, l1: TablePlace, tally = new Counts()): Plan<Counts> {
  for (const [at, times] of yield* l2Tables(l1)) {
    yield* tallyRun(w, tally, at, 1, times)
    const table = new L2View(yield* readAt(at, clusterSize(w.g)), w.g)
    yield* tallyEntries(w, tally, table, 0, table.length, times)
  }
  return tally
}

const none = new Counts()

/** The changes of counts that give (`by` 1) or take (`by` -1) the references that `tally` has more than `other`. */
export function* surplus(tally: Counts, by: 1 | -1, other = none): Generator<CountChange> {
  for (const { cluster, n, count } of tally.runs())
    for (let c = cluster, next = c; c < cluster + n; c = next) {
      const held = other.get(c)
      if (other === none) next = cluster + n
      else while (next < cluster + n && other.get(next) === held) next++
      if (count > held) yield { cluster: c, n: next - c, by: by * (count - held) }
    }
}

/** What a COPIED flag is to be, by the host cluster of its entry and by what it is. */
type Flag = (cluster: number, copied: boolean) => boolean

/** Sets the flags of one table, whose entry `i` names the cluster at byte `hostOf(i)`; 0: none. */
function* mark(
  w: Work,
  owner: Owner,
  stage: Stage,
  at: number,
  bytes: Uint8Array,
  stride: number,
  hostOf: (i: number) => number,
  flag: Flag
): Plan<void> {
  const size = clusterSize(w.g)
  const marked = bytes.slice()
  let from = bytes.length
  let to = 0
  for (let i = 0, e = 0; e < bytes.length; i++, e += stride) {
    const host = hostOf(i)
    if (host === 0) continue
    const top = bytes[e] ?? 0
    const copied = top >= 0x80
    if (flag(host / size, copied) === copied) continue
    marked[e] = top ^ 0x80
    from = Math.min(from, e)
    to = e + 8
  }
  if (from < to) yield* w.tx.put(owner, stage, at + from, marked.subarray(from, to))
}

/**
 * Sets the COPIED flags of a tree, in its L1 table and its L2 tables: one bit of an aligned word each. Compressed
 * entries have none. @see L1-01 and L2-04
 */
export function* markCopied(w: Work, stage: Stage, l1: TablePlace, flag: Flag): Plan<void> {
  const entries = yield* readAt(l1.at, 8 * l1.entries)
  const view = new L1View(entries)
  yield* mark(w, 'active L1 table', stage, l1.at, entries, 8, (i) => view.l2TableOffset(i), flag)
  for (const [at] of yield* l2Tables(l1)) {
    const bytes = yield* readAt(at, clusterSize(w.g))
    const table = new L2View(bytes, w.g)
    const hostOf = (i: number): number => (table.kind(i) === clusterKind.Compressed ? 0 : table.hostClusterOffset(i))
    yield* mark(w, 'active L2 table', stage, at, bytes, l2EntrySize(w.g), hostOf, flag)
  }
}
