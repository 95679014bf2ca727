/** Allocation: the lowest free clusters first, and the structures that count them. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { blockEntries, clusterSize } from '../../format/geometry.js'
import { hostEnd, sectorSize } from '../../format/limits.js'
import { RefcountView } from '../../format/views.js'
import { refuse, type Work } from './work.js'
import { addToCounts, blockOffset, coverRanges, growTable } from './refcounts.js'

/** Neighbouring host clusters. */
export interface Run {
  readonly cluster: number
  readonly n: number
}

/** The number of free clusters from entry `entry` of a block on, up to `most`, and of taken ones before them. */
function* scan(
  w: Work,
  block: number,
  entry: number,
  most: number
): Plan<{ readonly taken: number; readonly free: number }> {
  const entries = blockEntries(w.g)
  const perSector = Math.min(entries, (sectorSize * 8) / 2 ** w.g.refcountOrder)
  let taken = 0
  let free = 0
  for (let e = entry; e < entries && free < most;) {
    const start = e - (e % perSector)
    const bytes = yield* readAt(block + (start * 2 ** w.g.refcountOrder) / 8, Math.min(sectorSize, clusterSize(w.g)))
    const view = new RefcountView(bytes, w.g.refcountOrder)
    for (; e < start + perSector && free < most; e++) {
      if (view.count(e - start) === 0) free++
      else if (free > 0) return { taken, free }
      else taken++
    }
  }
  return { taken, free }
}

/** How many ranges from `table` on have no refcount block, up to `most`. */
function* uncovered(w: Work, table: number, most: number): Plan<number> {
  let k = 0
  while (k < most && (yield* blockOffset(w, table + k)) === 0) k++
  return k
}

/** The first run of at least `least` free clusters that have counts, extended up to `most`; blocks are made where a range has none. */
function* find(w: Work, least: number, most: number): Plan<Run> {
  const entries = blockEntries(w.g)
  let run: Run = { cluster: w.firstFree, n: 0 }
  for (;;) {
    const next = run.cluster + run.n
    const table = Math.floor(next / entries)
    const block = yield* blockOffset(w, table)
    if (block !== 0) {
      const { taken, free } = yield* scan(w, block, next % entries, most - run.n)
      if (taken > 0 && run.n >= least) return run
      run = taken > 0 ? { cluster: next + taken, n: free } : { ...run, n: run.n + free }
      const ended = (run.cluster + run.n) % entries !== 0
      if (run.n >= most || (run.n >= least && ended)) return run
      if (ended) run = { cluster: run.cluster + run.n, n: 0 }
    } else if (run.n >= least) return run
    else {
      const k = Math.ceil(least / (entries - 1))
      while (table + k > w.refcountTable.entries) yield* growTable(w)
      const n = yield* uncovered(w, table, k)
      if (n === k) yield* coverRanges(w, table, k)
      run = { cluster: n === k ? table * entries + k : (table + n) * entries, n: 0 }
    }
  }
}

/**
 * Takes at least `least` and at most `most` neighbouring host clusters: the first run of free ones that is long enough.
 * They count 1 from now on, and nothing points to them.
 *
 * @see WR-03
 */
export function* allocate(w: Work, least: number, most = least): Plan<Run> {
  const found = yield* find(w, least, most)
  const run = { ...found, n: Math.min(found.n, most) }
  if (BigInt(run.cluster + run.n) * BigInt(clusterSize(w.g)) > hostEnd)
    return yield* refuse<Run>('WR-04', `host cluster ${run.cluster + run.n}`, 'a host offset below 2^56')
  yield* addToCounts(w, run.cluster, run.n, 1, 'prepare')
  w.tx.markNew(run.cluster, run.n)
  if (least === 1 || run.cluster === w.firstFree) w.firstFree = run.cluster + run.n
  return run
}

/** Takes the clusters for a table of this many bytes, one behind the other, and tells where it starts. */
export function* allocateBytes(w: Work, bytes: number): Plan<number> {
  const { cluster } = yield* allocate(w, Math.max(1, Math.ceil(bytes / clusterSize(w.g))))
  return cluster * clusterSize(w.g)
}
