/** Copying a guest disk into a raw file: what one thread does of it. */
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import { isObject } from '../../bytes/json.js'
import { refusalLine } from '../images/usable.js'
import { reason } from '../files/file.js'
import { eachPiece, guestSize, type Piece } from '../images/guest.js'
import type { OpenChain, OpenOptions } from '../images/open.js'
import type { WorkQueue } from './shares.js'
import { eachPart, writeFully } from '../files/sparse.js'

/** What a thread is to help with. */
export interface Task {
  readonly image: string
  /** The raw file, which is there and has its length. */
  readonly out: string
  readonly options: OpenOptions
  /** The memory of the shares. */
  readonly memory: SharedArrayBuffer
}

export const isTask = (u: unknown): u is Task =>
  isObject(u) &&
  typeof u['image'] === 'string' &&
  typeof u['out'] === 'string' &&
  isObject(u['options']) &&
  u['memory'] instanceof SharedArrayBuffer

/** Why a disk could not be copied, and the share where that came up. */
export interface Failed {
  readonly share: number
  readonly text: string
}

const isFailed = (u: unknown): u is Failed =>
  isObject(u) && typeof u['share'] === 'number' && typeof u['text'] === 'string'

/**
 * Copies the shares that this thread takes into an open file, with holes for zeros, and tells `seen` of their pieces. Ends at
 * the first failure.
 */
export const copyShares = async (
  open: OpenChain,
  out: number,
  shares: WorkQueue,
  seen: (piece: Piece) => void
): Promise<Failed | undefined> => {
  const put = (piece: Piece): void => {
    if (piece.bytes !== undefined)
      eachPart(piece.bytes, piece.at, (part, at) => {
        writeFully(out, part, at)
      })
    seen(piece)
  }
  const takes = (n: number): boolean => shares.claim(n)
  const done = await eachPiece(open, 0, guestSize(open), put, { takes })
  return E.isRight(done) ? undefined : { share: shares.at, text: refusalLine(open.names[0] ?? '', done.left) }
}

/** Starts a thread that takes shares too; the promise holds what went wrong in them once the thread has ended. */
export const startHelper = (task: Task): Promise<Failed | undefined> =>
  new Promise((resolve) => {
    const worker = new Worker(new URL('./copy-helper.js', import.meta.url), { workerData: task })
    const failures: Failed[] = []
    worker.on('message', (message: unknown) => {
      if (isFailed(message)) failures.push(message)
    })
    worker.on('error', (error) => failures.push({ share: -1, text: reason(error) }))
    worker.on('exit', () => {
      resolve(failures[0])
    })
  })

/** The failure that comes first on the disk. */
export const earliest = (failures: readonly Failed[]): Failed | undefined =>
  failures.toSorted((a, b) => a.share - b.share)[0]
