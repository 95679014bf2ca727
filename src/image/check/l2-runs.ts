/** Runs of plain L2 entries: the fast path through a table, which allocates nothing, and how the clusters lie. */
import { l2Copied } from './copied.js'
import type { Totals } from './findings.js'
import type { L2Table } from './l2-table.js'
import type { CheckState } from './state.js'

/**
 * How many guest clusters of one L2 table have host clusters, are compressed, or lie apart, as `qemu-img check` prints it. Its
 * entries are passed in order. A check owns it. @see CHK-12
 */
export class Allocation {
  /** Where the host cluster after the last one ends; 0 before the first. */
  private next = 0

  constructor(
    private readonly totals: Totals,
    private readonly t: L2Table
  ) {}

  /** The next `n` entries with a host cluster have theirs in a row, from host byte `at` on. */
  clusters(at: number, n: number): void {
    const { active } = this.t.use
    this.totals.allocatedClusters += n * active
    if (this.next !== 0 && at !== this.next) this.totals.fragmentedClusters += active
    this.next = at + n * this.t.size
  }

  /** The next entry is a compressed cluster, which QEMU takes for a fragment of its own. */
  compressed(): void {
    const { active } = this.t.use
    this.totals.allocatedClusters += active
    this.totals.compressedClusters += active
    this.totals.fragmentedClusters += active
  }
}

/** Host bytes before which runs of entries have their clusters: the whole clusters of the file, where all refcounts can be read. */
export const plainEnd = ({ g, refcounts, fileLength, size }: CheckState): number =>
  g.externalDataFile || refcounts.unreadable.size > 0 ? 0 : Math.floor(fileLength / size) * size

/**
 * How many entries from `i` on are sound, have clusters in a row from host `offset` on, and before `end`, and the same
 * copied flag. 0 where entry `i` is none. One at a time where they have subclusters.
 */
const plainRun = (t: L2Table, i: number, offset: number, end: number): number => {
  if (offset >= end || !t.isSound(t.view, i)) return 0
  return t.g.extendedL2 ? 1 : Math.min(t.view.words.steps(i, t.view.length, t.size), (end - offset) / t.size)
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
