/** The verdict on an image: the outcome of a check, with its findings by severity. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../bytes/issue.js'
import type { Plan } from '../bytes/plan.js'
import { examine, type Examined } from '../image/check/check.js'
import type { Finding, Severity, Totals } from '../image/check/findings.js'
import type { CheckReport } from '../image/check/report.js'
import { readMetadata } from '../image/metadata.js'
import type { Counted } from './host-map.js'

/** The outcome of a check. */
export interface Verdict {
  /** In one word; `refused` where no reader opens the image. */
  readonly state: 'clean' | 'flawed' | 'leaks' | 'corrupt' | 'refused'
  /** The numbers of findings, or why there are none, in one line. */
  readonly text: string
  readonly counts: Partial<Pick<CheckReport, 'corruptions' | 'leaks' | 'checkErrors' | 'flaws' | 'notes'>>
  readonly findings: readonly Finding[]
  /** How many findings are not among them. */
  readonly leftOut: number
}

/** From the gravest to the least. */
const severities: readonly Severity[] = ['error', 'corruption', 'leak', 'flaw', 'note']

/** The order of findings in the page: by severity, then by offset. */
const compare = (a: Finding, b: Finding): number => {
  const graver = severities.indexOf(a.severity) - severities.indexOf(b.severity)
  return graver === 0 ? a.at - b.at : graver
}

/** Findings in the order of the page, without the decoded values, which no message can carry. */
const bySeverity = (findings: readonly Finding[]): readonly Finding[] =>
  findings.map((f) => ({ ...f, value: undefined, context: [] })).toSorted(compare)

const plural = (n: number, word: string, many = `${word}s`): readonly string[] =>
  n === 0 ? [] : [`${n} ${n === 1 ? word : many}`]

/** The verdict on an image that is not opened, over these issues. */
const refusedFor = (issues: readonly Issue[]): Verdict => ({
  state: 'refused',
  text: 'no reader opens it',
  counts: {},
  findings: bySeverity(issues.map((i) => ({ ...i, severity: 'error' }))),
  leftOut: 0
})

const stateOf = ({ corruptions, checkErrors, leaks, flaws }: Totals): Verdict['state'] => {
  if (corruptions + checkErrors > 0) return 'corrupt'
  if (leaks > 0) return 'leaks'
  return flaws > 0 ? 'flawed' : 'clean'
}

const verdictOf = ({ state }: Examined): Verdict => {
  const { totals, kept } = state.findings
  const { corruptions, leaks, checkErrors, flaws, notes } = totals
  const words = [
    ...plural(checkErrors, 'error'),
    ...plural(corruptions, 'corruption'),
    ...plural(leaks, 'leak'),
    ...plural(flaws, 'flaw'),
    ...plural(notes, 'note')
  ]
  return {
    state: stateOf(totals),
    text: words.length === 0 ? 'no errors' : words.join(', '),
    counts: { corruptions, leaks, checkErrors, flaws, notes },
    findings: bySeverity(kept),
    leftOut: [...state.findings.leftOut().values()].reduce((a, b) => a + b, 0)
  }
}

/** A verdict, and what was counted for it. */
export interface Judged {
  readonly verdict: Verdict
  readonly counted?: Counted
}

/** Checks an image of `fileLength` bytes. */
export function* judge(fileLength: number): Plan<Judged> {
  const m = yield* readMetadata()
  if (E.isLeft(m)) return { verdict: refusedFor(m.left) }
  const examined = yield* examine(m.right, fileLength)
  if (E.isLeft(examined)) return { verdict: refusedFor([...examined.left, ...others(m.right.issues, examined.left)]) }
  const { state } = examined.right
  const verdict = verdictOf(examined.right)
  const { refcounts, references } = state
  return { verdict, counted: { refcounts: refcounts.counts, references, findings: verdict.findings } }
}

/** The issues that are not among the first ones. */
const others = (issues: readonly Issue[], first: readonly Issue[]): readonly Issue[] =>
  issues.filter((i) => first.every((f) => f.message !== i.message))
