/** Branches: the L1 entries of an image's trees, with what they name. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { L1View } from '../../format/views.js'
import type { Examined } from '../../image/check/check.js'
import type { Work } from '../engine/work.js'

/** An L1 entry that names an L2 table in the file. */
export interface Branch {
  /** Host byte of the L1 entry, and of the table. */
  readonly l1: number
  readonly at: number
  readonly active: boolean
  /** Whether the table was met before, in the active tree or, for another tree, in any. */
  readonly again: boolean
}

/** The L1 entries of all trees, the active one first, that name an L2 table in the file. */
export function* branchesOf(w: Work, e: Examined, visit: (branch: Branch) => Plan<void>): Plan<void> {
  const size = clusterSize(w.g)
  const { header, snapshots } = e.metadata
  const trees = [
    { at: Number(header.l1TableOffset), entries: header.l1Size, active: true },
    ...snapshots.map((s) => ({ at: Number(s.l1TableOffset), entries: s.l1Size, active: false }))
  ]
  const seen = new Set<number>()
  for (const { at, entries, active } of trees.filter((t) => t.at % size === 0)) {
    const there = Math.max(0, Math.min(8 * entries, e.state.fileLength - at))
    const view = new L1View(yield* readAt(at, there - (there % 8)))
    for (let i = 0; i < view.length; i++) {
      const l2 = view.l2TableOffset(i)
      if (l2 === 0 || l2 % size !== 0 || l2 >= e.state.fileLength) continue
      yield* visit({ at: l2, l1: at + 8 * i, active, again: seen.has(l2) })
      seen.add(l2)
    }
  }
}
