/** Trials of a writer: its command for each change is run, and what the commands leave is judged. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { ClauseId } from '../../../../spec/clauses/index.js'
import { actOnEach, type CommandError, failure, get, system, task, wait } from '../../command-error.js'
import type { Cage } from '../cage.js'
import { execute, type Limits, mostComplaint, type Ran } from '../execute.js'
import { brokenOff, type Expected, type Found } from '../outcome.js'
import type { Tried } from '../report.js'
import { imageName, writeFiles } from '../suite.js'
import { fill, type Template, template } from '../template.js'
import type { Change, Outcome } from './change.js'
import { problemOf } from './judge.js'
import { filesIn, type State, stateIn } from './state.js'
import { bytesOf, dataName, type Trial } from './trial.js'

/** Each kind of change, and the places that a command for it must have. */
const places = [
  ['Write', '{image}', '{offset}', '{data}'],
  ['Zero', '{image}', '{offset}', '{length}'],
  ['Discard', '{image}', '{offset}', '{length}'],
  ['Flush', '{image}'],
  ['Snapshot', '{image}', '{name}']
] as const satisfies readonly (readonly [Change['_tag'], ...(readonly string[])])[]

/** The commands of a writer by the kind of change; trials with other changes are left out. */
export type Commands = Readonly<Partial<Record<Change['_tag'], string | undefined>>>

/** The templates of a writer by the kind of change. */
export type Templates = ReadonlyMap<Change['_tag'], Template>

/**
 * The templates of commands. Fails with the first command that lacks a place, has no words or leaves a quote open.
 *
 * @param shell whether `/bin/sh` runs the commands
 */
export const templatesOf = (commands: Commands, shell: boolean): E.Either<CommandError, Templates> => {
  const all = new Map<Change['_tag'], Template>()
  for (const [tag, ...needed] of places) {
    const line = commands[tag]
    if (line === undefined) continue
    const missing = needed.find((place) => !line.includes(place))
    if (missing !== undefined) return failure(`The command '${line}' has no place ${missing}`)
    const made = template(line, shell)
    if (E.isLeft(made)) return made
    all.set(tag, made.right)
  }
  return E.right(all)
}

/** The names and numbers that a change puts into the places of its command. */
const valuesOf = (change: Change, number: number): Readonly<Record<string, string>> => ({
  image: imageName,
  data: dataName(number),
  ...('at' in change ? { offset: String(change.at), length: String(change.length) } : {}),
  ...('name' in change ? { name: change.name } : {})
})

/** The command lines of a trial, as words. A change without a template has none. */
export const linesOf = (trial: Trial, templates: Templates): readonly (readonly [string, ...string[]])[] =>
  trial.changes.flatMap((change, number) => {
    const words = templates.get(change._tag)
    return words === undefined ? [] : [fill(words, valuesOf(change, number))]
  })

/** Writes the files of a trial into a folder, which it makes: those of its vector, and a file of bytes for each write. */
export const writeTrial = (trial: Trial, folder: string): E.Either<CommandError, void> =>
  E.chain(() =>
    actOnEach(trial.changes.entries(), ([number, change]) => {
      if (change._tag !== 'Write') return E.right(undefined)
      const name = join(folder, dataName(number))
      return system('write', name, () => writeFileSync(name, bytesOf(number, change)))
    })
  )(writeFiles(trial, folder))

/** The outcomes of a trial that are right. */
const expectedOfWriter = (outcome: Outcome): Expected => ({
  refusal: outcome !== 'done',
  ...(outcome === 'refused' ? {} : { change: true })
})

/** Whether the files of `a` are the same in `b`, which may have others. */
export const hasSameFiles = (a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean =>
  [...a].every(([name, bytes]) => Buffer.compare(bytes, b.get(name) ?? new Uint8Array(0)) === 0)

/** What was found of a trial, and the clause that it breaks. */
export interface Verdict {
  readonly found: Found
  readonly clause?: ClauseId
}

/** What a command that failed ends its trial with; `undefined` if its exit code was 0. */
const failureOf = ({ end }: Ran, isUnchanged: () => boolean): Found | undefined => {
  const why = brokenOff(end)
  if (why !== undefined) return { _tag: 'Broke', why }
  if (end._tag === 'Exit' && end.code === 0) return undefined
  return isUnchanged() ? { _tag: 'Refused' } : { _tag: 'Broke', why: 'refused, and changed a file' }
}

/** The first line of standard error, or else of standard output. */
const complaintOf = ({ complaint, printed }: Ran): string =>
  (complaint === '' ? new TextDecoder().decode(printed.subarray(0, mostComplaint)) : complaint).split('\n', 1)[0] ?? ''

/** The state of the image that a trial changes; `undefined` where a writer must refuse it. Fails where the image does not read. */
export const stateBefore = (trial: Trial, folder: string): TE.TaskEither<CommandError, State | undefined> =>
  trial.outcome === 'refused' ? TE.right(undefined) : stateIn(folder)

/**
 * The verdict on what a writer left in a folder, all commands of which ended with exit code 0.
 *
 * @param before the state that it had to change; `undefined` where it had to refuse
 */
export const judged = async (trial: Trial, folder: string, before: State | undefined): Promise<Verdict> => {
  const problem = before === undefined ? undefined : problemOf(before, await stateIn(folder)(), trial.changes)
  if (problem === undefined) return { found: { _tag: 'Changed' } }
  const { clause = trial.blames, text } = problem
  return { found: { _tag: 'Changed', wrong: text }, clause }
}

/** A trial that was run, for a report: the clause that was broken comes before its own. */
export const triedOf = (trial: Trial, { found, clause }: Verdict, complaint: string): Tried => {
  const clauses = [...new Set([...(clause === undefined ? [] : [clause]), ...trial.clauses])]
  return { vector: { ...trial, clauses }, expected: expectedOfWriter(trial.outcome), found, complaint }
}

/**
 * Runs the commands of a trial in a folder, which it makes and removes. The first command that fails ends the trial: its
 * exit code is a refusal if the files are as they were before it. Fails where the files of the trial cannot be written, or
 * its image does not read.
 */
export const tryTrial = task(async function* (
  trial: Trial,
  lines: readonly (readonly [string, ...string[]])[],
  { folder, limits, cage }: { readonly folder: string; readonly limits: Limits; readonly cage: Cage }
) {
  yield* get(writeTrial(trial, folder))
  try {
    const before = yield* wait(stateBefore(trial, folder))
    for (const line of lines) {
      const last = filesIn(folder)
      const ran = await execute(cage(line, folder), { folder, limits })
      const found = failureOf(ran, () => hasSameFiles(last, filesIn(folder)))
      if (found !== undefined) return triedOf(trial, { found }, complaintOf(ran))
    }
    return triedOf(trial, await judged(trial, folder, before), '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
