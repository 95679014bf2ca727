/** Output: text to standard output in large pieces, one line to standard error for what went wrong. */
import { writeSync } from 'node:fs'

/** Writes all of it, waiting where the reader is slower. */
export const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

const pieceSize = 2 ** 16
const encoder = new TextEncoder()

/** A writer of text that hands on pieces of 64 KiB or more. `end` hands on the rest. */
export const writer = (fd = 1): { readonly put: (text: string) => void; readonly end: () => void } => {
  let pending: string[] = []
  let size = 0
  const flush = (): void => {
    if (size > 0) writeAll(fd, encoder.encode(pending.join('')))
    pending = []
    size = 0
  }
  return {
    put: (text) => {
      pending.push(text)
      size += text.length
      if (size >= pieceSize) flush()
    },
    end: flush
  }
}

/** Prints text to standard output. */
export const print = (text: string): void => {
  const out = writer()
  out.put(text)
  out.end()
}

/** One line to standard error: the command's name and what went wrong. */
export const complain = (text: string): void => {
  writeAll(2, encoder.encode(`qcow2: ${text.replace(/\s*\n\s*/g, ' ')}\n`))
}
