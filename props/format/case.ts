/** A case of a clause: how it is written. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import type { Phase } from '../../src/bytes/issue.js'
import type { Geometry } from '../../src/format/geometry.js'
import type { StructureName } from './readers.js'

/** How the issue is judged: its phase, whose rule it is, and QEMU's opening check where that is another clause. */
type Verdict = `${Phase} ${Source}` | `${Phase} ${Source} ${ClauseId}`

/**
 * Bytes that break a clause, the nearest bytes that do not, and what the issue says.
 *
 * A patch is `at bytes` (notation.ts), several are joined by `; `, and `cut n` keeps the first n bytes. ` | ` stands
 * between patches of which each keeps the clause.
 */
type Row = readonly [
  clause: ClauseId,
  title: string,
  /** What is done to the base. */
  patch: string,
  /** Field, byte offset and size in the issue. */
  place: string,
  verdict: Verdict,
  /** What may be done to the base, next to what may not. */
  near: string,
  /** The other clauses that the patch breaks as well. */
  also?: readonly ClauseId[]
]

export interface Case {
  readonly structure: StructureName
  /** Bytes that break no rule. */
  readonly base: string
  readonly geometry: Partial<Geometry>
  readonly row: Row
}

/** Cases of one structure, whose patches are done to one base. */
export const on = (
  structure: StructureName,
  base: string,
  geometry: Partial<Geometry>,
  ...rows: readonly Row[]
): readonly Case[] => rows.map((row) => ({ structure, base, geometry, row }))
