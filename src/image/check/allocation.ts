/** Allocation: how many guest clusters have host clusters, are compressed, or lie apart, as `qemu-img check` prints it. */
import type { Totals } from './findings.js'
import type { L2Table } from './l2-table.js'

/** The totals of one L2 table, whose entries are passed in order. A check owns it. @see CHK-12 */
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
