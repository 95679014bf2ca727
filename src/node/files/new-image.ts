/** New images: the files of an image that is being made, which appear under their names together. */
import { closeSync, fdatasyncSync, ftruncateSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { CreateOptions } from '../../transition/create/options.js'
import { type CommandError, either, failure, get, onLeft, system, task, wait } from '../command-error.js'
import { type AtomicFile, atomicFile } from './atomic-file.js'
import { isSameFile } from './identity.js'
import { isUrl } from './source.js'
import { writeAt } from './sparse.js'
import { withoutCredentials } from './url.js'

/** Where a relative name that an image holds is looked for: in the image's folder. */
export const beside = (image: string, name: string): string => resolve(dirname(image), name)

/** The path of a data file, which is not the image's. */
export const dataPath = either(function* (image: string, name: string) {
  if (isUrl(name)) {
    const why = `the data file '${withoutCredentials(name)}' is on a server, to which nothing is written`
    yield* get(failure(`Could not create '${image}': ${why}`, { file: image }))
  }
  const path = beside(image, name)
  if (yield* get(system('create', path, () => isSameFile(path, image))))
    yield* get(failure(`Could not create '${image}': the data file '${name}' is the same file`, { file: image }))
  return path
})

/** The path of a new data file, which neither the image nor a file with data has. @see DATA-08 */
const newDataPath = either(function* (image: string, name: string) {
  const path = yield* get(dataPath(image, name))
  const there = yield* get(system('create', path, () => statSync(path, { throwIfNoEntry: false })))
  if (there?.isFile() === true && there.size > 0)
    yield* get(
      failure(
        `Could not create '${image}': the data file '${name}' holds ${there.size} bytes, which would be deleted; remove it, name another file, or create an image over it with keep_data_file=on [DATA-08]`,
        { file: image, clause: 'DATA-08' }
      )
    )
  return path
})

interface NewFile {
  readonly part: 'image' | 'data'
  readonly file: AtomicFile
  readonly fd: number
}

/** The files of a new image, empty at first. */
export interface NewImage {
  readonly parts: readonly NewFile[]
  /** Does what is to be done to one of the files: nothing that is new is given back. */
  readonly perform: (change: HostWrite) => E.Either<CommandError, void>
  /** Gives the files their names. */
  readonly publish: () => E.Either<CommandError, void>
  /** Closes them, and removes what has no name yet. */
  readonly discard: () => void
}

/**
 * Opens the files; those that were there stay until the new ones are complete.
 *
 * @param write puts bytes at their place in one of them
 */
export const newImage = (
  image: string,
  { dataFile }: Pick<CreateOptions, 'dataFile'>,
  write = writeAt
): TaskEither<CommandError, NewImage> => {
  const files: (readonly [part: NewFile['part'], file: AtomicFile])[] = []
  const parts: NewFile[] = []
  const close = (): void => {
    for (const { fd } of parts.splice(0)) closeSync(fd)
  }
  const discard = (): void => {
    close()
    for (const [, file] of files) file.discard()
  }
  const flush = either(function* () {
    for (const { file, fd } of parts) yield* get(system('write', file.name, () => fdatasyncSync(fd)))
  })
  const perform = (change: HostWrite): E.Either<CommandError, void> => {
    if (change._tag === 'Flush') return flush()
    const to = parts.find(({ part }) => part === change.file.part)
    if (to === undefined || change._tag === 'Punch') return E.right(undefined)
    const { file, fd } = to
    // Zeros that are to be written take up space.
    return change._tag === 'Write'
      ? write(file.name, fd, change.bytes, change.at)
      : system('write', file.name, () => ftruncateSync(fd, change.length))
  }
  const publish = either(function* () {
    close()
    for (const [, file] of files) yield* get(file.publish())
  })
  const open = task(async function* () {
    if (dataFile !== undefined)
      files.push(['data', yield* wait(atomicFile(yield* get(newDataPath(image, dataFile.name))))])
    files.push(['image', yield* wait(atomicFile(image))])
    for (const [part, file] of files) parts.push({ part, file, fd: yield* get(file.create()) })
    return { parts, perform, publish, discard }
  })
  return () => open()().then(onLeft(discard))
}
