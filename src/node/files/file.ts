/** Files: reading at a position, with windows of read-ahead for small requests. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { readInWindows, type WindowSize } from '../../bytes/window.js'
import type { Source } from './source.js'
import { CannotRead } from './world.js'

const window: WindowSize = { size: 2 ** 16, kept: 4 }

/** What went wrong, as the system says it, without the call's own decoration. */
export const reason = (error: unknown): string => {
  const text = error instanceof Error ? error.message : String(error)
  return text
    .replace(/^[A-Z]+: /, '')
    .replace(/, (open|read|write|stat|fstat|lstat|rename|ftruncate|mkdir|unlink).*$/, '')
}

/** Memory whose contents are not known: whoever takes it writes all of it. */
const unclean = (length: number): Uint8Array => new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)

/** Fills the memory from a file at a position; with zeros what lies past the end of the file. */
const fillFrom = (fd: number, at: number, out: Uint8Array): Uint8Array => {
  try {
    let done = 0
    for (let n = -1; done < out.length && n !== 0; done += n) n = readSync(fd, out, done, out.length - done, at + done)
    return out.fill(0, done)
  } catch (error) {
    throw new CannotRead(reason(error))
  }
}

/** Opens a regular file for reading, and never waits for the other end of a pipe. It throws what is in the way. */
export const openToRead = (name: string): { readonly fd: number; readonly stat: Stats } => {
  const fd = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK)
  const stat = fstatSync(fd)
  if (stat.isFile()) return { fd, stat }
  closeSync(fd)
  throw new Error(stat.isDirectory() ? 'is a directory' : 'is not a regular file')
}

const sourceOf = (name: string, fd: number, stat: Stats): Source => {
  const small = readInWindows(stat.size, window, ({ at, length }) => fillFrom(fd, at, unclean(length)))
  return {
    name,
    length: stat.size,
    actualSize: stat.blocks * 512,
    world: {
      _tag: 'Sync',
      read: ({ at, length, into }) =>
        length >= window.size && at < stat.size ? fillFrom(fd, at, into ?? unclean(length)) : small({ at, length })
    },
    close: () => {
      closeSync(fd)
    }
  }
}

/** Opens a file for reading; the reason when it cannot be. */
export const openFile = (name: string): E.Either<string, Source> =>
  E.tryCatch(
    () => {
      const { fd, stat } = openToRead(name)
      return sourceOf(name, fd, stat)
    },
    (error) => `Could not open '${name}': ${reason(error)}`
  )
