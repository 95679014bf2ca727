/** Output: text to standard output in large pieces, one line to standard error for what went wrong, and the exit code for it. */
import { writeSync } from 'node:fs'

/** Writes all of it, waiting where the reader is slower. */
const writeAll = (fd: number, bytes: Uint8Array): void => {
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
}

/** Text in which characters that steer a terminal, and may stand in the names of an image, are told by their numbers. */
const shown = (text: string): string =>
  text.replace(/[^\P{Cc}\n\r\t]/gu, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)

const pieceSize = 2 ** 16
const encoder = new TextEncoder()

/** Writes to standard output; tells whether anybody still reads it, as `head` does not when it has enough. */
const tell = (bytes: Uint8Array): boolean => {
  try {
    writeAll(1, bytes)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') return false
    throw error
  }
}

/** Ends the program: what a command does that only prints, where nobody reads on. */
export const stop = (): never => process.exit(0)

/** Writes bytes to standard output, as long as anybody reads them. */
export const printBytes = (bytes: Uint8Array): void => {
  if (!tell(bytes)) stop()
}

/**
 * A writer of text to standard output that hands on pieces of 64 KiB or more. `end` hands on the rest. A piece that nobody
 * reads any more is dropped, and `unread` is done.
 */
export const writer = (
  unread: () => void = () => undefined
): { readonly put: (text: string) => void; readonly end: () => void } => {
  let pending: string[] = []
  let size = 0
  const flush = (): void => {
    if (size > 0 && !tell(encoder.encode(shown(pending.join(''))))) unread()
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
  writeAll(2, encoder.encode(`qcow2: ${shown(text.replace(/\s*\n\s*/g, ' '))}\n`))
}

/** Exit codes, as qemu-img's. */
export const ok = 0
export const failed = 1

/** Says what went wrong, and is the exit code for it. */
export const fail = (text: string): number => {
  complain(text)
  return failed
}

/** What commander gives a command that prints. */
export interface Printing {
  readonly output: 'human' | 'json'
}
