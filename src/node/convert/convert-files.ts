/** `qcow2 convert` of any disks into any file: an image or a raw file, a new one or with -n one that is there. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { chainSize } from '../../image/guest/chain.js'
import { because, type CommandError, failure, get, task, wait } from '../command-error.js'
import { added, allMarked, type Marked, sizesDiffer } from '../images/copy-bitmaps.js'
import { openChain, type OpenChain, type OpenOptions } from '../images/open.js'
import { convertToNew, type NewWords } from './convert-qcow2.js'

/** What the command line says beside the names and what is opened. */
export interface ConvertWords extends NewWords {
  readonly out: 'raw' | 'qcow2'
  /** Whether the output is there. */
  readonly over: boolean
  /** Whether the output holds zeros only. */
  readonly targetIsZero: boolean
  /** Whether those in use are left out; else they are refused. */
  readonly skipBrokenBitmaps: boolean
}

/** Takes over dirty bitmaps. What changes images is loaded only for this. */
const addBitmaps = (out: string, marked: readonly Marked[]): TaskEither<CommandError, void> =>
  task(async function* () {
    if (marked.length === 0) return
    const { withImage } = await import('../images/locked-image.js')
    const copied = withImage(out, { alone: true }, function* (session) {
      const disk = chainSize(session.chain)
      const other = marked.find(({ size }) => size !== disk)
      if (other !== undefined)
        yield* get(failure(`Failed to copy the bitmap '${other.name}': ${sizesDiffer(disk, other)}`, { file: out }))
      const done = session.all(marked.flatMap(added))
      if (E.isLeft(done)) yield* get(E.left(because('Failed to copy the bitmaps', out)(done.left.cause)))
    })
    yield* wait(copied)
  })

/** Writes over what is there, or a raw file. What locks files is loaded only for this. */
const convertInto = (
  inputs: readonly OpenChain[],
  out: string,
  options: OpenOptions,
  words: ConvertWords
): TaskEither<CommandError, void> =>
  task(async function* () {
    const { convertOver, convertToRaw } = await import('./convert-into.js')
    yield* wait(
      words.over ? convertOver(inputs, out, words.out, options.allow, words) : convertToRaw(inputs, out, words)
    )
  })

/** Makes the output from inputs that are open. */
const convertAll = (
  inputs: readonly OpenChain[],
  out: string,
  options: OpenOptions,
  words: ConvertWords,
  report: (error: CommandError) => void
): TaskEither<CommandError, void> =>
  task(async function* () {
    const [first] = inputs
    const marked =
      words.bitmaps && first !== undefined
        ? yield* wait(allMarked(first, words.skipBrokenBitmaps ? report : undefined))
        : []
    yield* wait(
      words.over || words.out === 'raw' ? convertInto(inputs, out, options, words) : convertToNew(inputs, out, words)
    )
    yield* wait(addBitmaps(out, marked))
  })

/** What to do about an input that is no image. */
const withAdvice = (error: CommandError): CommandError =>
  error.clause === 'OPEN-01' ? { ...error, message: `${error.message}; -f raw takes it as it is` } : error

/** Converts disks into one file. A new file appears under its name when it is complete. */
export const convertFiles = (
  names: readonly string[],
  out: string,
  options: OpenOptions,
  words: ConvertWords,
  report: (error: CommandError) => void
): TaskEither<CommandError, void> =>
  task(async function* () {
    const inputs: OpenChain[] = []
    try {
      for (const name of names) inputs.push(yield* get(E.mapLeft(withAdvice)(await openChain(name, options)())))
      yield* wait(convertAll(inputs, out, options, words, report))
    } finally {
      for (const input of inputs) input.close()
    }
  })
