/** Compression of clusters, behind one record that a shell can replace by a better one. */
import { deflate } from './deflate.js'
import { zstdRuns } from './zstd-runs.js'

/** Encodes a cluster as one payload, which is shorter; `undefined` when it does not shrink. @see CMP-11 */
export type Encoder = (cluster: Uint8Array) => Uint8Array | undefined

/** An encoder for each compression type of the header. Deflate keeps distances to 4096. @see CMP-07, CMP-08 and CMP-10 */
export interface Compressor {
  readonly deflate: Encoder
  readonly zstd: Encoder
}

/** The encoder that leaves out what does not shrink. */
export const shrinking =
  (encode: (cluster: Uint8Array) => Uint8Array): Encoder =>
  (cluster) => {
    const payload = encode(cluster)
    return payload.length < cluster.length ? payload : undefined
  }

/** Encoders that run everywhere. That for zstd shortens nothing but runs of equal bytes. */
export const portableCompressor: Compressor = { deflate: shrinking(deflate), zstd: shrinking(zstdRuns) }
