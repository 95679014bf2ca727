/** Issues of the entries of tables, of which hostile images have millions. */
import type { ClauseId } from '../../spec/clauses/index.js'
import type { Issue } from '../bytes/issue.js'
import type { RuleTable } from '../bytes/judgement.js'

/** Most issues of one clause that are kept of the entries of a table. */
const mostOfClause = 100

/** The issues of a table's entries, in their order. One reader owns it. */
export class EntryIssues {
  readonly kept: Issue[] = []
  private readonly met = new Map<ClauseId, number>()

  /** Adds issues; those that are too many are left out. */
  add(issues: readonly Issue[]): void {
    for (const issue of issues) if (this.hasRoom(issue.clause)) this.kept.push(issue)
  }

  /** Judges an entry at byte `at`. */
  judge<A, C>(rules: RuleTable<A, C>, entry: A, context: C, at: number): void {
    for (const rule of rules.brokenBy(entry, context))
      if (this.hasRoom(rule.clause)) this.kept.push(rules.issue(rule, entry, context, at))
  }

  private hasRoom(clause: ClauseId): boolean {
    const n = (this.met.get(clause) ?? 0) + 1
    this.met.set(clause, n)
    return n <= mostOfClause
  }
}
