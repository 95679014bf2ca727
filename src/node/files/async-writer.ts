/** Writes in flight: bytes on their way into a file while the next ones are read. */
import { write } from 'node:fs'
import { promisify } from 'node:util'
import { demandExact, writeFully } from './sparse.js'

/** Writes the first of the bytes, one at least, at byte `at` of a file; resolves to how many. */
export type StartWrite = (fd: number, bytes: Uint8Array, at: number) => Promise<number>

const writeInThreadPool = promisify(write)

const startWrite: StartWrite = async (fd, bytes, at) =>
  (await writeInThreadPool(fd, bytes, 0, bytes.length, at)).bytesWritten

/** Fewer bytes are written in less time than it takes to hand them to another thread. */
const least = 2 ** 15

/** Most rounds in flight: the bytes of a round stay as they are until the barrier of the last of so many rounds. */
export const maxRounds = 4

/** What a write was rejected with. */
interface Rejection {
  readonly reason: unknown
}

/**
 * Writes in any order, round after round. A file stays open until {@link end} is fulfilled or rejected.
 *
 * Law: of the writes that fail, the first in the order of {@link put} is reported, once, whichever of them completes first.
 */
export class AsyncWriter {
  /** The writes of the current round, and of the rounds before it that may be in flight. None of the promises is rejected. */
  private readonly current: Promise<Rejection | undefined>[] = []
  private readonly rounds: (readonly Promise<Rejection | undefined>[])[] = []
  private reported = false

  constructor(private readonly start: StartWrite = startWrite) {}

  /** Writes all of the bytes at their place, at once or later. Throws what the system throws at once. */
  put(fd: number, bytes: Uint8Array, at: number): void {
    if (bytes.length >= least) {
      this.current.push(
        this.write(fd, bytes, at).then(
          () => undefined,
          (reason: unknown) => ({ reason })
        )
      )
      return
    }
    try {
      writeFully(fd, bytes, at)
    } catch (error) {
      this.reported = true
      throw error
    }
  }

  /** Ends a round, and waits for the oldest one if `maxRounds` are in flight. Rejects with the first failure, if it is there. */
  barrier(): Promise<void> | undefined {
    if (this.current.length === 0 && this.rounds.length === 0) return undefined
    this.rounds.push(this.current.splice(0))
    return this.rounds.length < maxRounds ? undefined : this.complete(this.rounds.shift() ?? [])
  }

  /** Waits until no write is in flight. Rejects with the first failure, unless it has been reported. */
  end(): Promise<void> {
    return this.complete([...this.rounds.splice(0).flat(), ...this.current.splice(0)])
  }

  private async write(fd: number, bytes: Uint8Array, at: number): Promise<void> {
    demandExact(at + bytes.length)
    for (let done = 0; done < bytes.length;) done += await this.start(fd, bytes.subarray(done), at + done)
  }

  private async complete(writes: readonly Promise<Rejection | undefined>[]): Promise<void> {
    const first = (await Promise.all(writes)).find((rejection) => rejection !== undefined)
    if (first === undefined || this.reported) return
    this.reported = true
    throw first.reason
  }
}
