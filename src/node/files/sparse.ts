/** Sparse output: bytes written at their place, zeros left as holes. */
import { writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure, system } from '../command-error.js'

/** Zeros of at least this many bytes, at a multiple of it, become a hole. */
export const grain = 4096

/** Bytes that are compared with zeros at once. */
const step = 2 ** 16
const zeros = Buffer.alloc(step)

/** Whether all bytes in `[from, to)` are 0. */
export const isZeros = (bytes: Uint8Array, from = 0, to = bytes.length): boolean => {
  for (let at = from; at < to; at += step) {
    const end = Math.min(to, at + step)
    if (bytes[at] !== 0 || zeros.compare(bytes, at, end, 0, end - at) !== 0) return false
  }
  return true
}

/** The parts of the bytes, which are to lie at byte `at` of a file, that are not whole grains of zeros. */
export function* dataParts(bytes: Uint8Array, at: number): Generator<readonly [part: Uint8Array, at: number]> {
  let from = 0
  for (let i = 0; i < bytes.length;) {
    const end = Math.min(bytes.length, i + grain - ((at + i) % grain))
    if (isZeros(bytes, i, end)) {
      if (i > from) yield [bytes.subarray(from, i), at + from]
      from = end
    }
    i = end
  }
  if (bytes.length > from) yield [bytes.subarray(from), at + from]
}

/** Writes all of the bytes at their place. Throws what the system throws. */
export const writeFully = (fd: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

/** Whether the place of bytes is an exact number: Node would write them anywhere else. */
export const exactRange = (name: string, bytes: Uint8Array, at: number): E.Either<CommandError, void> =>
  Number.isSafeInteger(at) && Number.isSafeInteger(at + bytes.length)
    ? E.right(undefined)
    : failure(`Could not write '${name}': file too large`, { file: name })

/** Writes all of the bytes at their place in the file that has, or will have, this name. */
export const writeAt = (name: string, fd: number, bytes: Uint8Array, at: number): E.Either<CommandError, void> =>
  E.chain(() =>
    system('write', name, () => {
      writeFully(fd, bytes, at)
    })
  )(exactRange(name, bytes, at))
