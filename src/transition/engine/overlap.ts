/** The overlap check: the writes of a command, compared with the metadata that is in their place. */
import type { Plan } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import type { CommandState } from './command-state.js'
import {
  l2TablesOf,
  refcountBlocksOf,
  type Section,
  type SectionRange,
  tableAt,
  type TableOffsets
} from './sections.js'
import type { Claim } from './transaction.js'

/** A claim on metadata of another section. */
interface Overlap {
  readonly claim: Claim
  readonly section: Section
}

/** The clusters of a claim, from `first` to `last`. */
interface ClaimedClusters {
  readonly claim: Claim
  readonly first: number
  readonly last: number
  /** Whether a cluster still holds what it held before the command: the command has not freed it before the claim. */
  readonly isHeld: (cluster: number) => boolean
}

const clustersOf = (w: CommandState, claim: Claim, i: number): ClaimedClusters => ({
  claim,
  first: Math.floor(claim.at / clusterSize(w.g)),
  last: Math.floor((claim.at + claim.length - 1) / clusterSize(w.g)),
  isHeld: (cluster) => (w.freed.get(cluster) ?? Infinity) > i
})

const meets = ({ first, last, isHeld }: ClaimedClusters, { at, length }: SectionRange, size: number): boolean => {
  const end = Math.min(last, Math.floor((at + length - 1) / size))
  for (let c = Math.max(first, Math.floor(at / size)); c <= end; c++) if (isHeld(c)) return true
  return false
}

/** The tables of the image: those known before the command, unless it writes to the table that names them. */
export function* tablesNow(w: CommandState): Plan<TableOffsets> {
  const { header } = w.image.metadata
  const known = (section: Section): TableOffsets | undefined =>
    w.tx.claims.some((c) => c.section === section) ? undefined : w.image.tables
  return {
    l2Tables: known('active L1 table')?.l2Tables ?? (yield* l2TablesOf(header)),
    refcountBlocks: known('refcount table')?.refcountBlocks ?? (yield* refcountBlocksOf(header, w.g))
  }
}

/** The first claim of the command on metadata of another section, if there is one. @see INT-20 */
export const overlapOf = (w: CommandState, tables: TableOffsets): Overlap | undefined => {
  const size = clusterSize(w.g)
  const claimed = w.tx.claims.map((claim, i) => clustersOf(w, claim, i))
  for (const clusters of claimed) {
    const hit = w.image.ranges.find((r) => r.section !== clusters.claim.section && meets(clusters, r, size))
    if (hit !== undefined) return { claim: clusters.claim, section: hit.section }
  }
  for (const { claim, first, last, isHeld } of claimed)
    for (let c = first; c <= last; c++) {
      const section = tableAt(tables, c * size)
      if (section !== undefined && section !== claim.section && isHeld(c)) return { claim, section }
    }
  return undefined
}
