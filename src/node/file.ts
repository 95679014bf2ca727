/** Files: reading at a position, with a window of read-ahead for small requests. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Read } from '../bytes/plan.js'

/** An open file that answers a plan's requests. Requests past the end of the file get zeros. */
export interface SourceFile {
  readonly name: string
  /** Bytes. */
  readonly length: number
  /** Bytes the file takes on its disk. */
  readonly actualSize: number
  readonly read: (request: Pick<Read, 'at' | 'length' | 'into'>) => Uint8Array
  readonly close: () => void
}

const windowSize = 2 ** 16

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
  let done = 0
  for (let n = -1; done < out.length && n !== 0; done += n) n = readSync(fd, out, done, out.length - done, at + done)
  return out.fill(0, done)
}

const sourceOf = (name: string, fd: number): SourceFile => {
  const stat = fstatSync(fd)
  if (stat.isDirectory()) throw new Error('is a directory')
  let window: { readonly at: number; readonly bytes: Uint8Array } = { at: 0, bytes: new Uint8Array(0) }
  const inWindow = (at: number, length: number): boolean =>
    at >= window.at && at + length <= window.at + window.bytes.length
  return {
    name,
    length: stat.size,
    actualSize: stat.blocks * 512,
    read: ({ at, length, into }) => {
      if (at >= stat.size) return new Uint8Array(length)
      if (length >= windowSize) return fillFrom(fd, at, into ?? unclean(length))
      if (!inWindow(at, length)) window = { at, bytes: fillFrom(fd, at, unclean(windowSize)) }
      return window.bytes.subarray(at - window.at, at - window.at + length)
    },
    close: () => {
      closeSync(fd)
    }
  }
}

/** Opens a file for reading; the reason when it cannot be. */
export const openSource = (name: string): E.Either<string, SourceFile> =>
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
