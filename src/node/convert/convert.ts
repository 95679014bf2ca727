/** `qcow2 convert`: opens the inputs, takes the way into the output, and copies dirty bitmaps. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { chainSize } from '../../image/guest/chain.js'
import { because, type CommandError, failure, get, task, wait } from '../command-error.js'
import { added, allMarked, type Marked, sizesDiffer } from '../images/copy-bitmaps.js'
import { openChain, type OpenChain } from '../images/open.js'
import type { ConvertOptions } from './conversion.js'

/** Takes the way into the output. Each is loaded only when it is taken. */
const write = (inputs: readonly OpenChain[], out: string, o: ConvertOptions): TaskEither<CommandError, void> =>
  task(async function* () {
    const [first, ...more] = inputs
    if (o.over) yield* wait((await import('./to-existing.js')).toExisting(inputs, out, o))
    else if (o.out === 'qcow2') yield* wait((await import('./to-image.js')).toImage(inputs, out, o))
    else if (first !== undefined && more.length === 0 && o.sparse > 0)
      yield* wait((await import('./parallel.js')).toSparseRaw(first, out, o))
    else yield* wait((await import('./to-raw.js')).toRaw(inputs, out, o))
  })

/** Adds bitmaps to the output. What changes images is loaded only for this. */
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

/** The error for an input that is no image, with what to do about it. */
const withAdvice = (error: CommandError): CommandError =>
  error.clause === 'OPEN-01' ? { ...error, message: `${error.message}; -f raw takes it as it is` } : error

/**
 * Converts the disks of images, one after the other, into one output. A new one appears under its name when it is complete.
 *
 * @param skip is called for each bitmap that is left out
 */
export const convert = (
  names: readonly string[],
  out: string,
  options: ConvertOptions,
  skip: (error: CommandError) => void
): TaskEither<CommandError, void> =>
  task(async function* () {
    const inputs: OpenChain[] = []
    try {
      for (const name of names) inputs.push(yield* get(E.mapLeft(withAdvice)(await openChain(name, options)())))
      const [first] = inputs
      const marked =
        options.bitmaps && first !== undefined
          ? yield* wait(allMarked(first, options.skipBrokenBitmaps ? skip : undefined))
          : []
      yield* wait(write(inputs, out, options))
      yield* wait(addBitmaps(out, marked))
    } finally {
      for (const input of inputs) input.close()
    }
  })
