/** Writing behind: bytes that are on their way into a file while the next ones are read. */
import { write } from 'node:fs'
import { promisify } from 'node:util'
import { demandExact, writeFully } from './sparse.js'

const inTime = promisify(write)

/** Fewer bytes are sooner written than handed over. */
const least = 2 ** 15

const writeInTime = async (fd: number, bytes: Uint8Array, at: number): Promise<void> => {
  demandExact(at + bytes.length)
  for (let done = 0; done < bytes.length;)
    done += (await inTime(fd, bytes, done, bytes.length - done, at + done)).bytesWritten
}

/** Waits until all are over; rejected with the first thing that one of them is rejected with. */
const allDone = async (all: readonly Promise<void>[]): Promise<void> => {
  const failed = (await Promise.allSettled(all)).find((end) => end.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Turns that are under way at most: what is written stays as it is until so many turns have ended. */
export const mostTurns = 4

/** Writes in any order, turn after turn. A file stays open until {@link end} is fulfilled or rejected. */
export class Behind {
  private readonly now: Promise<void>[] = []
  private readonly turns: Promise<void>[] = []

  /** Writes all of the bytes at their place, at once or later. */
  put(fd: number, bytes: Uint8Array, at: number): void {
    if (bytes.length < least) writeFully(fd, bytes, at)
    else this.now.push(writeInTime(fd, bytes, at))
  }

  /** Ends a turn. Where too many are under way the next one is to wait; rejected with what the system throws. */
  turn(): Promise<void> | undefined {
    if (this.now.length === 0 && this.turns.length === 0) return undefined
    this.push()
    return this.turns.length < mostTurns ? undefined : this.turns.shift()
  }

  /** Waits until everything is written; rejected with the first thing that the system threw. */
  end(): Promise<void> {
    this.push()
    return allDone(this.turns.splice(0))
  }

  private push(): void {
    const turn = allDone(this.now.splice(0))
    // Who waits for it is told; until then it is nobody's failure.
    turn.catch(() => undefined)
    this.turns.push(turn)
  }
}
