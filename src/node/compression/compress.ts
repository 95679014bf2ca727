/** Compression by Node's own zlib and by the original zstd, cluster by cluster, many at a time. It loads no decoders of zlib. */
import { deflateRawSync } from 'node:zlib'
import { type Compressor, type Encoder, portableCompressor, shrinking } from '../../compression/compress.js'

export type CompressionType = 'zlib' | 'zstd'

/** With QEMU's window and memory. @see CMP-07 */
const deflate: Encoder = shrinking((cluster) => deflateRawSync(cluster, { windowBits: 12, memLevel: 9 }))

/** The encoder of one type. */
export const encoderOf = async (type: CompressionType): Promise<Encoder> =>
  type === 'zstd' ? (await (await import('./native.js')).loadZstd()).encode : deflate

/** The native encoders for an image of one type; the encoder of the other type is not called. */
export const compressorOf = async (type: CompressionType): Promise<Compressor> => ({
  deflate,
  zstd: type === 'zstd' ? await encoderOf(type) : portableCompressor.zstd
})

/** Whole clusters, one after the other. */
export interface Batch {
  readonly bytes: Uint8Array<ArrayBuffer>
  /** Bytes of one cluster. */
  readonly size: number
}

/** A batch with the payloads of its clusters, one after the other; a cluster that does not shrink has one of length 0. */
export interface CompressedBatch extends Batch {
  readonly payloads: Uint8Array<ArrayBuffer>
  readonly lengths: readonly number[]
}

/** Compresses the clusters of a batch, each by itself. */
export const compressBatch =
  (encode: Encoder) =>
  (batch: Batch): CompressedBatch => {
    const { bytes, size } = batch
    const all = Array.from({ length: bytes.length / size }, (_, i) => encode(bytes.subarray(i * size, (i + 1) * size)))
    const lengths = all.map((payload) => payload?.length ?? 0)
    const payloads = new Uint8Array(lengths.reduce((sum, n) => sum + n, 0))
    let at = 0
    for (const payload of all) {
      if (payload !== undefined) payloads.set(payload, at)
      at += payload?.length ?? 0
    }
    return { ...batch, payloads, lengths }
  }
