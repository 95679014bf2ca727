/** Compression of clusters: a record of encoders, which a shell may replace by better ones. */
import { deflate } from './deflate.js'
import { zstdRuns } from './zstd-runs.js'

/** Encodes a cluster as one payload, which is shorter; `undefined` when it does not shrink. @see CMP-11 */
export type Encoder = (cluster: Uint8Array) => Uint8Array | undefined

/** An encoder for each compression type of the header. Deflate keeps distances to 4096. @see CMP-07, CMP-08 and CMP-10 */
export interface Compressor {
  readonly deflate: Encoder
  readonly zstd: Encoder
}

/** An encoder that returns `undefined` for a cluster that does not shrink. */
export const shrinking =
  (encode: (cluster: Uint8Array) => Uint8Array): Encoder =>
  (cluster) => {
    const payload = encode(cluster)
    return payload.length < cluster.length ? payload : undefined
  }

/** Encoders in TypeScript, for every platform. The one for zstd compresses runs of equal bytes only. */
export const portableCompressor: Compressor = { deflate: shrinking(deflate), zstd: shrinking(zstdRuns) }
