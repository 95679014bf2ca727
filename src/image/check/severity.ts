/** Severity: how grave it is, to a check, that a value breaks a rule of its structure. */
import type { ClauseId, Source } from '../../../spec/clauses/index.js'
import type { FieldRule, RuleTable } from '../../bytes/judgement.js'
import type { LazyIssue, Severity } from './findings.js'

/** Rules of another severity than their source gives them; without `field` in any field. */
const exceptions: readonly { readonly clause: ClauseId; readonly field?: string; readonly severity: Severity }[] = [
  // QEMU's check reads the zero flag of an entry in version 2, and its reader refuses it.
  { clause: 'L2-05', field: 'zero', severity: 'flaw' },
  // The tree of the snapshot is not checked.
  { clause: 'SNAP-07', field: 'l1_table_offset', severity: 'error' },
  // The format's text permits them.
  { clause: 'SNAP-12', severity: 'note' },
  { clause: 'SNAP-01', field: 'vm_state_size', severity: 'note' },
  { clause: 'BMP-11', severity: 'note' },
  { clause: 'EXT-11', severity: 'note' }
]

/** The severity of a broken rule: a rule of the format's text alone is a flaw, one of QEMU's a corruption, but for exceptions. */
export const severityOf = (rule: {
  readonly clause: ClauseId
  readonly field: string
  readonly source?: Source
}): Severity =>
  exceptions.find((e) => e.clause === rule.clause && (e.field === undefined || e.field === rule.field))?.severity ??
  (rule.source === 'format' ? 'flaw' : 'corruption')

/** The issue of a value that breaks a rule; `at` is the byte offset of its structure. */
export const lazily = <A, C>(
  table: RuleTable<A, C>,
  rule: FieldRule<A, C>,
  value: A,
  context: C,
  at: number
): LazyIssue => ({ clause: rule.clause, render: () => table.issue(rule, value, context, at) })
