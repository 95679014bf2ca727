/** The overlap check: what a command is about to write, compared with the metadata that lies there. */
import type { Plan } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import type { Work } from './work.js'
import { l2TablesOf, refcountBlocksOf, type Section, tableAt, type TableOffsets } from './sections.js'
import type { Claim, Owner } from './transaction.js'

/** A write that would go over metadata of another kind. */
interface Overlap {
  readonly claim: Claim
  readonly section: Owner
}

/** The clusters of a claim. */
interface Span {
  readonly claim: Claim
  readonly first: number
  readonly last: number
  /** Whether a cluster is still what it was: the command has not freed it before. */
  readonly isHeld: (cluster: number) => boolean
}

const spanOf = (w: Work, claim: Claim, i: number): Span => ({
  claim,
  first: Math.floor(claim.at / clusterSize(w.g)),
  last: Math.floor((claim.at + claim.length - 1) / clusterSize(w.g)),
  isHeld: (cluster) => (w.freed.get(cluster) ?? Infinity) > i
})

const meets = ({ first, last, isHeld }: Span, { at, length }: Section, size: number): boolean => {
  const end = Math.min(last, Math.floor((at + length - 1) / size))
  for (let c = Math.max(first, Math.floor(at / size)); c <= end; c++) if (isHeld(c)) return true
  return false
}

/** The tables that other tables name: as they were known before the command, unless it has changed the tables that name them. */
export function* tablesNow(w: Work): Plan<TableOffsets> {
  const { header } = w.opened.metadata
  const known = (owner: Owner): TableOffsets | undefined =>
    w.tx.claims.some((c) => c.owner === owner) ? undefined : w.opened.tables
  return {
    l2Tables: known('active L1 table')?.l2Tables ?? (yield* l2TablesOf(header)),
    refcountBlocks: known('refcount table')?.refcountBlocks ?? (yield* refcountBlocksOf(header, w.g))
  }
}

/**
 * The first write of the command that would go over metadata of another kind, if there is one: the sections that QEMU
 * protects by default.
 *
 * @see INT-20
 */
export const overlapOf = (w: Work, tables: TableOffsets): Overlap | undefined => {
  const size = clusterSize(w.g)
  const spans = w.tx.claims.map((claim, i) => spanOf(w, claim, i))
  for (const span of spans) {
    const hit = w.opened.sections.find((s) => s.owner !== span.claim.owner && meets(span, s, size))
    if (hit !== undefined) return { claim: span.claim, section: hit.owner }
  }
  for (const { claim, first, last, isHeld } of spans)
    for (let c = first; c <= last; c++) {
      const section = tableAt(tables, c * size)
      if (section !== undefined && section !== claim.owner && isHeld(c)) return { claim, section }
    }
  return undefined
}
