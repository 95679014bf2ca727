/** Rules: what a part of a structure must satisfy, from the rule tables of the format. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import type { FieldRule } from '../bytes/judgement.js'
import type { Placed } from '../bytes/struct.js'
import { bitmapFixed, bitmapRules } from '../format/bitmap-directory.js'
import { bitmapTableRules } from '../format/bitmap.js'
import { additionalFields, headerFields } from '../format/header.js'
import { headerRules } from '../format/header-rules.js'
import { l1Rules } from '../format/l1.js'
import { l2Rules } from '../format/l2-rules.js'
import { refcountTableRules } from '../format/refcount.js'
import { snapshotFixed, snapshotRules } from '../format/snapshot.js'

/** A rule: what is expected, whose demand it is, and its clause. */
export interface ShownRule {
  readonly field: string
  readonly expected: string
  readonly source: Source
  readonly clause: ClauseId
}

type AnyRule = Pick<FieldRule<unknown>, 'field' | 'part' | 'expected' | 'source' | 'clause'>

const shown = ({ field, part, expected, source = 'both', clause }: AnyRule): ShownRule => ({
  field: part ?? field,
  expected,
  source,
  clause
})

/** The rules about the row of this name. */
const ofRow = (rows: readonly Placed[], rules: readonly AnyRule[], name: string): readonly ShownRule[] => {
  const key = rows.find(({ row }) => row.name === name)?.key
  return rules.filter(({ field }) => field === key).map((rule) => shown({ ...rule, field: name }))
}

/** The rules of a part of a structure: of one field where it has fields, of the whole entry where it has bits. */
export const rulesFor = (structure: string, part: string): readonly ShownRule[] => {
  const field = part.replace(/^entry \d+: /, '')
  switch (structure) {
    case 'header':
      return ofRow(
        [...headerFields.rows, ...additionalFields.rows],
        [...headerFields.rules, ...additionalFields.rules, ...headerRules.rules],
        field
      )
    case 'snapshot table':
      return ofRow(snapshotFixed.rows, snapshotRules.rules, field)
    case 'bitmap directory':
      return ofRow(bitmapFixed.rows, bitmapRules.rules, field)
    case 'L1 table':
      return l1Rules.rules.map(shown)
    case 'L2 table':
      return l2Rules.rules.map(shown)
    case 'refcount table':
      return refcountTableRules.rules.map(shown)
    case 'bitmap table':
      return bitmapTableRules.rules.map(shown)
    default:
      return []
  }
}
