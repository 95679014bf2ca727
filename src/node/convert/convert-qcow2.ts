/** `qcow2 convert -O qcow2`: a new image of the guest disks of others, one behind the other. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../bytes/host-write.js'
import { showFailure } from '../../bytes/run-async.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { SequentialImageWriter } from '../../transition/create/image-writer.js'
import { backingSize } from '../images/new-backing.js'
import { AsyncWriter, maxRounds } from '../files/async-writer.js'
import { Clusters, sparseUnit } from './clusters.js'
import { createOptions } from '../text/create-options.js'
import { optionTexts, type OptionTexts } from '../text/image-options.js'
import { optionsOfAll } from '../text/option-list.js'
import { type Piece, putPieces, sizeOfAll } from '../images/guest.js'
import { type NewImage, newImage } from '../files/new-image.js'
import type { OpenChain } from '../images/open.js'
import { type Counted, progressOf } from './progress.js'
import { leavingOut, plainSink, type Sink } from './sink.js'

/** What the command line says of the new image. */
export interface NewWords {
  readonly compress: boolean
  readonly options: readonly string[]
  readonly backing?: string
  readonly backingFormat?: string
  /** Bytes of zeros from which on they are left out; 0: never. */
  readonly sparse: number
  readonly progress: boolean
  readonly quiet: boolean
  /** Whether dirty bitmaps are taken over. */
  readonly bitmaps: boolean
}

interface Job {
  readonly inputs: readonly OpenChain[]
  readonly fill: SequentialImageWriter
  readonly files: NewImage
  readonly writer: AsyncWriter
  readonly words: NewWords
  /** Bytes of the new disk, and of that of its backing file; none without one. */
  readonly size: number
  readonly backing: number | undefined
}

/** Whether bytes are the input's own, or are left to the backing file of the new image. */
const isOwn = (input: OpenChain, backing: number | undefined, piece: Piece): boolean =>
  backing === undefined || (piece.depth === 0 && !(piece.absent && input.chain.length > 1))

/** Puts every input into the image; tells why one cannot be read. */
const fillFrom = async (
  { inputs, writer, words, size, backing, fill }: Job,
  sink: Sink
): Promise<string | undefined> => {
  // What is compressed is left out where a cluster is zeros, or never.
  const sparse = words.compress ? Math.min(words.sparse, 1) : words.sparse
  const clusters = new Clusters(sparseUnit(fill.clusterSize, sparse), size, sparse)
  const counted: Counted = (depth, zeros) => (backing === undefined || depth === 0) && !(zeros && words.sparse > 0)
  const progress = await progressOf(inputs, words, counted, words.compress ? fill.clusterSize : undefined)
  for (const input of inputs) {
    const take = async (piece: Piece): Promise<undefined> => {
      for (const stretch of clusters.add(piece.length, piece.bytes, isOwn(input, backing, piece))) {
        const put = sink.put(stretch)
        if (put !== undefined) await put
      }
      await writer.barrier()
      progress?.copied(piece)
    }
    const failed = await putPieces(input, take, maxRounds)
    if (failed !== undefined) return failed
  }
  await sink.end()
  progress?.end()
  return undefined
}

const write = async (job: Job, options: CreateOptions): Promise<string | undefined> => {
  const { fill, files, writer, words } = job
  // Nobody relies on the file before it has its name, nor on its being durable before somebody flushes it.
  const perform = (w: HostWrite): void => {
    if (w._tag !== 'Flush') files.perform(w)
  }
  const sink = words.compress
    ? await (await import('./packing.js')).openPacking(fill, options.compressionType ?? 'zlib', perform)
    : plainSink(fill, perform, words.sparse > 0)
  try {
    const bare = job.backing !== undefined && options.preallocation === 'off'
    const end = Math.ceil((job.backing ?? 0) / fill.clusterSize) * fill.clusterSize
    const failed = await fillFrom(job, bare ? leavingOut(end, sink) : sink)
    if (failed !== undefined) return failed
    const ending = fill.end()
    for (let step = ending.next(); ; step = ending.next()) {
      if (step.done !== true) perform(step.value)
      else return E.isLeft(step.value) ? showFailure(step.value.left) : undefined
    }
  } finally {
    await writer.end().finally(() => sink.close())
  }
}

/** The options of the new image by name, and what speaks against them. */
const textsOf = (words: NewWords, inputs: number): E.Either<string, OptionTexts> => {
  const given = E.chain(optionTexts)(optionsOfAll(words.options))
  if (E.isLeft(given)) return given
  const texts = new Map([
    ...given.right,
    ...(words.backing === undefined ? [] : [['backing_file', words.backing] as const]),
    ...(words.backingFormat === undefined ? [] : [['backing_fmt', words.backingFormat] as const])
  ])
  if (texts.has('backing_file') && inputs > 1)
    return E.left('Having a backing file for the target makes no sense when concatenating multiple input images')
  if (texts.has('backing_file') && !texts.has('backing_fmt'))
    return E.left('Backing file specified without backing format')
  if (words.compress && (texts.get('preallocation') ?? 'off') !== 'off')
    return E.left('Compression and preallocation not supported at the same time')
  if (words.compress && texts.has('data_file'))
    return E.left('Compression not supported with an external data file [DATA-10]')
  return E.right(texts)
}

/** Makes the image, which appears under its name when it is whole, from inputs that are open; tells why it cannot be made. */
export const convertToNew = async (
  inputs: readonly OpenChain[],
  out: string,
  words: NewWords
): Promise<string | undefined> => {
  const texts = textsOf(words, inputs.length)
  if (E.isLeft(texts)) return `${out}: ${texts.left}`
  const size = sizeOfAll(inputs)
  const options = createOptions(texts.right, size)
  if (E.isLeft(options)) return `${out}: ${options.left}`
  if (words.bitmaps && options.right.version === 2) return `${out}: an image of version 2 holds no bitmaps [BMP-14]`
  const { backing } = options.right
  const below = backing === undefined ? E.right(undefined) : await backingSize(out, backing.name, backing.format)
  if (E.isLeft(below)) return `${out}: ${below.left}`
  const fill = SequentialImageWriter.of(options.right)
  if (E.isLeft(fill)) return `${out}: ${showFailure(fill.left)}`
  const writer = new AsyncWriter()
  const files = await newImage(out, options.right, (fd, bytes, at) => {
    writer.put(fd, bytes, at)
  })
  try {
    const job = { inputs, words, size, fill: fill.right, files, writer, backing: below.right }
    const failed = await write(job, options.right)
    if (failed === undefined) files.keep()
    return failed
  } finally {
    files.drop()
  }
}
