/** Trials, one after the other, by the commands of a writer. */
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure, get, system, task } from '../../command-error.js'
import type { Cage } from '../cage.js'
import { execute, type Limits } from '../execute.js'
import { brokenOff, type Expected, type Found } from '../outcome.js'
import type { Tried } from '../report.js'
import { imageName, writeFiles } from '../suite.js'
import { fill, type Template, template } from '../template.js'
import { type Problem, problemOf } from './judge.js'
import { filesIn, type State, stateIn } from './state.js'
import type { Change, Outcome } from './change.js'
import { bytesOf, dataName, type Trial } from './trial.js'

/** The kinds of changes, and the places that a command for each must have. */
const places = {
  Write: ['{image}', '{offset}', '{data}'],
  Zero: ['{image}', '{offset}', '{length}'],
  Discard: ['{image}', '{offset}', '{length}'],
  Flush: ['{image}'],
  Snapshot: ['{image}', '{name}']
} as const satisfies Readonly<Record<Change['_tag'], readonly string[]>>

/** The commands of a writer by the kind of change; trials with other changes are left out. */
export type Commands = Readonly<Partial<Record<Change['_tag'], string | undefined>>>

/** The templates of a writer by the kind of change. */
export type Templates = ReadonlyMap<Change['_tag'], Template>

/** The templates of commands; fails where one lacks a place. */
export const templatesOf = (commands: Commands, shell: boolean): E.Either<CommandError, Templates> => {
  const all = new Map<Change['_tag'], Template>()
  for (const tag of ['Write', 'Zero', 'Discard', 'Flush', 'Snapshot'] as const) {
    const line = commands[tag]
    if (line === undefined) continue
    const missing = places[tag].find((place) => !line.includes(place))
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

/** The command lines of a trial, as words. */
export const linesOf = (trial: Trial, templates: Templates): readonly (readonly [string, ...string[]])[] =>
  trial.changes.flatMap((change, number) => {
    const words = templates.get(change._tag)
    return words === undefined ? [] : [fill(words, valuesOf(change, number))]
  })

/** Writes the image of a trial, and the bytes that are to be written, into a folder. */
export const writeTrial = (trial: Trial, folder: string): E.Either<CommandError, void> =>
  E.chain(() => {
    for (const [number, change] of trial.changes.entries()) {
      if (change._tag !== 'Write') continue
      const name = join(folder, dataName(number))
      const written = system('write', name, () => writeFileSync(name, bytesOf(number, change)))
      if (E.isLeft(written)) return written
    }
    return E.right(undefined)
  })(writeFiles(trial, folder))

/** What must be found of a trial. */
export const expectedOfWriter = (outcome: Outcome): Expected => ({
  refusal: outcome !== 'done',
  ...(outcome === 'refused' ? {} : { change: true })
})

const isSame = (a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean =>
  [...a].every(([name, bytes]) => Buffer.compare(bytes, b.get(name) ?? new Uint8Array(0)) === 0)

/** What a command made of the image; the first that is refused ends the trial. */
interface Done {
  readonly found?: Found
  readonly complaint: string
}

/** Name of the external data file in the vectors that have one. */
const dataFileName = 'img.raw'

/** Judges what a writer left in a folder, by the state before. */
export const judged = async (
  trial: Trial,
  folder: string,
  before: E.Either<CommandError, State>
): Promise<Pick<Tried, 'found'> & Pick<Problem, 'clause'>> => {
  if (trial.outcome === 'refused' || E.isLeft(before)) return { found: { _tag: 'Changed' } }
  const data = filesIn(folder).get(dataFileName)
  const problem = problemOf(before.right, await stateIn(folder)(), trial.changes, data)
  if (problem === undefined) return { found: { _tag: 'Changed' } }
  const { clause = trial.blames, text } = problem
  return { found: { _tag: 'Changed', wrong: text }, clause }
}

/** Runs a trial in a folder, which it makes and removes. */
export const tryTrial = task(async function* (
  trial: Trial,
  lines: readonly (readonly [string, ...string[]])[],
  { folder, limits, cage }: { readonly folder: string; readonly limits: Limits; readonly cage: Cage }
) {
  yield* get(writeTrial(trial, folder))
  const expected = expectedOfWriter(trial.outcome)
  const before = await stateIn(folder)()
  let last = filesIn(folder)
  let done: Done = { complaint: '' }
  for (const line of lines) {
    const ran = await execute(cage(line, folder), { folder, limits })
    const complaint = ran.complaint.split('\n', 1)[0] ?? ''
    const why = brokenOff(ran.end)
    if (why !== undefined) done = { found: { _tag: 'Broke', why }, complaint }
    else if (ran.end._tag === 'Exit' && ran.end.code !== 0) {
      const found: Found = isSame(last, filesIn(folder))
        ? { _tag: 'Refused' }
        : { _tag: 'Broke', why: 'refused, and changed a file' }
      done = {
        found,
        complaint: complaint === '' ? (new TextDecoder().decode(ran.printed).split('\n', 1)[0] ?? '') : complaint
      }
    }
    if (done.found !== undefined) break
    last = filesIn(folder)
  }
  const verdict: Awaited<ReturnType<typeof judged>> =
    done.found === undefined ? await judged(trial, folder, before) : { found: done.found }
  rmSync(folder, { recursive: true, force: true })
  const { clause, found } = verdict
  const clauses = [...new Set([...(clause === undefined ? [] : [clause]), ...trial.clauses])]
  const tried: Tried = { vector: { ...trial, clauses }, expected, found, complaint: done.complaint }
  return tried
})
