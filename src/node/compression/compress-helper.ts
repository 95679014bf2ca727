/** A thread that compresses batches of clusters, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { compressBatch, encoderOf } from './compress.js'
import { isBatch } from './compressor-pool.js'

const compress = compressBatch(await encoderOf(workerData === 'zstd' ? 'zstd' : 'zlib'))

parentPort?.on('message', (message: unknown) => {
  if (!isBatch(message)) return
  const compressed = compress(message)
  parentPort?.postMessage(compressed, [compressed.bytes.buffer, compressed.payloads.buffer])
})
