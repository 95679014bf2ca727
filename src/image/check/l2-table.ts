/** L2 tables: each one that is used is visited once, with how often it is used and the guest bytes it maps. */
import { Memory, type Plan, readInto } from '../../bytes/plan.js'
import { clusterSize, type Geometry, l2EntrySize } from '../../format/geometry.js'
import { l2Sound } from '../../format/l2-rules.js'
import { L2View } from '../../format/views.js'
import { type ByteRange, neighbours } from '../byte-range.js'

/** How often an L2 table is used: by the active tree, by all trees, and for which guest bytes first. One walk owns it. */
export interface Use {
  active: number
  all: number
  readonly guest: number
  /** How many guest bytes those are. */
  readonly guestSize: number
  /** Whether it is used for other guest bytes as well. */
  elsewhere: boolean
}

/** Uses of L2 tables by host offset. */
export type Uses = Map<number, Use>

/** An L2 table and its use. */
export interface L2Table {
  readonly g: Geometry
  /** Bytes of a cluster. */
  readonly size: number
  readonly view: L2View
  /** Host offset of the table in bytes. */
  readonly at: number
  readonly use: Use
  /** Whether entry `i` of the view is that of a normal cluster, and breaks no rule by itself. */
  readonly isSound: (view: L2View, i: number) => boolean
}

/** The byte offset of entry `i`. */
export const entryPlace = (t: L2Table, i: number): number => t.at + i * l2EntrySize(t.g)

/** The guest bytes of entry `i`, of the first use of the table. */
export const guestOf = (t: L2Table, i: number): ByteRange => ({ at: t.use.guest + i * t.size, size: t.size })

/** Visits every L2 table that is used and begins in the file, once each, in the order of the file. */
export function* eachTable(uses: Uses, g: Geometry, fileLength: number, visit: (t: L2Table) => Plan<void>): Plan<void> {
  const [size, isSound] = [clusterSize(g), l2Sound(g)]
  const tables = [...uses].filter(([at]) => at < fileLength).sort((a, b) => a[0] - b[0])
  const offsetAt = (i: number): number => tables[i]?.[0] ?? 0
  const memory = new Memory()
  for (let i = 0, n = 1; i < tables.length; i += n) {
    n = neighbours(offsetAt, i, tables.length, size)
    const bytes = yield* readInto(memory, offsetAt(i), n * size)
    for (const [k, [at, use]] of tables.slice(i, i + n).entries()) {
      const view = new L2View(bytes.subarray(k * size, (k + 1) * size), g)
      yield* visit({ g, size, view, at, use, isSound })
    }
  }
}
