/** `qcow2 convert`: the guest disk as a raw file. */
import { closeSync, ftruncateSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, get, system, task, using, wait } from '../command-error.js'
import { type AtomicFile, atomicFile } from '../files/atomic-file.js'
import { guestSize, type Piece } from '../images/guest.js'
import { openChain, type OpenChain, type OpenOptions } from '../images/open.js'
import { copyShares, earliest, type ShareError, startHelper, type Task } from './copy.js'
import { type ProgressWords, progressOf } from './progress.js'
import { WorkQueue } from './shares.js'

/** Most threads that copy. */
const maxThreads = 4
/** Bytes decompressed by one thread before it calls for help: as much work as it takes to start a thread. */
const worthHelp = 2 ** 24

type Help = Promise<E.Either<ShareError, void>>

/** Calls for as many helpers as there are processors, once enough was decompressed. */
const caller = (work: Task, helpers: Help[]): ((piece: Piece) => void) => {
  let decompressed = 0
  return ({ compressed, length }) => {
    if (!compressed || decompressed >= worthHelp) return
    decompressed += length
    if (decompressed < worthHelp) return
    for (let n = 1; n < Math.min(availableParallelism(), maxThreads); n++) helpers.push(startHelper(work))
  }
}

/** How to open the image, and what is shown of the progress. */
type Options = OpenOptions & ProgressWords

/** Copies the disk with the help of other threads. */
const copyDisk = (open: OpenChain, image: string, out: AtomicFile, options: Options): TaskEither<CommandError, void> =>
  task(async function* () {
    const shares = new WorkQueue()
    const fd = yield* get(out.create())
    const helpers: Help[] = []
    try {
      yield* get(system('write', out.name, () => ftruncateSync(fd, guestSize(open))))
      const progress = yield* wait(progressOf([open], options, (_, zeros) => !zeros))
      const { name, path } = out
      const call = caller({ image, out: { name, path }, options, memory: shares.memory }, helpers)
      const own = await copyShares(open, out, fd, shares, (piece) => {
        progress?.copied(piece)
        call(piece)
      })()
      if (own._tag === 'Left') shares.stop()
      yield* get(earliest([...(await Promise.all(helpers)), own]))
      progress?.end()
    } finally {
      shares.stop()
      await Promise.all(helpers)
      closeSync(fd)
    }
  })

/** Copies a guest disk into a raw file, which appears under its name when it is complete; zeros are holes in it. */
export const convert = (image: string, name: string, options: Options): TaskEither<CommandError, void> =>
  using(openChain(image, options), async function* (open) {
    const out = yield* wait(atomicFile(name))
    try {
      yield* wait(copyDisk(open, image, out, options))
      yield* get(out.publish())
    } finally {
      out.discard()
    }
  })
