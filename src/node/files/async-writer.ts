/** Writes in flight: bytes on their way into a file while the next ones are read. */
import { write } from 'node:fs'
import { promisify } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, systemTask } from '../command-error.js'
import { exactRange, writeAt } from './sparse.js'

/** Writes the first of the bytes, one at least, at byte `at` of a file; resolves to how many. */
export type StartWrite = (fd: number, bytes: Uint8Array, at: number) => Promise<number>

const writeInThreadPool = promisify(write)

const startWrite: StartWrite = async (fd, bytes, at) =>
  (await writeInThreadPool(fd, bytes, 0, bytes.length, at)).bytesWritten

/** Fewer bytes are written in less time than it takes to hand them to another thread. */
const least = 2 ** 15

/** Most rounds in flight: the bytes of a round stay as they are until the barrier of the last of so many rounds. */
export const maxRounds = 4

type Written = E.Either<CommandError, void>

const done: Written = E.right(undefined)

/**
 * Writes in any order, round after round. A file stays open until the task of {@link end} has ended.
 *
 * Law: of the writes that fail, the first in the order of {@link put} is the failure of one task, whichever of them completes
 * first.
 */
export class AsyncWriter {
  /** The writes of the current round, and of the rounds before it that may be in flight. */
  private readonly current: Promise<Written>[] = []
  private readonly rounds: (readonly Promise<Written>[])[] = []
  private reported = false

  constructor(private readonly start: StartWrite = startWrite) {}

  /** Writes all of the bytes at their place in the file of this name, at once or later. */
  put(name: string, fd: number, bytes: Uint8Array, at: number): Written {
    if (bytes.length < least) return this.report(writeAt(name, fd, bytes, at))
    this.current.push(this.write(name, fd, bytes, at)())
    return done
  }

  /** Ends a round, and waits for the oldest one if `maxRounds` are in flight; fails with the first failure, if it is there. */
  readonly barrier: TaskEither<CommandError, void> = async () => {
    if (this.current.length === 0 && this.rounds.length === 0) return done
    this.rounds.push(this.current.splice(0))
    return this.rounds.length < maxRounds ? done : this.complete(this.rounds.shift() ?? [])
  }

  /** Waits until no write is in flight; fails with the first failure, unless it has been reported. */
  readonly end: TaskEither<CommandError, void> = () =>
    this.complete([...this.rounds.splice(0).flat(), ...this.current.splice(0)])

  private write(name: string, fd: number, bytes: Uint8Array, at: number): TaskEither<CommandError, void> {
    const all = async (): Promise<void> => {
      for (let written = 0; written < bytes.length;)
        written += await this.start(fd, bytes.subarray(written), at + written)
    }
    const exact = exactRange(name, bytes, at)
    return E.isLeft(exact) ? () => Promise.resolve(exact) : systemTask('write', name, all)
  }

  private async complete(writes: readonly Promise<Written>[]): Promise<Written> {
    return this.report((await Promise.all(writes)).find(E.isLeft) ?? done)
  }

  /** The result, unless it is a failure and another one has been reported. */
  private report(written: Written): Written {
    if (E.isRight(written) || this.reported) return done
    this.reported = true
    return written
  }
}
