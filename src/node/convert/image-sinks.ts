/** The sinks of a new image: clusters are written as they are, or compressed while others are read. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { HostWrite } from '../../bytes/host-write.js'
import type { SequentialImageWriter } from '../../transition/create/image-writer.js'
import { actOnEach, because, type CommandError, either, get, task, wait } from '../command-error.js'
import type { CompressedBatch } from '../compression/compress.js'
import type { CompressorPool } from '../compression/compressor-pool.js'
import type { Run } from './clusters.js'
import type { Done, Sink } from './conversion.js'

/** A new image that is being written. */
export interface ImageOutput {
  readonly name: string
  readonly writer: SequentialImageWriter
  readonly perform: (write: HostWrite) => Done
  /** Guest bytes from here on read as zeros without entries: they are past the clusters of a backing file. */
  readonly zerosFrom: number
  readonly sparse: number
  readonly overBacking: boolean
}

/** Performs writes, up to the first that fails. */
const performAll = ({ perform }: ImageOutput, writes: Iterable<HostWrite>): Done => actOnEach(writes, perform)

/** Writes guest zeros. */
const putZeros = (image: ImageOutput, at: number, length: number): Done => {
  const needed = Math.min(length, image.zerosFrom - at)
  return needed > 0 ? performAll(image, image.writer.writeZeros(at, needed)) : E.right(undefined)
}

/** Writes the tables and the header, once everything else is written. */
const putTables = ({ name, writer, perform }: ImageOutput): Done => {
  const writes = writer.finish()
  for (;;) {
    const step = writes.next()
    if (step.done === true) return E.mapLeft(because(`Could not create '${name}'`, name))(step.value)
    const done = perform(step.value)
    if (E.isLeft(done)) return done
  }
}

/** Writes clusters as they are. */
export const imageSink = (image: ImageOutput): Sink => {
  const { writer, sparse, overBacking } = image
  return {
    unit: writer.clusterSize,
    sparse,
    overBacking,
    put: ({ at, length, bytes }) =>
      bytes === undefined ? putZeros(image, at, length) : performAll(image, writer.writeData(at, bytes, sparse > 0)),
    end: () => putTables(image)
  }
}

/** Bytes of clusters that are compressed together. */
const batchSize = 2 ** 20

/** Guest bytes that are not written yet: clusters that are being compressed, or zeros. */
interface Pending {
  readonly at: number
  readonly length: number
  readonly batch?: TaskEither<CommandError, CompressedBatch>
}

/** Compresses clusters, and writes them in the order of the guest disk; those that do not get smaller as they are. */
export const compressedSink = (image: ImageOutput, pool: CompressorPool): Sink => {
  const { writer, sparse, overBacking } = image
  const size = writer.clusterSize
  const queue: Pending[] = []

  const putBatch = either(function* (at: number, length: number, { bytes, payloads, lengths }: CompressedBatch) {
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
  const putAllBut = task(async function* (last: number) {
    for (const { at, length, batch } of queue.splice(0, Math.max(0, queue.length - last)))
      yield* get(batch === undefined ? putZeros(image, at, length) : putBatch(at, length, yield* wait(batch)))
  })

  const push = (pending: Pending): TaskEither<CommandError, void> => {
    queue.push(pending)
    return putAllBut(pool.capacity)
  }

  const put = task(async function* ({ at, length, bytes }: Run) {
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
