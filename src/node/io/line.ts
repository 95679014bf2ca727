/** Lines of `qcow2 io`: what they ask for, and their outcomes. */
import * as E from 'fp-ts/lib/Either.js'
import type { Preallocation } from '../../../spec/disk.js'
import { type CommandError, commandError } from '../command-error.js'
import type { NodeOptions } from '../images/image-node.js'

/** Guest bytes that a line reads or writes, and how that is reported. */
export interface Transfer {
  readonly at: number
  readonly length: number
  readonly quiet: boolean
  /** Whether the report is for programs. */
  readonly terse: boolean
  /** The name that qemu-io gives the transfer when it fails. */
  readonly name: string
  /** Whether the line succeeds whatever the outcome of the transfer. */
  readonly asynchronous: boolean
  /** Whether the bytes are those of the VM state after the disk. */
  readonly vmState: boolean
}

/** Bytes of one value that a read must find. */
export interface Pattern {
  readonly byte: number
  /** Offset from the first byte read. */
  readonly at: number
  readonly length: number
}

/** A line that reads guest bytes. */
export type ReadLine = Transfer & { readonly _tag: 'Read'; readonly pattern?: Pattern; readonly dump: boolean }

/** A line that changes guest bytes. */
export type WriteLine =
  | (Transfer & {
      readonly _tag: 'Write'
      /** The value of every byte, or the name of the file whose bytes are repeated. */
      readonly pattern: number | string
      readonly compressed: boolean
      readonly flush: boolean
    })
  | (Transfer & {
      readonly _tag: 'WriteZeroes'
      readonly unmap: boolean
      /** Whether it fails unless it changes metadata only. */
      readonly fast: boolean
      readonly flush: boolean
    })
  | (Transfer & { readonly _tag: 'Discard' })

/** A line about the open image. */
export type ImageLine =
  | ReadLine
  | WriteLine
  | { readonly _tag: 'Alloc'; readonly at: number; readonly length: number }
  | { readonly _tag: 'Truncate'; readonly size: number; readonly preallocation: Preallocation }
  | { readonly _tag: 'Flush' | 'Info' | 'Length' | 'Map' | 'Nothing' }

/** A line about which file is open, or about the session. */
export type SessionLine =
  | { readonly _tag: 'Open' | 'Reopen'; readonly request: NodeOptions }
  | { readonly _tag: 'Close' | 'Quit' }
  | { readonly _tag: 'Help'; readonly topic: string | undefined }
  | { readonly _tag: 'Sleep'; readonly milliseconds: number }
  /** The process gets a signal, by its number; `crash` is `SIGABRT` without warning. */
  | { readonly _tag: 'Signal'; readonly signal: number | 'crash' }

export type Line = ImageLine | SessionLine

/** What a line prints, and whether it failed. The exit code is 1 where any line has failed. */
export interface Outcome {
  readonly failed: boolean
  /** For standard output. */
  readonly out: string
  /** For standard error, before `out`. */
  readonly error?: CommandError
}

/** The outcome of a line that succeeded. */
export const success = (out = ''): Outcome => ({ failed: false, out })

/** The outcome of a line that failed: an error for standard error, and text for standard output. */
export const failedBy = (error: CommandError, out = ''): Outcome => ({ failed: true, out, error })

/** The outcome of a line that failed with this message. */
export const failedWith = (message: string): Outcome => failedBy(commandError(message))

/** The outcome of a change of an image that is open for reading. */
export const readOnly = failedWith('Block node is read-only')

/** The outcome of a line whose failure qemu-io prints on standard output. */
export const failedOnOutput = (message: string): Outcome => ({ failed: true, out: `${message}\n` })

/** What was parsed, or the outcome of a line that is malformed. */
export type Parsed<A> = E.Either<Outcome, A>

/** What was parsed; a failure goes to standard error. */
export const orError: <A>(result: E.Either<CommandError, A>) => Parsed<A> = E.mapLeft((error) => failedBy(error))

/** What was parsed; the message of a failure goes to standard output. */
export const orOutput: <A>(result: E.Either<CommandError, A>) => Parsed<A> = E.mapLeft(({ message }) =>
  failedOnOutput(message)
)
