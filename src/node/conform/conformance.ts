/** A conformance run: every vector through a program, some at a time. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, get, task, wait } from '../command-error.js'
import { inScratch } from '../files/scratch.js'
import type { Cage } from './cage.js'
import { execute, type Limits } from './execute.js'
import { checkerFound, type Expected, expectedOfChecker, expectedOfReader, readerFound } from './outcome.js'
import type { Tried } from './report.js'
import { imageName, writeFiles } from './suite.js'
import { fill, type Template } from './template.js'
import type { Vector } from './vector.js'
import { linesOf, type Templates, tryTrial } from './writer/perform.js'
import type { Trial } from './writer/trial.js'

/** What is run. */
export interface Subject {
  readonly template: Template
  readonly role: 'reader' | 'checker'
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

/** Called with how many are done. */
type ShowDone = (done: number, of: number) => void

/** Does something with each, `jobs` at a time, in a folder of its own. */
const inFolders = <A>(
  all: readonly A[],
  jobs: number,
  act: (each: A, folder: string) => TaskEither<CommandError, Tried>,
  showDone: ShowDone
): TaskEither<CommandError, readonly Tried[]> =>
  inScratch(
    task(async function* (root: string) {
      const results: Tried[] = []
      const queue = all.entries()
      let done = 0
      const work = task(async function* () {
        for (const [index, each] of queue) {
          results[index] = yield* wait(act(each, join(root, String(index))))
          showDone(++done, all.length)
        }
      })
      const ended = await Promise.all(Array.from({ length: jobs }, () => work()()))
      for (const each of ended) yield* get(each)
      return results
    })
  )

/** Runs vectors through a program, `jobs` at a time. */
export const conformance = task(async function* (
  subject: Subject,
  vectors: readonly Vector[],
  jobs: number,
  showDone: ShowDone
) {
  const expectedOf = subject.role === 'reader' ? expectedOfReader : expectedOfChecker
  const asked = vectors.flatMap((vector) => {
    const expected = expectedOf(vector)
    return expected === undefined ? [] : [{ vector, expected }]
  })
  const tried = yield* wait(
    inFolders(asked, jobs, ({ vector, expected }, folder) => tryVector(subject, vector, expected, folder), showDone)
  )
  return { tried, leftOut: vectors.length - asked.length }
})

/** Runs trials by the commands of a writer; those that need a command that there is not are left out. */
export const writerConformance = task(async function* (
  { templates, ...around }: { readonly templates: Templates; readonly limits: Limits; readonly cage: Cage },
  trials: readonly Trial[],
  jobs: number,
  showDone: ShowDone
) {
  const asked = trials.filter(({ changes }) => changes.every(({ _tag }) => templates.has(_tag)))
  const tried = yield* wait(
    inFolders(
      asked,
      jobs,
      (trial, folder) => tryTrial(trial, linesOf(trial, templates), { ...around, folder }),
      showDone
    )
  )
  return { tried, leftOut: trials.length - asked.length }
})
