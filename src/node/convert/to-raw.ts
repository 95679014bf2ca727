/** The ways into a new raw file. Threads share the work on one disk once there is much to decompress. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isObject } from '../../bytes/json.js'
import { sectorSize } from '../../format/limits.js'
import { actOnEach, type CommandError, commandError, type Failed, get, reason, wait } from '../command-error.js'
import { createFile } from '../files/atomic-file.js'
import { dataParts, grain, writeAt } from '../files/sparse.js'
import { type Piece, wholeDisk } from '../images/guest.js'
import type { ImageNode } from '../images/image-node.js'
import type { OpenChain, OpenOptions } from '../images/open.js'
import {
  type Conversion,
  type ConvertOptions,
  copiedSize,
  copyDisks,
  type Done,
  type Sink,
  type Way
} from './conversion.js'
import type { PastEnd } from './past-end.js'
import { progressOf } from './progress.js'

/** Most threads that copy. */
const maxThreads = 4
/** Bytes decompressed by one thread before it starts others: as much work as it takes to start one. */
const worthThreads = 2 ** 24

/** The queue of one thread: numbered shares of the work, each of which one of the threads with the same memory claims. */
export class WorkQueue {
  /** The share that was asked for last, and whether this thread has claimed it. */
  at = -1
  own = false
  private claimed = -1
  private readonly next: Int32Array

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.next = new Int32Array(memory)
  }

  /**
   * Whether this thread has share `n`, which never goes down: it claims the next free one where the last is before `n`.
   *
   * Law: of all threads that ask for every share in order, exactly one gets each.
   */
  claim(n: number): boolean {
    while (this.claimed < n) this.claimed = Atomics.add(this.next, 0, 1)
    this.at = n
    this.own = this.claimed === n
    return this.own
  }

  /** Lets no thread claim another share. Those claimed are still done, so that the first failure of all is found. */
  stop(): void {
    Atomics.store(this.next, 0, 2 ** 30)
  }
}

/** A raw file that is being made: the name that it gets, and where it is. */
export interface RawOutput {
  readonly name: string
  readonly path: string
}

/** How a thread opens the image and reads it. */
export type HelperOptions = Omit<OpenOptions, 'remote' | 'format'> & Partial<Pick<ConvertOptions, 'strict'>>

/** What a thread needs in order to help. */
export interface Task {
  readonly image: ImageNode
  /** The file exists and has its length. */
  readonly out: RawOutput
  readonly options: HelperOptions
  /** The memory of the work queue. */
  readonly memory: SharedArrayBuffer
}

export const isTask = (u: unknown): u is Task =>
  isObject(u) &&
  isObject(u['image']) &&
  isObject(u['out']) &&
  isObject(u['options']) &&
  u['memory'] instanceof SharedArrayBuffer

/** Why a disk could not be copied. */
export interface ShareError extends CommandError {
  /** The share that could not be copied; absent where a thread ended unexpectedly. */
  readonly share?: number
}

const isShareError = (u: unknown): u is ShareError =>
  isObject(u) && typeof u['share'] === 'number' && typeof u['message'] === 'string' && typeof u['exitCode'] === 'number'

const writePiece = (name: string, fd: number, { bytes, at }: Piece): Done =>
  actOnEach(bytes === undefined ? [] : dataParts(bytes, at), ([part, place]) => writeAt(name, fd, part, place))

/** Copies the shares that this thread claims into an open file, up to the first failure, and passes their pieces to `onPiece`. */
export const copyShares =
  (
    open: OpenChain,
    name: string,
    fd: number,
    queue: WorkQueue,
    pastEnd: PastEnd,
    onPiece: (piece: Piece) => void = () => undefined
  ): TaskEither<ShareError, void> =>
  async () => {
    const write = (piece: Piece): Done => {
      const done = writePiece(name, fd, piece)
      onPiece(piece)
      return done
    }
    const copied = await wholeDisk(open, write, {
      claims: (n) => queue.claim(n),
      onPastEnd: pastEnd.onMissing
    })()
    return E.mapLeft((error: CommandError): ShareError => ({ ...error, share: queue.at }))(copied)
  }

