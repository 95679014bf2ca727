/** The sink of a new image whose clusters are compressed while others are read, and written in the order of the guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, either, get, task, wait } from '../command-error.js'
import type { CompressedBatch } from '../compression/compress.js'
import type { CompressorPool } from '../compression/compressor-pool.js'
import type { Done, Run, Sink } from './conversion.js'
import { type ImageOutput, performAll, putTables, putZeros } from './image-sink.js'

/** Bytes of clusters that are compressed together. */
const batchSize = 2 ** 20

/** Guest bytes that are not written yet: clusters that are being compressed, or zeros. */
interface Pending {
  readonly at: number
  readonly length: number
  readonly batch?: TaskEither<CommandError, CompressedBatch>
}

/** Compresses clusters; those that do not get smaller are written as they are. */
export const compressedSink = (image: ImageOutput, pool: CompressorPool): Sink => {
  const { writer, sparse, overBacking } = image
  const size = writer.clusterSize
  const queue: Pending[] = []

  const putBatch = (at: number, length: number, { bytes, payloads, lengths }: CompressedBatch): Done =>
    either(function* () {
      let from = 0
      for (const [i, n] of lengths.entries()) {
        const guest = at + i * size
        const writes =
          n === 0
            ? writer.writeData(guest, bytes.subarray(i * size, Math.min(length, (i + 1) * size)))
            : writer.writePayload(guest, payloads.subarray(from, from + n))
        yield* get(performAll(image, writes))
        from += n
      }
    })

  /** Writes what is pending, in order, but for so many of the last. */
  const putAllBut = (last: number): TaskEither<CommandError, void> =>
    task(async function* () {
      for (const { at, length, batch } of queue.splice(0, Math.max(0, queue.length - last)))
        yield* get(batch === undefined ? putZeros(image, at, length) : putBatch(at, length, yield* wait(batch)))
    })

  const push = (pending: Pending): TaskEither<CommandError, void> => {
    queue.push(pending)
    return putAllBut(pool.capacity)
  }

  const put = ({ at, length, bytes }: Run): TaskEither<CommandError, void> =>
    task(async function* () {
      if (bytes === undefined) return yield* wait(push({ at, length }))
      const step = Math.max(size, batchSize)
      for (let from = 0; from < length; from += step) {
        const part = bytes.subarray(from, from + step)
        const padded = new Uint8Array(Math.ceil(part.length / size) * size)
        padded.set(part)
        const batch = pool.compress({ bytes: padded, size })
        yield* wait(push({ at: at + from, length: part.length, batch }))
      }
    })

  return {
    unit: size,
    sparse,
    overBacking,
    progressStep: size,
    put: (run) => put(run)(),
    end: async () => E.chain(() => putTables(image))(await putAllBut(0)())
  }
}
