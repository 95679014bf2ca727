/** `qcow2 convert`: opens the inputs, takes the way into the output, and copies dirty bitmaps. */
import * as E from 'fp-ts/lib/Either.js'
import { chainSize } from '../../image/guest/chain.js'
import { because, type CommandError, commandError, failure, get, task, wait } from '../command-error.js'
import { added, allMarked, keepSizes, type Marked } from '../images/copy-bitmaps.js'
import { keepApart } from '../files/identity.js'
import { isBlockDevice } from '../files/device.js'
import { isPipe } from '../files/stream.js'
import { guestSize } from '../images/guest.js'
import type { ImageNode } from '../images/image-node.js'
import { filesOf, type OpenChain, openImage } from '../images/open.js'
import type { Conversion, ConvertOptions, Way } from './conversion.js'
import { missingTables, PastEnd } from './past-end.js'

/** The way into the output. Each is loaded only when it is taken. */
const wayOf = async ({ over, out }: ConvertOptions, name: string): Promise<Way> => {
  const isDevice = isBlockDevice(name)
  if (over || (isDevice && out === 'raw')) return (await import('./to-existing.js')).toExisting
  if (isDevice) return (await import('./to-device.js')).toDevice
  if (isPipe(name)) return (await import('./to-pipe.js')).rawToPipe
  return out === 'qcow2' ? (await import('./to-image.js')).toImage : (await import('./to-raw.js')).toRaw
}

/** Adds bitmaps to the output. What changes images is loaded only for this. */
const addBitmaps = task(async function* (output: ImageNode, marked: readonly Marked[]) {
  if (marked.length === 0) return
  const { withImage } = await import('../images/locked-image.js')
  const { name: out } = output.file
  yield* withImage(output, { alone: true }, function* (session) {
    const context = (name: string): string => `Failed to copy the bitmap '${name}': `
    yield* get(keepSizes(out, chainSize(session.chain), marked, context))
    const done = session.all(marked.flatMap(added))
    if (E.isLeft(done)) yield* get(E.left(because('Failed to copy the bitmaps', out)(done.left.cause)))
  })
})

/** Converts the disks into a file, or a raw one into a pipe. */
const convertInto = task(async function* (
  images: readonly ImageNode[],
  output: ImageNode,
  given: ConvertOptions,
  warn: (error: CommandError) => void
) {
  const { name: out } = output.file
  const options: Conversion = { ...given, warn, pastEnd: new PastEnd(given.strict) }
  const inputs: OpenChain[] = []
  try {
    for (const image of images) inputs.push(yield* wait(openImage(image, options)))
    yield* get(keepApart(out, filesOf(inputs)))
    for (const input of inputs)
      for (const error of yield* wait(missingTables(input))) {
        if (options.strict) yield* get(E.left(error))
        warn({ ...error, message: `warning: ${error.message}` })
      }
    const { part: [from, to] = [0, Infinity] } = options
    for (const input of inputs)
      if (from > Math.min(to, guestSize(input))) warn(commandError(`${input.name}: cannot skip to specified offset`))
    const [first] = inputs
    const marked =
      options.bitmaps && first !== undefined
        ? yield* wait(allMarked(first.sources[0], options.skipBrokenBitmaps ? warn : undefined))
        : []
    yield* wait((await wayOf(options, out))(inputs, output, options))
    yield* wait(addBitmaps(output, marked))
    for (const warning of options.pastEnd.warnings()) warn(warning)
  } finally {
    for (const input of inputs) input.close()
  }
})

/**
 * Converts the disks of images, one after the other, into one output. A new one appears under its name when it is complete;
 * into a pipe a raw disk is written as it is read, and an image when it is complete.
 *
 * @param warn is called for each bitmap that is left out, and for guest data that lie past the end of a file
 */
export const convert = task(async function* (
  images: readonly ImageNode[],
  output: ImageNode,
  given: ConvertOptions,
  warn: (error: CommandError) => void
) {
  const { name } = output.file
  if (given.over || given.out === 'raw' || !isPipe(name)) return yield* wait(convertInto(images, output, given, warn))
  if (given.backing !== undefined || /(^|,)(backing_file|data_file)=/.test(given.options.join()))
    yield* get(failure(`Could not write '${name}': an image in a pipe names no other file`, { file: name }))
  const { fileToPipe } = await import('./to-pipe.js')
  yield* wait(fileToPipe(name, (path) => convertInto(images, { ...output, file: { name: path } }, given, warn)))
})
