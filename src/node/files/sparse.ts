/** Sparse output: bytes written at their place, zeros left as holes. */
import { ftruncateSync, openSync, writeSync } from 'node:fs'

/** Zeros of at least this many bytes, at a multiple of it, become a hole. */
const grain = 4096

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

/** Acts on the parts of the bytes, which are to stand at byte `at` of a file, that are not whole grains of zeros. */
export const eachPart = (bytes: Uint8Array, at: number, act: (part: Uint8Array, at: number) => void): void => {
  let from = 0
  for (let i = 0; i < bytes.length;) {
    const end = Math.min(bytes.length, i + grain - ((at + i) % grain))
    if (isZeros(bytes, i, end)) {
      if (i > from) act(bytes.subarray(from, i), at + from)
      from = end
    }
    i = end
  }
  if (bytes.length > from) act(bytes.subarray(from), at + from)
}

/** Throws where the end of a range is no exact number: Node would write such bytes wherever the file stands. */
export const demandExact = (end: number): void => {
  if (!Number.isSafeInteger(end)) throw new RangeError('File too large')
}

/** Writes all of the bytes at their place. */
export const writeFully = (fd: number, bytes: Uint8Array, at: number): void => {
  demandExact(at + bytes.length)
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

/** Creates a file of `length` zeros, or empties one that is there; tells its descriptor. */
export const createSparse = (name: string, length: number): number => {
  const fd = openSync(name, 'w')
  ftruncateSync(fd, length)
  return fd
}
