/** Allocation: the lowest free clusters first, and the refcount blocks that they need. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { blockEntries, clusterSize } from '../../format/geometry.js'
import { hostEnd, sectorSize } from '../../format/limits.js'
import { RefcountView } from '../../format/views.js'
import type { CommandState } from './command-state.js'
import { refuse } from './refuse.js'
import { addBlocks, growRefcountTable } from './refcount-table.js'
import { addToRefcounts, blockOffset } from './refcounts.js'

/** Consecutive host clusters: `n` from `cluster` on. */
export interface ClusterRun {
  readonly cluster: number
  readonly n: number
}

/** The next free clusters of a block. */
interface Gap {
  /** Entries before them that are in use. */
  readonly used: number
  /** How many there are, up to what was asked for. */
  readonly free: number
}

/** The free clusters from entry `entry` of the block at host byte `block` on, up to `most`. */
function* scan(w: CommandState, block: number, entry: number, most: number): Plan<Gap> {
  const entries = blockEntries(w.g)
  const perSector = Math.min(entries, (sectorSize * 8) / 2 ** w.g.refcountOrder)
  let used = 0
  let free = 0
  for (let e = entry; e < entries && free < most;) {
    const start = e - (e % perSector)
    const bytes = yield* readAt(block + (start * 2 ** w.g.refcountOrder) / 8, Math.min(sectorSize, clusterSize(w.g)))
    const view = new RefcountView(bytes, w.g.refcountOrder)
    for (; e < start + perSector && free < most; e++) {
      if (view.count(e - start) === 0) free++
      else if (free > 0) return { used, free }
      else used++
    }
  }
  return { used, free }
}

/** How many entries of the refcount table from `index` on have no block, up to `most`. */
function* withoutBlock(w: CommandState, index: number, most: number): Plan<number> {
  let k = 0
  while (k < most && (yield* blockOffset(w, index + k)) === 0) k++
  return k
}

/** The first run of at least `least` free clusters that have blocks, extended up to `most`; blocks are added where there are none. */
function* find(w: CommandState, least: number, most: number): Plan<ClusterRun> {
  const entries = blockEntries(w.g)
  let run: ClusterRun = { cluster: w.firstFree, n: 0 }
  for (;;) {
    const next = run.cluster + run.n
    const index = Math.floor(next / entries)
    const block = yield* blockOffset(w, index)
    if (block !== 0) {
      const { used, free } = yield* scan(w, block, next % entries, most - run.n)
      if (used > 0 && run.n >= least) return run
      run = used > 0 ? { cluster: next + used, n: free } : { ...run, n: run.n + free }
      const ended = (run.cluster + run.n) % entries !== 0
      if (run.n >= most || (run.n >= least && ended)) return run
      if (ended) run = { cluster: run.cluster + run.n, n: 0 }
    } else if (run.n >= least) return run
    else {
      const k = Math.ceil(least / (entries - 1))
      while (index + k > w.refcountTable.entries) yield* growRefcountTable(w)
      const n = yield* withoutBlock(w, index, k)
      if (n === k) yield* addBlocks(w, index, k)
      run = { cluster: n === k ? index * entries + k : (index + n) * entries, n: 0 }
    }
  }
}

/**
 * Allocates at least `least` and at most `most` consecutive host clusters: the first run of free ones that is long enough.
 * Their refcount is one from now on, and nothing points to them.
 *
 * @see WR-03
 */
export function* allocate(w: CommandState, least: number, most = least): Plan<ClusterRun> {
  const found = yield* find(w, least, most)
  const run = { ...found, n: Math.min(found.n, most) }
  if (BigInt(run.cluster + run.n) * BigInt(clusterSize(w.g)) > hostEnd)
    return yield* refuse<ClusterRun>('WR-04', `host cluster ${run.cluster + run.n}`, 'a host offset below 2^56')
  yield* addToRefcounts(w, run.cluster, run.n, 1, 'prepare')
  w.tx.markNew(run.cluster, run.n)
  if (least === 1 || run.cluster === w.firstFree) w.firstFree = run.cluster + run.n
  return run
}

/** Allocates consecutive clusters for a table of `size` bytes, at least one, and returns its host offset. */
export function* allocateBytes(w: CommandState, size: number): Plan<number> {
  const { cluster } = yield* allocate(w, Math.max(1, Math.ceil(size / clusterSize(w.g))))
  return cluster * clusterSize(w.g)
}
