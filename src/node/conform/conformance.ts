/** A conformance run: every vector through a program, some at a time. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { get, task, wait } from '../command-error.js'
import type { Cage } from './cage.js'
import { execute, type Limits } from './execute.js'
import { checkerFound, type Expected, expectedOfChecker, expectedOfReader, readerFound } from './outcome.js'
import type { Run, Tried } from './report.js'
import { imageName, writeFiles } from './suite.js'
import { fill, type Template } from './template.js'
import type { Vector } from './vector.js'

/** What is run. */
export interface Subject {
  readonly command: string
  readonly template: Template
  readonly role: Run['role']
  readonly limits: Limits
  readonly cage: Cage
}

const outName = 'out.raw'

const tryVector = task(async function* (subject: Subject, vector: Vector, expected: Expected, folder: string) {
  yield* get(writeFiles(vector, folder))
  const { template, role, limits, cage } = subject
  const out = template.hasOut ? join(folder, outName) : undefined
  const words = cage(fill(template, { image: imageName, out: outName }), folder)
  const ran = await execute(words, { folder, limits, ...(out === undefined ? {} : { out }) })
  const found = role === 'reader' ? readerFound(ran, expected, out) : checkerFound(ran)
  rmSync(folder, { recursive: true, force: true })
  const tried: Tried = { vector, expected, found, complaint: ran.complaint.split('\n', 1)[0] ?? '' }
  return tried
})

/** Runs vectors through a program, `jobs` at a time; `showDone` is called with how many are done. */
export const conformance = task(async function* (
  subject: Subject,
  vectors: readonly Vector[],
  jobs: number,
  showDone: (done: number, of: number) => void
) {
  const expectedOf = subject.role === 'reader' ? expectedOfReader : expectedOfChecker
  const asked = vectors.flatMap((vector) => {
    const expected = expectedOf(vector)
    return expected === undefined ? [] : [{ vector, expected }]
  })
  const root = mkdtempSync(join(tmpdir(), 'qcow2-conform-'))
  const results: Tried[] = []
  const queue = asked.entries()
  let done = 0
  const work = task(async function* () {
    for (const [index, { vector, expected }] of queue) {
      results[index] = yield* wait(tryVector(subject, vector, expected, join(root, String(index))))
      showDone(++done, asked.length)
    }
  })
  try {
    const all = await Promise.all(Array.from({ length: jobs }, () => work()()))
    for (const each of all) yield* get(each)
  } finally {
    if (existsSync(root)) rmSync(root, { recursive: true, force: true })
  }
  return { tried: results, leftOut: vectors.length - asked.length }
})
