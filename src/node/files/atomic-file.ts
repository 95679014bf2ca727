/** Atomic files: output that appears under its name when it is complete, and not at all when something went wrong. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync
} from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import {
  type Body,
  type CommandError,
  type Failed,
  failure,
  get,
  onLeft,
  system,
  task,
  wait
} from '../command-error.js'
import { openRegular } from './file.js'
import { kindOf } from './identity.js'
import { lockForWriting } from './lock.js'
import { addPartial, dropPartial } from './partial.js'
import { isUrl } from './source.js'
import { withoutCredentials } from './url.js'

/** A file that is being made. */
export interface AtomicFile {
  /** The name that it gets. */
  readonly name: string
  /** Where it is until it is complete: beside the file that it replaces. */
  readonly path: string
  /** Creates it there, with the mode and owner of the file that it replaces; its descriptor. */
  readonly create: () => E.Either<CommandError, number>
  /** Gives it its name. */
  readonly publish: () => E.Either<CommandError, void>
  /** Removes what is left of it. */
  readonly discard: () => void
}

/** Where a name leads, and what is there; a link that leads nowhere is a failure. */
const found = (name: string): { readonly target: string; readonly before: Stats | undefined } => {
  if (lstatSync(name, { throwIfNoEntry: false }) === undefined) return { target: name, before: undefined }
  const before = statSync(name)
  return { target: before.isFile() ? realpathSync.native(name) : name, before }
}

/** A file that is to be replaced, open and locked. */
interface Replaced {
  readonly stats: Stats
  readonly close: () => void
}

/** Opens and locks a file that is to be replaced. */
const openLocked = task(async function* (name: string): AsyncGenerator<Failed, Replaced> {
  const { fd } = yield* get(openRegular({ name }, constants.O_RDWR))
  const orClose = onLeft(() => {
    closeSync(fd)
  })
  const { release } = yield* get(orClose(await lockForWriting(fd, name)()))
  const close = (): void => {
    closeSync(fd)
    release()
  }
  return { stats: yield* get(onLeft(close)(system('create', name, () => fstatSync(fd)))), close }
})

const permissions = 0o777

/** Creates a file where nothing is, not even a link. Nobody may read it who may not read the file that it replaces. */
const createExclusively = (path: string, replaced: Stats | undefined): number => {
  const fd = openSync(path, 'wx+', replaced === undefined ? 0o666 : replaced.mode & permissions)
  if (replaced !== undefined) {
    // Only root gives files away: for others the owner is the same, or becomes the one who writes it.
    E.tryCatch(
      () => fchownSync(fd, replaced.uid, replaced.gid),
      () => undefined
    )
    fchmodSync(fd, replaced.mode & permissions)
  }
  return fd
}

/** A file to appear under this name, in the place of a regular file that has it and that no other process uses. */
export const atomicFile = task(async function* (name: string) {
  if (isUrl(name)) {
    const file = withoutCredentials(name)
    yield* get(failure(`Could not create '${file}': nothing is written to a server; create a local file`, { file }))
  }
  const { target, before } = yield* get(system('create', name, () => found(name)))
  if (before?.isFile() === false)
    return yield* get(
      failure(`Could not create '${name}': it is ${kindOf(before)}, not a regular file`, { file: name })
    )
  const replaced = before === undefined ? undefined : yield* wait(openLocked(target))
  const held = replaced === undefined ? [] : [replaced]
  const path = `${target}.${randomBytes(6).toString('hex')}.partial`
  const release = (): void => {
    for (const { close } of held.splice(0)) close()
  }
  return {
    name,
    path,
    create: () => {
      addPartial(path)
      return system('create', name, () => createExclusively(path, replaced?.stats))
    },
    publish: () =>
      system('create', name, () => {
        release()
        renameSync(path, target)
        dropPartial(path)
      }),
    discard: () => {
      release()
      rmSync(path, { force: true })
      dropPartial(path)
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
