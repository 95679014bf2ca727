/** The outcome of a script as text, a line for each write. */
import { digestOf } from './capture.js'
import type { Answer, PlainIssue, PlainOutcome, PlainWrite } from './protocol.js'

const writeText = ({ op, file, at, length, bytes }: PlainWrite): string =>
  [op, file, at, length, bytes === undefined ? undefined : digestOf(bytes)]
    .filter((word) => word !== undefined)
    .join(' ')

const issueText = ({ clause, phase, source, structure, field, at, size, message }: PlainIssue): string =>
  `${clause} ${phase} ${source} '${structure}' '${field}' ${at} ${size}: ${message}`

const textOf = ({ refused, writes, stages, claims }: PlainOutcome): string =>
  [
    ...refused.map((issue) => `refused ${issueText(issue)}`),
    ...writes.map(writeText),
    ...stages.flatMap((stage, i) => stage.map((write) => `stage ${i} ${writeText(write)}`)),
    ...claims.map((claim) => `claim ${claim}`)
  ].join('\n')

/** An answer for each line. */
export function* answersOf(outcomes: Iterable<PlainOutcome>, note: (label: string) => void): Generator<Answer> {
  for (const outcome of outcomes) {
    const { line, refused, writes } = outcome
    yield { label: line, code: refused[0]?.clause ?? 'done', text: `${textOf(outcome)}\n`, writes: writes.length }
    note(`after ${line}`)
  }
}