/** Starts a thread that claims shares too; resolves when it ends, with the first failure in its shares. */
export const startHelper = (work: Task): Promise<E.Either<ShareError, void>> =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./parallel-helper.js', import.meta.url), { workerData: work })
    const failures: ShareError[] = []
    worker.on('message', (message: unknown) => {
      if (isShareError(message)) failures.push(message)
    })
    worker.on('error', (error) => failures.push(commandError(reason(error))))
    worker.on('exit', () => {
      const [first] = failures
      resolve(first === undefined ? E.right(undefined) : E.left(first))
    })
  })

/** The failure of a thread that ended unexpectedly, or else the one that comes first on the disk, if there is one. */
export const earliest = (results: readonly E.Either<ShareError, void>[]): Done => {
  const [first] = results.filter(E.isLeft).toSorted((a, b) => (a.left.share ?? -1) - (b.left.share ?? -1))
  return first ?? E.right(undefined)
}

/** Starts as many threads as there are processors, once enough was decompressed. */
const starter = (work: Task, helpers: Promise<E.Either<ShareError, void>>[]): ((piece: Piece) => void) => {
  let decompressed = 0
  return ({ compressed, length }) => {
    if (!compressed || decompressed >= worthThreads) return
    decompressed += length
    if (decompressed < worthThreads) return
    for (let n = 1; n < Math.min(availableParallelism(), maxThreads); n++) helpers.push(startHelper(work))
  }
}

const helperOptions = ({ allow, snapshot, forceShare = false, strict }: ConvertOptions): HelperOptions => ({
  allow,
  snapshot,
  forceShare,
  strict
})

/** Copies one disk, in which zeros become holes. */
const copyShared = async function* (
  open: OpenChain,
  out: RawOutput,
  fd: number,
  options: Conversion
): AsyncGenerator<Failed, void> {
  const queue = new WorkQueue()
  const helpers: Promise<E.Either<ShareError, void>>[] = []
  try {
    const progress = yield* wait(progressOf([open], options, (_, zeros) => !zeros))
    const start = starter({ image: open.nodes[0], out, options: helperOptions(options), memory: queue.memory }, helpers)
    const own = await copyShares(open, out.name, fd, queue, options.pastEnd, (piece) => {
      progress?.copied(piece)
      start(piece)
    })()
    if (E.isLeft(own)) queue.stop()
    yield* get(earliest([...(await Promise.all(helpers)), own]))
    progress?.end()
  } finally {
    queue.stop()
    await Promise.all(helpers)
  }
}

const done = E.right(undefined)

const rawSink = (name: string, fd: number, sparse: number): Sink => ({
  unit: sectorSize,
  sparse,
  overBacking: false,
  put: ({ at, bytes }) => (bytes === undefined ? done : writeAt(name, fd, bytes, at)),
  end: () => done
})

/**
 * Converts into a new raw file; threads share the work on a whole disk, unless its zeros are to be written, holes are of
 * another size, its rate is limited, or what cannot be read is zeros.
 */
export const toRaw: Way = (inputs, { file: { name } }, options) =>
  createFile(name, Math.ceil(copiedSize(inputs, options) / sectorSize) * sectorSize, async function* (fd, path) {
    const [first, ...more] = inputs
    const isWhole =
      first?.files.every(({ spooled }) => spooled !== true) === true &&
      options.part === undefined &&
      !options.salvage &&
      options.sparse === grain &&
      options.rate === 0
    if (first !== undefined && more.length === 0 && isWhole) yield* copyShared(first, { name, path }, fd, options)
    else yield* wait(copyDisks(inputs, rawSink(name, fd, options.sparse), options))
  })
