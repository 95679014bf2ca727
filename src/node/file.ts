/** Files: reading at a position, with windows of read-ahead for small requests. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Range } from '../bytes/plan.js'
import { readInWindows, type WindowSize } from '../bytes/window.js'
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

const readFrom =
  (fd: number) =>
  ({ at, length }: Range): Uint8Array => {
    const out = new Uint8Array(length)
    try {
      for (let done = 0; done < length;) {
        const n = readSync(fd, out, done, length - done, at + done)
        if (n === 0) break
        done += n
      }
    } catch (error) {
      throw new CannotRead(reason(error))
    }
    return out
  }

const sourceOf = (name: string, fd: number): Source => {
  const stat = fstatSync(fd)
  if (stat.isDirectory()) throw new Error('is a directory')
  return {
    name,
    length: stat.size,
    actualSize: stat.blocks * 512,
    world: { _tag: 'Sync', read: readInWindows(stat.size, window, readFrom(fd)) },
    close: () => {
      closeSync(fd)
    }
  }
}

/** Opens a file for reading; the reason when it cannot be. */
export const openFile = (name: string): E.Either<string, Source> =>
  E.tryCatch(
    () => {
      const fd = openSync(name, 'r')
      try {
        return sourceOf(name, fd)
      } catch (error) {
        closeSync(fd)
        throw error
      }
    },
    (error) => `Could not open '${name}': ${reason(error)}`
  )
