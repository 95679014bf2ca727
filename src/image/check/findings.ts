/** Findings: what a check finds, how grave each finding is, and the totals that qemu-img prints. */
import type { ClauseId, Source } from '../../../spec/clauses/index.js'
import { type Complaint, type Issue, issue } from '../../bytes/issue.js'
import type { FieldRule, RuleTable } from '../../bytes/judgement.js'
import type { ByteRange } from '../byte-range.js'

/**
 * How grave a finding is. `corruption` and `leak` are counted as QEMU counts them, `error` keeps the check from being
 * complete; `flaw` breaks a must of the format that QEMU does not look at, `note` breaks none and is worth knowing.
 */
export type Severity = 'corruption' | 'leak' | 'error' | 'flaw' | 'note'

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
  { clause: 'BMP-17', severity: 'note' },
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

/** Whose a cluster is. */
export interface Owner extends ByteRange {
  /** QEMU's name of the section, such as `active-l1` or `refcount-block`, or one like it. @see INT-20 */
  readonly section: string
  /** Byte offset of the table entry or header field that leads here. */
  readonly entry?: number
  /** Guest bytes it holds. */
  readonly guest?: ByteRange
}

/** A finding: an issue, how grave it is, and the guest bytes it concerns where there are any. */
export interface Finding extends Issue {
  readonly severity: Severity
  readonly guest?: ByteRange
  /** Both owners of a cluster that has two. */
  readonly owners?: readonly [Owner, Owner]
}

/** How many findings of each severity there are, and how many guest clusters. @see CHK-04 and CHK-12 */
export interface Totals {
  corruptions: number
  leaks: number
  checkErrors: number
  flaws: number
  notes: number
  allocatedClusters: number
  fragmentedClusters: number
  compressedClusters: number
}

const totalOf = {
  corruption: 'corruptions',
  leak: 'leaks',
  error: 'checkErrors',
  flaw: 'flaws',
  note: 'notes'
} as const satisfies Readonly<Record<Severity, keyof Totals>>

/** Most findings of one clause that a check keeps; the totals include them all. */
const mostOfClause = 100

/** A complaint that is rendered only where it is kept: of millions few are. */
export interface LazyIssue {
  readonly clause: ClauseId
  readonly render: () => Complaint
}

/** The issue of a value that breaks a rule; `at` is the byte offset of its structure. */
export const lazily = <A, C>(
  table: RuleTable<A, C>,
  rule: FieldRule<A, C>,
  value: A,
  context: C,
  at: number
): LazyIssue => ({ clause: rule.clause, render: () => table.issue(rule, value, context, at) })

/** The findings of one check, which owns them. */
export class Findings {
  /** Findings in the order they were met, the first hundred of each clause. */
  readonly kept: Finding[] = []
  readonly totals: Totals = {
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
    flaws: 0,
    notes: 0,
    allocatedClusters: 0,
    fragmentedClusters: 0,
    compressedClusters: 0
  }
  private readonly met = new Map<ClauseId, number>()

  /** Adds a finding; `times` is how often QEMU meets it. */
  add(
    severity: Severity,
    complaint: Complaint | LazyIssue,
    times = 1,
    guest?: ByteRange,
    owners?: Finding['owners']
  ): void {
    this.totals[totalOf[severity]] += times
    const before = this.met.get(complaint.clause) ?? 0
    this.met.set(complaint.clause, before + 1)
    if (before >= mostOfClause) return
    this.kept.push({
      ...issue('render' in complaint ? complaint.render() : complaint),
      severity,
      ...(guest === undefined ? {} : { guest }),
      ...(owners === undefined ? {} : { owners })
    })
  }

  /** How many findings of a clause there are. */
  countOf(clause: ClauseId): number {
    return this.met.get(clause) ?? 0
  }

  /** How many findings of each clause were not kept. */
  leftOut(): ReadonlyMap<ClauseId, number> {
    return new Map([...this.met].flatMap(([id, n]) => (n > mostOfClause ? [[id, n - mostOfClause]] : [])))
  }
}

/** Where something is: the structure, the bytes of the file, and the field if one is meant. */
export type Location = Pick<Complaint, 'structure' | 'at' | 'size'> & { readonly field?: string }

/** A complaint about several structures together. */
export const inconsistent = (
  clause: ClauseId,
  where: Location,
  found: string,
  expected: string,
  source: Source = 'both'
): Complaint => ({ clause, phase: 'inconsistent', source, field: '', ...where, found, expected })
