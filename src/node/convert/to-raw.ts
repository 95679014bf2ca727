/** The way into a new raw file, which appears under its name when it is complete. */
import { closeSync, ftruncateSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { sectorSize } from '../../format/limits.js'
import { type CommandError, get, system, task, wait } from '../command-error.js'
import { type AtomicFile, atomicFile } from '../files/atomic-file.js'
import { writeAt } from '../files/sparse.js'
import { sizeOfAll } from '../images/guest.js'
import type { Sink, Way } from './conversion.js'
import { copyDisks } from './copy.js'

/** Creates a raw file of `size` zeros, and publishes it once `write` has succeeded. */
export const createRaw = (
  name: string,
  size: number,
  write: (file: AtomicFile, fd: number) => TaskEither<CommandError, void>
): TaskEither<CommandError, void> =>
  task(async function* () {
    const file = yield* wait(atomicFile(name))
    try {
      const fd = yield* get(file.create())
      try {
        yield* get(system('write', name, () => ftruncateSync(fd, size)))
        yield* wait(write(file, fd))
      } finally {
        closeSync(fd)
      }
      yield* get(file.publish())
    } finally {
      file.discard()
    }
  })

const nothing = E.right(undefined)

const rawSink = (name: string, fd: number, sparse: number): Sink => ({
  unit: sectorSize,
  sparse,
  overBacking: false,
  put: ({ at, bytes }) => (bytes === undefined ? nothing : writeAt(name, fd, bytes, at)),
  end: () => nothing
})

/** Converts into a new raw file. */
export const toRaw: Way = (inputs, out, options) =>
  createRaw(out, sizeOfAll(inputs), (_, fd) => copyDisks(inputs, rawSink(out, fd, options.sparse), options))
