/** An L2 table as it is checked: its entries, how often it is used, and the guest bytes they map. */
import { Memory, type Plan, readInto } from '../../bytes/plan.js'
import { blockEntries, l2EntrySize } from '../../format/geometry.js'
import { L2View } from '../../format/views.js'
import type { CheckState } from './state.js'
import { neighbours } from '../neighbours.js'
import type { Range } from '../gaps.js'

/** How often an L2 table is used: by the active tree, by all trees, and for which guest bytes first. */
export interface Use {
  readonly active: number
  readonly all: number
  readonly guest: number
  /** How many guest bytes those are. */
  readonly guestSize: number
  /** Whether it is used for other guest bytes as well. */
  readonly elsewhere: boolean
}

/** Uses of L2 tables by host offset. */
export type Uses = Map<number, Use>

/** What one L2 table is checked with. */
export interface Table {
  readonly state: CheckState
  readonly view: L2View
  readonly at: number
  readonly use: Use
  readonly perBlock: number
}

/** The byte offset of entry `i`. */
export const entryPlace = (t: Table, i: number): number => t.at + i * l2EntrySize(t.state.g)

/** The guest bytes of entry `i`, of the first use of the table. */
export const guestOf = (t: Table, i: number): Range => ({ at: t.use.guest + i * t.state.size, size: t.state.size })

/** Visits every L2 table that is used and begins in the file, once each, in the order of the file. */
export function* eachTable(state: CheckState, uses: Uses, visit: (t: Table) => Plan<void>): Plan<void> {
  const perBlock = blockEntries(state.g)
  const tables = [...uses].filter(([at]) => at < state.fileLength).sort((a, b) => a[0] - b[0])
  const offsetAt = (i: number): number => tables[i]?.[0] ?? 0
  const memory = new Memory()
  for (let i = 0, n = 1; i < tables.length; i += n) {
    n = neighbours(offsetAt, i, tables.length, state.size)
    const bytes = yield* readInto(memory, offsetAt(i), n * state.size)
    for (const [k, [at, use]] of tables.slice(i, i + n).entries()) {
      const view = new L2View(bytes.subarray(k * state.size, (k + 1) * state.size), state.g)
      yield* visit({ state, view, at, use, perBlock })
    }
  }
}
