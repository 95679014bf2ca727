/** `qcow2 convert -O qcow2`: a new image of the guest disks of others, one after the other. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { HostWrite } from '../../bytes/host-write.js'
import { SequentialImageWriter } from '../../transition/create/image-writer.js'
import type { CreateOptions } from '../../transition/create/options.js'
import {
  because,
  type CommandError,
  either,
  failure,
  get,
  inContext,
  keepRules,
  orError,
  task,
  wait
} from '../command-error.js'
import { AsyncWriter, maxRounds } from '../files/async-writer.js'
import { type NewImage, newImage } from '../files/new-image.js'
import { type Piece, sizeOfAll, wholeDisk } from '../images/guest.js'
import { backingSize, type OpenChain } from '../images/open.js'
import { createOptions } from '../text/create-options.js'
import { optionTexts, type OptionTexts } from '../text/image-options.js'
import { optionsOfAll } from '../text/option-list.js'
import { Clusters, sparseUnit } from './clusters.js'
import { type Counted, progressOf } from './progress.js'
import { leavingOut, type Perform, plainSink, type Sink } from './sink.js'

/** What the command line says of the new image. */
export interface NewWords {
  readonly compress: boolean
  readonly options: readonly string[]
  readonly backing?: string | undefined
  readonly backingFormat?: string | undefined
  /** Bytes of zeros from which on they are left out; 0: never. */
  readonly sparse: number
  readonly progress: boolean
  readonly quiet: boolean
  /** Whether dirty bitmaps are taken over. */
  readonly bitmaps: boolean
}

interface Job {
  readonly inputs: readonly OpenChain[]
  readonly out: string
  readonly fill: SequentialImageWriter
  readonly files: NewImage
  readonly writer: AsyncWriter
  readonly words: NewWords
  readonly options: CreateOptions
  /** Bytes of the disk of the backing file of the new image; none without one. */
  readonly backing: number | undefined
}

/** Whether bytes are the input's own, or are left to the backing file of the new image. */
const isOwn = (input: OpenChain, backing: number | undefined, piece: Piece): boolean =>
  backing === undefined || (piece.depth === 0 && !(piece.absent && input.chain.length > 1))

/** Puts every input into the image. */
const fillFrom = ({ inputs, writer, words, backing, fill }: Job, sink: Sink): TaskEither<CommandError, void> =>
  task(async function* () {
    // What is compressed is left out where a cluster is zeros, or never.
    const sparse = words.compress ? Math.min(words.sparse, 1) : words.sparse
    const clusters = new Clusters(sparseUnit(fill.clusterSize, sparse), sizeOfAll(inputs), sparse)
    const counted: Counted = (depth, zeros) => (backing === undefined || depth === 0) && !(zeros && words.sparse > 0)
    const progress = yield* wait(progressOf(inputs, words, counted, words.compress ? fill.clusterSize : undefined))
    for (const input of inputs) {
      const put = (piece: Piece): TaskEither<CommandError, void> =>
        task(async function* () {
          for (const stretch of clusters.add(piece.length, piece.bytes, isOwn(input, backing, piece))) {
            const done = sink.put(stretch)
            yield* get(done instanceof Promise ? await done : done)
          }
          yield* wait(writer.barrier)
          progress?.copied(piece)
        })
      yield* wait(wholeDisk(input, (piece) => put(piece)(), { kept: maxRounds }))
    }
    yield* wait(sink.end)
    progress?.end()
  })

/** Puts the tables into the image, once everything else is in it. */
const finish = ({ out, fill }: Job, perform: Perform): E.Either<CommandError, void> =>
  either(function* () {
    const ending = fill.end()
    for (let step = ending.next(); ; step = ending.next()) {
      if (step.done === true) return yield* get(E.mapLeft(because(`Could not create '${out}'`, out))(step.value))
      yield* get(perform(step.value))
    }
  })

const write = (job: Job): TaskEither<CommandError, void> =>
  task(async function* () {
    const { fill, files, writer, words, options, backing } = job
    // Nobody relies on the file before it has its name, nor on its being durable before somebody flushes it.
    const perform = (w: HostWrite) => (w._tag === 'Flush' ? E.right(undefined) : files.perform(w))
    const sink = words.compress
      ? await (await import('./packing.js')).openPacking(fill, options.compressionType ?? 'zlib', perform)
      : plainSink(fill, perform, words.sparse > 0)
    const bare = backing !== undefined && options.preallocation === 'off'
    const end = Math.ceil((backing ?? 0) / fill.clusterSize) * fill.clusterSize
    const filled = await fillFrom(job, bare ? leavingOut(end, sink) : sink)()
    const finished = E.chain(() => finish(job, perform))(filled)
    const ended = await writer.end()
    await sink.close()
    yield* get(finished)
    yield* get(ended)
  })

/** The options of the new image by name. */
const textsOf = (words: NewWords, inputs: number): E.Either<CommandError, OptionTexts> =>
  either(function* () {
    const texts = new Map([
      ...(yield* get(orError(E.chain(optionTexts)(optionsOfAll(words.options))))),
      ...(words.backing === undefined ? [] : [['backing_file', words.backing] as const]),
      ...(words.backingFormat === undefined ? [] : [['backing_fmt', words.backingFormat] as const])
    ])
    const kept = keepRules([
      [
        texts.has('backing_file') && inputs > 1,
        'Having a backing file for the target makes no sense when concatenating multiple input images'
      ],
      [texts.has('backing_file') && !texts.has('backing_fmt'), 'Backing file specified without backing format'],
      [
        words.compress && (texts.get('preallocation') ?? 'off') !== 'off',
        'Compression and preallocation not supported at the same time'
      ],
      [words.compress && texts.has('data_file'), 'Compression not supported with an external data file [DATA-10]']
    ])
    yield* get(kept)
    return texts
  })

/** What the new image is to be, and the bytes of the disk of its backing file. */
const planned = (inputs: readonly OpenChain[], out: string, words: NewWords) =>
  task(async function* () {
    const options = yield* get(orError(createOptions(yield* get(textsOf(words, inputs.length)), sizeOfAll(inputs))))
    if (words.bitmaps && options.version === 2)
      yield* get(failure('an image of version 2 holds no bitmaps [BMP-14]', { clause: 'BMP-14' }))
    const { backing: below } = options
    const backing = below === undefined ? undefined : yield* wait(backingSize(out, below.name, below.format))
    const fill = yield* get(E.mapLeft(because(`Could not create the image`, out))(SequentialImageWriter.of(options)))
    return { options, backing, fill }
  })

/** Makes the image, which appears under its name when it is complete, from inputs that are open. */
export const convertToNew = (
  inputs: readonly OpenChain[],
  out: string,
  words: NewWords
): TaskEither<CommandError, void> =>
  task(async function* () {
    const plan = yield* get(E.mapLeft(inContext(out))(await planned(inputs, out, words)()))
    const writer = new AsyncWriter()
    const files = yield* wait(newImage(out, plan.options, (...bytes) => writer.put(...bytes)))
    try {
      yield* wait(write({ ...plan, inputs, out, words, files, writer }))
      yield* get(files.publish())
    } finally {
      files.discard()
    }
  })
