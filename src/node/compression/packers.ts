/** Packers: threads that compress clusters, once there is enough of them to be worth it. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { isObject } from '../../bytes/json.js'
import { type CommandError, failure, reason } from '../command-error.js'
import { type Batch, type CompressionType, encoderOf, pack, type Packed } from './compress.js'

/** Most threads that compress. */
const maxThreads = 4
/** Bytes that are compressed without threads: as much work as it takes to start one. */
const worthThreads = 2 ** 22
/** Batches that one thread may have before it. */
const ahead = 3

export const isBatch = (u: unknown): u is Batch =>
  isObject(u) && u['bytes'] instanceof Uint8Array && typeof u['size'] === 'number'

const isPacked = (u: unknown): u is Packed =>
  isObject(u) && u['payloads'] instanceof Uint8Array && Array.isArray(u['lengths']) && isBatch(u)

/** What waits for a batch that a thread has. */
type Waiting = (result: E.Either<CommandError, Packed>) => void

/** A thread, and what waits for it. It answers in order. */
class Packer {
  private readonly waiting: Waiting[] = []
  private readonly worker: Worker

  constructor(type: CompressionType) {
    this.worker = new Worker(new URL('./compress-helper.js', import.meta.url), { workerData: type })
    this.worker.on('message', (message: unknown) => {
      this.waiting.shift()?.(
        isPacked(message) ? E.right(message) : failure('a thread that compresses gave no payloads')
      )
    })
    const fail = (why: string): void => {
      for (const done of this.waiting.splice(0)) done(failure(why))
    }
    this.worker.on('error', (error) => {
      fail(reason(error))
    })
    this.worker.on('exit', () => {
      fail('a thread that compresses ended')
    })
  }

  get load(): number {
    return this.waiting.length
  }

  pack(batch: Batch): TaskEither<CommandError, Packed> {
    const packed = new Promise<E.Either<CommandError, Packed>>((done) => {
      this.waiting.push(done)
      this.worker.postMessage(batch, [batch.bytes.buffer])
    })
    return () => packed
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}

/** What compresses batches. A batch that is handed over is no longer the caller's. */
export interface Packers {
  /** Begins to compress a batch. */
  readonly pack: (batch: Batch) => TaskEither<CommandError, Packed>
  /** Batches that keep every thread busy. */
  readonly most: number
  readonly close: () => Promise<void>
}

/** Packers of one compression type. */
export const openPackers = async (type: CompressionType): Promise<Packers> => {
  const here = pack(await encoderOf(type))
  const threads: Packer[] = []
  const number = Math.min(availableParallelism(), maxThreads)
  let bytes = 0
  return {
    most: number * ahead,
    pack: (batch) => {
      bytes += batch.bytes.length
      const useThreads = bytes > worthThreads
      while (useThreads && threads.length < number) threads.push(new Packer(type))
      const [least] = threads.toSorted((a, b) => a.load - b.load)
      if (least !== undefined) return least.pack(batch)
      const packed = E.right(here(batch))
      return () => Promise.resolve(packed)
    },
    close: async () => {
      await Promise.all(threads.map((t) => t.close()))
    }
  }
}
