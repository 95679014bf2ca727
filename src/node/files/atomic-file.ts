/** Atomic files: output that appears under its name when it is complete, and not at all when something went wrong. */
import {
  chmodSync,
  closeSync,
  constants,
  ftruncateSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync
} from 'node:fs'
import type * as E from 'fp-ts/lib/Either.js'
import { type Body, type CommandError, failure, get, onLeft, system, task, wait } from '../command-error.js'
import { openRegular } from './file.js'
import { lockForWriting } from './lock.js'

/** A file that is being made. */
export interface AtomicFile {
  /** The name that it gets. */
  readonly name: string
  /** Where it is until it is complete. */
  readonly path: string
  /** Creates it there, or empties it; its descriptor. */
  readonly create: () => E.Either<CommandError, number>
  /** Gives it its name, and the mode of the file that had it. */
  readonly publish: () => E.Either<CommandError, void>
  /** Removes what is left of it. */
  readonly discard: () => void
}

const exists = (name: string): boolean => lstatSync(name, { throwIfNoEntry: false }) !== undefined

/** Opens and locks a file that is to be replaced. */
const openLocked = task(async function* (name: string) {
  const { fd } = yield* get(openRegular({ name }, constants.O_RDWR))
  const { release } = yield* get(onLeft(() => closeSync(fd))(await lockForWriting(fd, name)()))
  return () => {
    closeSync(fd)
    release()
  }
})

/** A file to appear under this name, in the place of a regular file that has it and that no other process uses. */
export const atomicFile = task(async function* (name: string) {
  const { target, before } = yield* get(
    system('create', name, () => {
      const target = exists(name) ? realpathSync(name) : name
      return { target, before: statSync(target, { throwIfNoEntry: false }) }
    })
  )
  if (before?.isFile() === false) return yield* get(failure(`Could not create '${name}': is not a regular file`))
  const old = before === undefined ? [] : [yield* wait(openLocked(target))]
  const path = `${target}.${process.pid}.partial`
  const release = (): void => {
    for (const close of old.splice(0)) close()
  }
  return {
    name,
    path,
    create: () => system('create', name, () => openSync(path, 'w+')),
    publish: () =>
      system('create', name, () => {
        release()
        if (before !== undefined) chmodSync(path, before.mode)
        renameSync(path, target)
      }),
    discard: () => {
      release()
      rmSync(path, { force: true })
    }
  }
})

/** Creates a file of `size` zeros, which gets its name once `write` has succeeded; after a failure nothing is left of it. */
export const createFile = task(async function* (
  name: string,
  size: number,
  write?: (fd: number, path: string) => Body<void>
) {
  const file = yield* wait(atomicFile(name))
  try {
    const fd = yield* get(file.create())
    try {
      yield* get(system('write', name, () => ftruncateSync(fd, size)))
      if (write !== undefined) yield* write(fd, file.path)
    } finally {
      closeSync(fd)
    }
    yield* get(file.publish())
  } finally {
    file.discard()
  }
})
