/** Runs of plain L2 entries: the fast path through a table, which allocates nothing. */
import type { Allocation } from './allocation.js'
import { l2Copied } from './copied.js'
import type { L2Table } from './l2-table.js'
import type { CheckState } from './state.js'

/** Whether a check has plain entries at all: 64-bit ones, for clusters of this file, whose refcounts can all be read. */
const hasPlain = ({ g, refcounts }: CheckState): boolean =>
  !g.extendedL2 && !g.externalDataFile && refcounts.unreadable.size === 0

/** Host bytes before which a plain entry has its cluster: the whole clusters of the file. */
export const plainEnd = (state: CheckState): number =>
  hasPlain(state) ? Math.floor(state.fileLength / state.size) * state.size : 0

/**
 * How many entries from `i` on are standard clusters with nothing wrong in their bits, in a row from host `offset` on and
 * before `end`, as {@link plainEnd} has it. 0 where there is no such cluster.
 */
const plainRun = ({ view, size }: L2Table, i: number, offset: number, end: number): number => {
  const wrong = (view.words.hi(i) & 0x7f00_0000) !== 0 || (view.words.lo(i) & (size - 1)) !== 0
  if (wrong || offset === 0 || offset >= end) return 0
  return Math.min(view.words.steps(i, view.length, size), (end - offset) / size)
}

/** Counts the run of plain entries that starts at entry `i`, and returns its length: 0 where entry `i` is not plain. */
export const countPlain = (
  state: CheckState,
  t: L2Table,
  i: number,
  end: number,
  checkCopied: boolean,
  allocation: Allocation
): number => {
  const offset = t.view.hostClusterOffset(i)
  const n = plainRun(t, i, offset, end)
  if (n === 0) return 0
  const cluster = offset / t.size
  allocation.clusters(offset, n)
  state.references.add(cluster, n, t.use.all)
  if (checkCopied && state.refcounts.counts.ones(cluster, n) !== (t.view.copied(i) ? n : 0))
    for (let k = 0; k < n; k++) l2Copied(state, t, i + k, offset + k * t.size)
  return n
}
