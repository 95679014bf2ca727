/** Packers: threads that compress clusters, once there is enough of them to be worth it. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { isObject } from '../../bytes/json.js'
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
interface Waiting {
  readonly done: (packed: Packed) => void
  readonly failed: (error: unknown) => void
}

/** A thread, and what waits for it. It answers in order. */
class Packer {
  private readonly waiting: Waiting[] = []
  private readonly worker: Worker

  constructor(type: CompressionType) {
    this.worker = new Worker(new URL('./compress-helper.js', import.meta.url), { workerData: type })
    this.worker.on('message', (message: unknown) => {
      const next = this.waiting.shift()
      if (isPacked(message)) next?.done(message)
      else next?.failed(new Error('a thread that compresses gave no payloads'))
    })
    const fail = (error: unknown): void => {
      for (const { failed } of this.waiting.splice(0)) failed(error)
    }
    this.worker.on('error', fail)
    this.worker.on('exit', () => {
      fail(new Error('a thread that compresses ended'))
    })
  }

  get load(): number {
    return this.waiting.length
  }

  pack(batch: Batch): Promise<Packed> {
    return new Promise((done, failed) => {
      this.waiting.push({ done, failed })
      this.worker.postMessage(batch, [batch.bytes.buffer])
    })
  }

  async close(): Promise<void> {
    await this.worker.terminate()
  }
}

/** What compresses batches. A batch that is handed over is no longer the caller's. */
export interface Packers {
  readonly pack: (batch: Batch) => Promise<Packed>
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
      if (bytes <= worthThreads) return Promise.resolve(here(batch))
      while (threads.length < number) threads.push(new Packer(type))
      const [least] = threads.toSorted((a, b) => a.load - b.load)
      return least === undefined ? Promise.resolve(here(batch)) : least.pack(batch)
    },
    close: async () => {
      await Promise.all(threads.map((t) => t.close()))
    }
  }
}
