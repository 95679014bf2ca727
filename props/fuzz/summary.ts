/** Summaries of campaigns, as JSON lines; those of shards add up. */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { PathReporter } from 'io-ts/lib/PathReporter.js'

const OfTarget = t.type({ executions: t.number, seconds: t.number, finds: t.number })
export type OfTarget = t.TypeOf<typeof OfTarget>

const Summary = t.type({
  summary: t.literal(true),
  executions: t.number,
  seconds: t.number,
  cpu_seconds: t.number,
  /** Executions in a second of processor time: what one core does that has nothing else to do. */
  per_cpu_second: t.number,
  /** Edges that were passed; of shards those of the one that passed the most. */
  edges: t.number,
  /** Images in the corpus at the end. */
  corpus: t.number,
  /** Bytes of an input in the median; of shards the mean of theirs. */
  median_bytes: t.number,
  /** Kinds of finds, and how many of each. */
  finds: t.record(t.string, t.number),
  targets: t.record(t.string, OfTarget)
})
export type Summary = t.TypeOf<typeof Summary>

const rounded = (n: number): number => Math.round(n * 100) / 100

const added = <A>(all: readonly Readonly<Record<string, A>>[], plus: (a: A, b: A) => A): Record<string, A> => {
  const sum: Record<string, A> = {}
  for (const [key, value] of all.flatMap((each) => Object.entries(each))) {
    const before = sum[key]
    sum[key] = before === undefined ? value : plus(before, value)
  }
  return sum
}

const both = (a: OfTarget, b: OfTarget): OfTarget => ({
  executions: a.executions + b.executions,
  seconds: rounded(a.seconds + b.seconds),
  finds: a.finds + b.finds
})

/** The summary of campaigns that ran beside each other, or one after the other. */
export const merged = (all: readonly Summary[]): Summary => {
  const sum = (of: (s: Summary) => number): number => all.reduce((n, s) => n + of(s), 0)
  const most = (of: (s: Summary) => number): number => all.reduce((n, s) => Math.max(n, of(s)), 0)
  const [executions, cpu] = [sum((s) => s.executions), sum((s) => s.cpu_seconds)]
  return {
    summary: true,
    executions,
    seconds: rounded(most((s) => s.seconds)),
    cpu_seconds: rounded(cpu),
    per_cpu_second: Math.round(executions / Math.max(cpu, 0.01)),
    edges: most((s) => s.edges),
    corpus: most((s) => s.corpus),
    median_bytes: Math.round(sum((s) => s.median_bytes) / Math.max(1, all.length)),
    finds: added(
      all.map((s) => s.finds),
      (a, b) => a + b
    ),
    targets: added(
      all.map((s) => s.targets),
      both
    )
  }
}

/** Prints one JSON line. */
export const print = (line: object): void => {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** The summary that the output of a campaign ends with. */
export const summaryIn = (name: string, output: string): Summary => {
  const last = output.trimEnd().split('\n').at(-1) ?? ''
  const json = E.tryCatch((): unknown => JSON.parse(last), String)
  const decoded = Summary.decode(E.isRight(json) ? json.right : undefined)
  if (E.isRight(decoded)) return decoded.right
  throw new Error(`${name} does not end with a summary: ${PathReporter.report(decoded)[0] ?? ''}`)
}

export const findsIn = ({ finds }: Summary): number => Object.values(finds).reduce((n, each) => n + each, 0)
