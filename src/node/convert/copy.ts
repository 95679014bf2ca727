/** Copying a guest disk into a raw file: what one thread does of it. */
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isObject } from '../../bytes/json.js'
import { type CommandError, commandError, reason } from '../command-error.js'
import { dataParts, writeAt } from '../files/sparse.js'
import { type Piece, wholeDisk } from '../images/guest.js'
import type { OpenChain, OpenOptions } from '../images/open.js'
import type { WorkQueue } from './shares.js'

/** A raw file that is being made: the name that it gets, and where it is. */
export interface Output {
  readonly name: string
  readonly path: string
}

/** What a thread is to help with. */
export interface Task {
  readonly image: string
  /** The file is there and has its length. */
  readonly out: Output
  readonly options: OpenOptions
  /** The memory of the shares. */
  readonly memory: SharedArrayBuffer
}

export const isTask = (u: unknown): u is Task =>
  isObject(u) &&
  typeof u['image'] === 'string' &&
  isObject(u['out']) &&
  isObject(u['options']) &&
  u['memory'] instanceof SharedArrayBuffer

/** Why a disk could not be copied, and the share where that came up. */
export interface ShareError extends CommandError {
  readonly share: number
}

const isShareError = (u: unknown): u is ShareError =>
  isObject(u) && typeof u['share'] === 'number' && typeof u['message'] === 'string' && typeof u['exitCode'] === 'number'

const putPiece = (name: string, fd: number, { bytes, at }: Piece): E.Either<CommandError, void> => {
  if (bytes !== undefined)
    for (const [part, place] of dataParts(bytes, at)) {
      const written = writeAt(name, fd, part, place)
      if (E.isLeft(written)) return written
    }
  return E.right(undefined)
}

/**
 * Copies the shares that this thread claims into an open file, with holes for zeros, and passes their pieces to `seen`. Ends
 * at the first failure.
 */
export const copyShares =
  (
    open: OpenChain,
    { name }: Output,
    fd: number,
    shares: WorkQueue,
    seen: (piece: Piece) => void
  ): TaskEither<ShareError, void> =>
  async () => {
    const put = (piece: Piece): E.Either<CommandError, void> => {
      const done = putPiece(name, fd, piece)
      seen(piece)
      return done
    }
    const copied = await wholeDisk(open, put, { claims: (n) => shares.claim(n) })()
    return E.mapLeft((error: CommandError): ShareError => ({ ...error, share: shares.at }))(copied)
  }

/** Starts a thread that claims shares too; the task ends with the thread, with the first failure in its shares. */
export const startHelper = (task: Task): Promise<E.Either<ShareError, void>> =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./copy-helper.js', import.meta.url), { workerData: task })
    const failures: ShareError[] = []
    worker.on('message', (message: unknown) => {
      if (isShareError(message)) failures.push(message)
    })
    worker.on('error', (error) => failures.push({ ...commandError(reason(error)), share: -1 }))
    worker.on('exit', () => {
      const [first] = failures
      resolve(first === undefined ? E.right(undefined) : E.left(first))
    })
  })

/** The failure that comes first on the disk, if any does. */
export const earliest = (results: readonly E.Either<ShareError, void>[]): E.Either<CommandError, void> => {
  const [first] = results.filter(E.isLeft).toSorted((a, b) => a.left.share - b.left.share)
  return first ?? E.right(undefined)
}
