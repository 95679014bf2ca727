/** A thread that compresses batches of clusters, one after the other. */
import { parentPort, workerData } from 'node:worker_threads'
import { encoderOf, pack } from './compress.js'
import { isBatch } from './packers.js'

const compress = pack(await encoderOf(workerData === 'zstd' ? 'zstd' : 'zlib'))

parentPort?.on('message', (message: unknown) => {
  if (!isBatch(message)) return
  const packed = compress(message)
  parentPort?.postMessage(packed, [packed.bytes.buffer, packed.payloads.buffer])
})
