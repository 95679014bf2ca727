/** The way into a new image, which appears under its name when it is complete. */
import * as E from 'fp-ts/lib/Either.js'
import { hasBitmaps } from '../../format/bitmap-directory.js'
import { SequentialImageWriter } from '../../transition/create/image-writer.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { either, failure, get, inContext, keepRules, task, wait } from '../command-error.js'
import { AsyncWriter } from '../files/async-writer.js'
import { keepApart } from '../files/identity.js'
import { beside, newImage } from '../files/new-image.js'
import { backingSize, filesOf, type OpenChain } from '../images/open.js'
import { createOptions, inQemuWords, keepsDataFile } from '../text/create-options.js'
import { optionTexts } from '../text/image-options.js'
import { type Conversion, type ConvertOptions, copiedSize, copyDisks, type Way } from './conversion.js'
import { compressedSink, type ImageOutput, imageSink } from './image-sinks.js'

/** The options of the new image, by name. */
const textsOf = either(function* (o: ConvertOptions, inputs: number) {
  const texts = yield* get(optionTexts(o))
  const kept = keepRules([
    [
      yield* get(keepsDataFile(texts)),
      "Parameter 'keep_data_file' is not supported: convert writes the whole data file; create an image over it with create"
    ],
    [
      texts.has('backing_file') && inputs > 1,
      'Having a backing file for the target makes no sense when concatenating multiple input images'
    ],
    [texts.has('backing_file') && !texts.has('backing_fmt'), 'Backing file specified without backing format'],
    [
      o.compress && (texts.get('preallocation') ?? 'off') !== 'off',
      'Compression and preallocation not supported at the same time'
    ],
    [o.compress && texts.has('data_file'), 'Compression not supported with an external data file [DATA-10]']
  ])
  yield* get(kept)
  return texts
})

/** What is to be created, and the bytes of the disk of its backing file, if there is one. */
export const creationOf = task(async function* (inputs: readonly OpenChain[], out: string, o: ConvertOptions) {
  const texts = yield* get(textsOf(o, inputs.length))
  const options = yield* get(createOptions(texts, copiedSize(inputs, o)))
  if (o.bitmaps && !hasBitmaps(options.version ?? 3))
    yield* get(failure('an image of version 2 holds no bitmaps [BMP-14]', { clause: 'BMP-14' }))
  const { backing: below } = options
  const backing = below === undefined ? undefined : yield* wait(backingSize(out, below.name, below.format))
  const writer = yield* get(
    E.mapLeft(inQemuWords('Could not create the image', out))(SequentialImageWriter.of(options))
  )
  return { options, writer, backing }
})

/** Copies the disks into the image, compressed by a pool of threads if asked for. What compresses is loaded only then. */
const copy = task(async function* (
  inputs: readonly OpenChain[],
  image: ImageOutput,
  writes: AsyncWriter,
  o: Conversion,
  { compressionType = 'zlib' }: CreateOptions
) {
  const { barrier } = writes
  if (!o.compress) return yield* wait(copyDisks(inputs, { ...imageSink(image), barrier }, o))
  const { openCompressorPool } = await import('../compression/compressor-pool.js')
  const pool = await openCompressorPool(compressionType)
  try {
    yield* wait(copyDisks(inputs, { ...compressedSink(image, pool), barrier }, o))
  } finally {
    await pool.close()
  }
})

/** Converts into a new image. */
export const toImage: Way = task(async function* (inputs, { file: { name: out } }, o) {
  const { options, writer, backing } = yield* get(E.mapLeft(inContext(out))(await creationOf(inputs, out, o)()))
  const { dataFile } = options
  if (dataFile !== undefined) yield* get(keepApart(beside(out, dataFile.name), filesOf(inputs)))
  const needsZeros = backing !== undefined && options.preallocation === 'off'
  const writes = new AsyncWriter()
  const files = yield* wait(newImage(out, options, (...write) => writes.put(...write)))
  const image: ImageOutput = {
    name: out,
    writer,
    // Nobody relies on the file before it has its name, nor on its being durable before somebody flushes it.
    perform: (write) => (write._tag === 'Flush' ? E.right(undefined) : files.perform(write)),
    zerosFrom: needsZeros ? Math.ceil(backing / writer.clusterSize) * writer.clusterSize : Infinity,
    // A cluster of zeros is not compressed.
    sparse: o.compress ? Math.min(o.sparse, 1) : o.sparse,
    overBacking: backing !== undefined
  }
  try {
    yield* wait(copy(inputs, image, writes, o, options))
    yield* wait(writes.end)
    yield* get(files.publish())
  } finally {
    await writes.end()
    files.discard()
  }
})
