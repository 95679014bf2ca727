/** The file that lines are about: opened for reading or for writing, as an image or as raw bytes. */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import { Memory, type Plan, runSync } from '../../bytes/plan.js'
import type { Chain } from '../../image/guest/chain.js'
import { openDisk } from '../../image/guest/open-disk.js'
import { readGuest } from '../../image/guest/read.js'
import { type Cause, type CommandError, type Failed, failure, get, onLeft, task, wait } from '../command-error.js'
import { native } from '../compression/native.js'
import { openWritable } from '../images/locked-image.js'
import type { ImageNode } from '../images/image-node.js'
import { keepReadable } from '../images/key.js'
import { openImage } from '../images/open.js'
import type { Writable } from '../images/raw.js'
import type { Changes } from '../images/session.js'
import { localWorld } from './local-world.js'
import { openTemporaryOverlay } from './temporary-overlay.js'

/** An image that is to be opened. */
export interface IoRequest extends ImageNode {
  /** A snapshot, by id or name, in place of the active disk; it is read only. */
  readonly snapshot?: string
}

/** An open file. */
export interface IoFile {
  /** What it was opened by. */
  readonly request: IoRequest
  readonly chain: () => Chain
  /** Guest bytes `[at, at + length)` of the disk, in memory that the next read reuses. */
  readonly read: (at: number, length: number) => E.Either<Cause, Uint8Array>
  /** Runs a plan that reads. */
  readonly run: <A, W>(plan: () => Plan<A, W>, emit?: (what: W) => void) => E.Either<Cause, A>
  /** What changes it; `undefined` where it is open for reading only. */
  readonly changes: Changes | undefined
  /** Makes durable what is written, and closes it. */
  readonly close: () => E.Either<CommandError, void>
}

/** Reads of a disk that may have changed since the last. */
const reader = (chain: IoFile['chain'], run: IoFile['run']): IoFile['read'] => {
  const memory = new Memory()
  return (at, length) => run(() => readGuest(chain(), at, length, native, memory))
}

const forReading = task(async function* (request: IoRequest, allow: readonly string[]): AsyncGenerator<Failed, IoFile> {
  const opened = yield* wait(openImage(request, { allow, snapshot: request.snapshot }))
  const { chain, close } = opened
  const world = yield* get(onLeft(close)(localWorld(opened)))
  const { read, seekData } = world
  const run: IoFile['run'] = (plan, emit = () => undefined) => runSync(plan(), { read, seekData, emit })
  const disk = openDisk(chain, native)
  const memory = new Memory()
  return {
    request,
    chain: () => chain,
    // What others may write meanwhile is not kept.
    read:
      request.forceShare === true
        ? reader(() => chain, run)
        : (at, length) => disk.readSync(world, at, length, memory.take(length)),
    run,
    changes: undefined,
    close: () => {
      close()
      return E.right(undefined)
    }
  }
})

const writable = (request: IoRequest, { session, close }: Writable): IoFile => {
  const chain = (): Chain => session.chain
  const run: IoFile['run'] = (plan, emit = () => undefined) =>
    runSync(plan(), { read: session.read, seekData: session.seekData, emit })
  return {
    request,
    chain,
    read: reader(chain, run),
    run,
    changes: session,
    close: () => {
      const ended = session.end()
      close()
      return ended
    }
  }
}

/** Opens a file as requested. */
export const openIoFile = task(async function* (request: IoRequest, allow: readonly string[]) {
  const { name } = request.file
  const isReadOnly = request.readOnly === true || request.file.readOnly === true
  if (isReadOnly && request.copyOnRead === true)
    yield* get(failure(`Could not open '${name}': Can't use copy-on-read on read-only device`, { file: name }))
  const openToWrite = request.temporary === true ? openTemporaryOverlay : openWritable
  const opened = isReadOnly
    ? forReading(request, allow)
    : TE.map((image: Writable) => writable(request, image))(openToWrite(request, allow))
  const file = yield* wait(opened)
  yield* get(onLeft(() => void file.close())(keepReadable(name, file.chain())))
  return file
})
