/** Output: text and bytes to standard output, in large pieces. */
import { writeSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import type { Json } from '../../bytes/json.js'
import { visibleLines } from '../../bytes/octets.js'
import { type CommandError, commandError, hasCode, reason } from '../command-error.js'

/** Writes all of it after what was written before, waiting where the reader is slower; what the system throws else. */
export const writeAll = (fd: number, bytes: Uint8Array): E.Either<unknown, void> => {
  for (let done = 0; done < bytes.length;) {
    const written = E.tryCatch(
      () => writeSync(fd, bytes, done),
      (error) => error
    )
    if (E.isRight(written)) done += written.right
    else if (hasCode(written.left, 'EAGAIN')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    else return written
  }
  return E.right(undefined)
}

const pieceSize = 2 ** 16
const encoder = new TextEncoder()

/** A text as it is. */
const plain = (text: string): string => text

/**
 * Writes lines of text to an open file; what they contain of other controls is escaped, which JSON allows too.
 *
 * @param styled adds controls of the terminal
 */
export const writeText = (fd: number, text: string, styled = plain): E.Either<unknown, void> =>
  writeAll(fd, encoder.encode(styled(visibleLines(text))))

/** Ends a command that only prints, successfully: nobody reads on, as `head` does not when it has enough. */
const unread = commandError('Nobody reads standard output', { exitCode: 0 })

const isUnread = ({ exitCode }: CommandError): boolean => exitCode === unread.exitCode

const toError = (error: unknown): CommandError =>
  hasCode(error, 'EPIPE') ? unread : commandError(`Could not write standard output: ${reason(error)}`)

/** Writes bytes to standard output. */
export const printBytes = (bytes: Uint8Array): E.Either<CommandError, void> => E.mapLeft(toError)(writeAll(1, bytes))

const done: E.Either<CommandError, void> = E.right(undefined)

/** The same result, but for text that nobody reads, which is dropped. */
export const dropUnread = (printed: E.Either<CommandError, void>): E.Either<CommandError, void> =>
  E.isLeft(printed) && isUnread(printed.left) ? done : printed

/**
 * Prints text to standard output; what nobody reads is dropped.
 *
 * @param styled adds controls of the terminal
 */
export const print = (text: string, styled = plain): E.Either<CommandError, void> =>
  dropUnread(E.mapLeft(toError)(writeText(1, text, styled)))

/** JSON as qemu-img prints it, indented by four. */
export const jsonText = (value: Json): string => `${JSON.stringify(value, null, 4)}\n`

/** Collects text, and writes it to standard output in pieces of 64 KiB or more. */
export interface TextWriter {
  readonly put: (text: string) => E.Either<CommandError, void>
  /** Writes the rest. */
  readonly end: () => E.Either<CommandError, void>
}

/** A writer of text to standard output. */
export const textWriter = (): TextWriter => {
  let pending: string[] = []
  let size = 0
  const flush = (): E.Either<CommandError, void> => {
    const text = pending.join('')
    pending = []
    size = 0
    return text === '' ? done : E.mapLeft(toError)(writeText(1, text))
  }
  return {
    put: (text) => {
      pending.push(text)
      size += text.length
      return size >= pieceSize ? flush() : done
    },
    end: flush
  }
}

/** Exit codes, as qemu-img's. */
export const ok = 0
