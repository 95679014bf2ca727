/** A pool of threads that compress clusters, started once there are enough of them to be worth it. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isObject } from '../../bytes/json.js'
import { type CommandError, failure, reason } from '../command-error.js'
import { type Batch, type CompressedBatch, compressBatch, type CompressionType, encoderOf } from './compress.js'

/** Most threads that compress. */
const maxThreads = 4
/** Bytes that are compressed without threads: as much work as it takes to start one. */
const worthThreads = 2 ** 22
/** Batches in the queue of one thread. */
const queueLength = 3

export const isBatch = (u: unknown): u is Batch =>
  isObject(u) && u['bytes'] instanceof Uint8Array && typeof u['size'] === 'number'

const isCompressed = (u: unknown): u is CompressedBatch =>
  isObject(u) && u['payloads'] instanceof Uint8Array && Array.isArray(u['lengths']) && isBatch(u)

/** Resolves the task of a batch. */
type Resolve = (result: E.Either<CommandError, CompressedBatch>) => void

/** A thread, and the tasks of the batches in its queue, which it compresses in order. */
class CompressorThread {
  private readonly queue: Resolve[] = []
  private readonly worker: Worker

  constructor(type: CompressionType) {
    this.worker = new Worker(new URL('./compress-helper.js', import.meta.url), { workerData: type })
    this.worker.on('message', (message: unknown) => {
      this.queue.shift()?.(
        isCompressed(message) ? E.right(message) : failure('a thread that compresses gave no payloads')
      )
    })
    const fail = (why: string): void => {
      for (const done of this.queue.splice(0)) done(failure(why))
    }
    this.worker.on('error', (error) => {
      fail(reason(error))
    })
    this.worker.on('exit', () => {
      fail('a thread that compresses ended')
    })
  }

  get load(): number {
    return this.queue.length
  }

  compress(batch: Batch): TaskEither<CommandError, CompressedBatch> {
    const compressed = new Promise<E.Either<CommandError, CompressedBatch>>((done) => {
      this.queue.push(done)
      this.worker.postMessage(batch, [batch.bytes.buffer])
    })
    return () => compressed
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}

/** Compresses batches, whose bytes it takes over. */
export interface CompressorPool {
  /** Begins to compress a batch. */
  readonly compress: (batch: Batch) => TaskEither<CommandError, CompressedBatch>
  /** How many batches keep every thread busy. */
  readonly capacity: number
  readonly close: () => Promise<void>
}

/** Opens a pool for one compression type. */
export const openCompressorPool = async (type: CompressionType): Promise<CompressorPool> => {
  const compressHere = compressBatch(await encoderOf(type))
  const threads: CompressorThread[] = []
  const number = Math.min(availableParallelism(), maxThreads)
  let bytes = 0
  return {
    capacity: number * queueLength,
    compress: (batch) => {
      bytes += batch.bytes.length
      const useThreads = bytes > worthThreads
      while (useThreads && threads.length < number) threads.push(new CompressorThread(type))
      const [least] = threads.toSorted((a, b) => a.load - b.load)
      if (least !== undefined) return least.compress(batch)
      const compressed = E.right(compressHere(batch))
      return () => Promise.resolve(compressed)
    },
    close: async () => {
      await Promise.all(threads.map((t) => t.close()))
    }
  }
}
