/** Pipes as outputs: bytes go into them front to back, as soon as they are known. */
import { closeSync, openSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, commandError, either, type Failed, failure, get, reason, system } from '../command-error.js'
import { writeAll } from './output.js'
import { isStandardOutput } from './stream.js'

/** A pipe, or standard output, that is open for writing. */
export interface Pipe {
  readonly name: string
  /** Writes bytes after those before them, and waits where the reader is slower. */
  readonly put: (bytes: Uint8Array) => E.Either<CommandError, void>
  readonly close: () => void
}

const cannotWrite =
  (name: string) =>
  (error: unknown): CommandError =>
    commandError(`Could not write '${name}': ${reason(error)}`, { file: name })

/** Opens a pipe, and waits for its reader. */
export const openPipe = either(function* (name: string): Generator<Failed, Pipe> {
  const isOwn = isStandardOutput(name)
  if (isOwn && process.stdout.isTTY)
    yield* get(failure(`Could not write '${name}': standard output is a terminal`, { file: name }))
  const fd = isOwn ? 1 : yield* get(system('open', name, () => openSync(name, 'w')))
  return {
    name,
    put: (bytes: Uint8Array) => E.mapLeft(cannotWrite(name))(writeAll(fd, bytes)),
    close: () => {
      if (!isOwn) closeSync(fd)
    }
  }
})
