/** Compressing what goes into a new image: clusters are packed while others are read, and put in their turn. */
import type * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { SequentialImageWriter } from '../../transition/create/image-writer.js'
import { type CommandError, either, get, task, wait } from '../command-error.js'
import type { CompressionType, Packed } from '../compression/compress.js'
import { openPackers } from '../compression/packers.js'
import type { Stretch } from './clusters.js'
import { drain, type Perform, type Sink } from './sink.js'

/** Bytes of clusters that are compressed together. */
const batchSize = 2 ** 20

/** What waits for its turn: zeros, or clusters that are being compressed, and how many of their bytes are of the disk. */
interface Turn {
  readonly at: number
  readonly length: number
  readonly packed?: TaskEither<CommandError, Packed>
}

/** A sink that compresses; clusters that do not get smaller are put as they are. */
export const openPacking = async (
  fill: SequentialImageWriter,
  type: CompressionType,
  perform: Perform
): Promise<Sink> => {
  const packers = await openPackers(type)
  const size = fill.clusterSize
  const turns: Turn[] = []
  const putPacked = (at: number, length: number, { bytes, payloads, lengths }: Packed): E.Either<CommandError, void> =>
    either(function* () {
      let from = 0
      for (const [i, n] of lengths.entries()) {
        const whole = bytes.subarray(i * size, Math.min(length, (i + 1) * size))
        const to = at + i * size
        yield* get(drain(n === 0 ? fill.data(to, whole) : fill.payload(to, payloads.subarray(from, from + n)), perform))
        from += n
      }
    })
  const putTurn = ({ at, length, packed }: Turn): TaskEither<CommandError, void> =>
    task(async function* () {
      if (packed === undefined) yield* get(drain(fill.zeros(at, length), perform))
      else yield* get(putPacked(at, length, yield* wait(packed)))
    })
  /** Puts the turns that wait, but for so many of the last. */
  const putAllBut = (last: number): TaskEither<CommandError, void> =>
    task(async function* () {
      for (const turn of turns.splice(0, Math.max(0, turns.length - last))) yield* wait(putTurn(turn))
    })
  const push = (turn: Turn): TaskEither<CommandError, void> => {
    turns.push(turn)
    return putAllBut(packers.most)
  }
  const pushAll = ({ at, length, bytes }: Stretch): TaskEither<CommandError, void> =>
    task(async function* () {
      if (bytes === undefined) return yield* wait(push({ at, length }))
      const step = Math.max(size, batchSize)
      for (let done = 0; done < length; done += step) {
        const part = bytes.subarray(done, done + step)
        const own = new Uint8Array(Math.ceil(part.length / size) * size)
        own.set(part)
        yield* wait(push({ at: at + done, length: part.length, packed: packers.pack({ bytes: own, size }) }))
      }
    })
  return { put: (stretch) => pushAll(stretch)(), end: putAllBut(0), close: packers.close }
}
