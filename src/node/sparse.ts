/** Sparse output: bytes written at their place, zeros left as holes. */
import { ftruncateSync, openSync, writeSync } from 'node:fs'

/** Zeros of at least this many bytes, at a multiple of it, become a hole. */
const grain = 4096

const zeros = Buffer.alloc(grain)

/** Whether all bytes are 0 in `[from, to)`, which is at most a grain. */
const isZero = (bytes: Uint8Array, from: number, to: number): boolean =>
  bytes[from] === 0 && zeros.compare(bytes, from, to, 0, to - from) === 0

/** Acts on the parts of the bytes, which are to stand at byte `at` of a file, that are not whole grains of zeros. */
export const eachPart = (bytes: Uint8Array, at: number, act: (part: Uint8Array, at: number) => void): void => {
  let from = 0
  for (let i = 0; i < bytes.length;) {
    const end = Math.min(bytes.length, i + grain - ((at + i) % grain))
    if (isZero(bytes, i, end)) {
      if (i > from) act(bytes.subarray(from, i), at + from)
      from = end
    }
    i = end
  }
  if (bytes.length > from) act(bytes.subarray(from), at + from)
}

/** Writes all of the bytes at their place. */
export const writeFully = (fd: number, bytes: Uint8Array, at: number): void => {
  for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done, bytes.length - done, at + done)
}

/** Creates a file of `length` zeros, or empties one that is there. */
export const createSparse = (name: string, length: number): number => {
  const fd = openSync(name, 'w')
  ftruncateSync(fd, length)
  return fd
}
