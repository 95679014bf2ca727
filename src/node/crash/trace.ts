/** Running a program under Debian's strace, with the files of an image before and after it. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type Recorded, recordedOf, tracedCalls, type WatchedFile } from '../../crash/recorded.js'
import { eventsOf } from '../../crash/strace.js'
import type { BackingKinds } from '../../crash/presented.js'
import { apply, type Files, sameFiles } from '../../store/files.js'
import { fromBytes } from '../../store/store.js'
import { type CommandError, either, type Failed, failure, get, system, task } from '../command-error.js'
import { type End, execute } from '../conform/execute.js'
import { resolvedPath } from '../files/file.js'
import { inScratch } from '../files/scratch.js'
import type { OpenChain } from '../images/open.js'

/** Most bytes of all files together: they are held in memory. */
const most = 2 ** 28

const mebibyte = 2 ** 20

/** The files of an image, by their real paths. */
export interface Watched {
  readonly files: readonly (WatchedFile & { readonly inode: number })[]
  readonly backing: BackingKinds
}

/** The files of a chain: each image, and its external data file. */
export const watchedIn = either(function* (open: OpenChain): Generator<Failed, Watched> {
  const files: Watched['files'][number][] = []
  for (const depth of open.chain.keys())
    for (const part of ['image', 'data'] as const) {
      const source = open.fileOf({ part, depth })
      if (source === undefined) continue
      const path = yield* get(resolvedPath(source.name))
      const { size, ino } = yield* get(system('open', source.name, () => statSync(path)))
      files.push({ path, file: { part, depth }, length: size, inode: ino })
    }
  const size = files.reduce((sum, { length }) => sum + length, 0)
  if (size > most) yield* get(failure(`The files of the image have ${size} bytes, and at most ${most} are explored`))
  return { files, backing: open.chain.slice(1).map(({ _tag }) => _tag) }
})

/** The content of the files now. */
const contentOf = either(function* ({ files }: Watched): Generator<Failed, Files> {
  const all: Files[number][] = []
  for (const { path, file } of files) {
    const bytes = yield* get(system('read', path, () => new Uint8Array(readFileSync(path))))
    all.push({ file, store: fromBytes(bytes) })
  }
  return all
})

/** What a program did to an image. */
export interface Traced {
  readonly before: Files
  readonly recorded: readonly Recorded[]
  readonly end: End
  /** The first bytes that it printed to standard error. */
  readonly complaint: string
}

const options = ['-f', '-qq', '-yy', '-xx', '-s', '100000000', '-e', 'signal=none'] as const

/** The program and its arguments. */
export type Words = readonly [string, ...string[]]

/** Why the log may not be all that the program did; it has to lead from the content before to the content after. */
const keepComplete = either(function* (
  watched: Watched,
  { before, recorded }: Pick<Traced, 'before' | 'recorded'>,
  untraced: readonly string[]
): Generator<Failed, void> {
  for (const { path, inode } of watched.files) {
    const { ino } = yield* get(system('open', path, () => statSync(path)))
    if (ino !== inode)
      yield* get(
        failure(
          `The program puts another file in the place of '${path}': what a crash leaves of that is up to the file system`
        )
      )
  }
  const changes = recorded.flatMap((each) => (each._tag === 'Sync' ? [] : [each]))
  if (sameFiles(apply(changes)(before), yield* get(contentOf(watched)))) return
  const ways = untraced.length === 0 ? 'in a way that strace does not show' : untraced.join(' and ')
  yield* get(failure(`The program writes ${ways}, so that the order of its writes is not known`))
})

/** Runs a program with a log of its calls. */
const logged = async function* (
  log: string,
  words: Words,
  time: number
): AsyncGenerator<Failed, Pick<Traced, 'end' | 'complaint'> & { readonly text: string }> {
  const calls = tracedCalls.map((call) => `?${call}`).join(',')
  const line = ['strace', ...options, '-e', `trace=${calls}`, '-o', log, '--', ...words] as const
  const limits = { time, memory: 4096 * mebibyte, output: 64 * mebibyte }
  const { end, complaint } = await execute(line, { folder: process.cwd(), limits })
  if (end._tag === 'NotStarted') yield* get(failure('strace is not installed; on Debian: apt-get install strace'))
  if (end._tag === 'Limit') yield* get(failure(`'${words[0]}' took more ${end.limit} than it may`))
  return { end, complaint, text: yield* get(system('read', log, () => readFileSync(log, 'latin1'))) }
}

/**
 * Runs a program under strace, and follows what it does to the watched files. It is refused where that cannot be followed.
 *
 * @param time seconds that it may take
 */
export const traced = (watched: Watched, words: Words, time: number): TaskEither<CommandError, Traced> =>
  inScratch(
    task(async function* (folder: string): AsyncGenerator<Failed, Traced> {
      const before = yield* get(contentOf(watched))
      const { end, complaint, text } = yield* logged(join(folder, 'log'), words, time)
      const events = eventsOf(text)
      if (events.length === 0) yield* get(failure(`'${words[0]}' could not be traced: ${complaint.trim()}`))
      const found = recordedOf(events, watched.files)
      if (found._tag === 'Left') return yield* get(failure(`The order of the writes is not known: ${found.left}`))
      const { recorded, untraced } = found.right
      yield* get(keepComplete(watched, { before, recorded }, untraced))
      return { before, recorded, end, complaint }
    })
  )
