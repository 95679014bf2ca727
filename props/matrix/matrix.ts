/** The matrix: what every reader made of the vectors, as corpus/matrix.json keeps it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { corpusFolder } from '../../corpus/load.js'
import { type Expected, type Found, foundText, isRight } from '../../src/node/conform/outcome.js'
import { type Run, suspects } from '../../src/node/conform/report.js'

/** The kinds of outcome. */
export const outcomes = {
  right: 'right',
  refused: 'a disk that must be read is refused',
  wrong: 'a disk of other bytes or length is read',
  accepted: 'an image that must be refused is read',
  broke: 'it dies, hangs, or ends with exit code 0 and no disk'
} as const

export type Outcome = keyof typeof outcomes

/** The kind of what was found. */
export const outcomeOf = (found: Found, expected: Expected): Outcome => {
  if (isRight(found, expected)) return 'right'
  if (found._tag === 'Refused') return 'refused'
  if (found._tag === 'Read') return expected.disk === undefined ? 'accepted' : 'wrong'
  return 'broke'
}

const Count = t.type({ right: t.number, refused: t.number, wrong: t.number, accepted: t.number, broke: t.number })

/** What was found, and where the disk first differs from that of the vector, with up to 16 bytes from there. */
const Shown = t.intersection([
  t.type({ found: t.string }),
  t.partial({ at: t.number, expected: t.string, bytes: t.string })
])
export type Shown = t.TypeOf<typeof Shown>

/** What a reader made of the vectors: what was found, by their ids, in `failed`, and, as violations state it, in `shown`. */
const Row = t.type({
  name: t.string,
  version: t.string,
  source: t.string,
  preset: t.string,
  date: t.string,
  count: Count,
  leftOut: t.number,
  clauses: t.readonlyArray(t.type({ clause: t.string, failed: t.number, passed: t.number })),
  failed: t.record(t.string, t.string),
  shown: t.record(t.string, Shown)
})
export type Row = t.TypeOf<typeof Row>

const Matrix = t.type({ vectors: t.number, readers: t.readonlyArray(Row) })
export type Matrix = t.TypeOf<typeof Matrix>

export const matrixFile = join(corpusFolder, 'matrix.json')

/** The matrix that is kept. */
export const keptMatrix = (): E.Either<unknown, Matrix> => {
  const json: unknown = JSON.parse(readFileSync(matrixFile, 'utf8'))
  return Matrix.decode(json)
}

/** Most clauses of a row. */
const mostClauses = 12

/** The row of a run. */
export const rowOf = (run: Run, about: Pick<Row, 'name' | 'version' | 'source' | 'preset' | 'date'>): Row => {
  const count = { right: 0, refused: 0, wrong: 0, accepted: 0, broke: 0 }
  const failed: Record<string, string> = {}
  for (const { vector, found, expected } of run.tried) {
    const outcome = outcomeOf(found, expected)
    count[outcome] += 1
    if (outcome !== 'right') failed[vector.id] = foundText(found, expected)
  }
  return {
    ...about,
    count,
    leftOut: run.leftOut,
    clauses: suspects(run)
      .slice(0, mostClauses)
      .map(({ clause, failed: those, passed }) => ({ clause, failed: those.length, passed })),
    failed,
    shown: {}
  }
}

/** The matrix as text: a line for each reader, that a change shows which. */
export const matrixText = ({ vectors, readers }: Matrix): string =>
  `{"vectors":${vectors},"readers":[\n${readers.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`
