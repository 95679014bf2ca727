/** Decompression of clusters: a record of decoders, which a shell may replace by faster ones. */
import * as E from 'fp-ts/lib/Either.js'
import { inflate } from './inflate.js'
import { unzstd } from './zstd-frames.js'

/** Decodes the payload at the start of the bytes to exactly `size` bytes, or returns what was found in its place. */
export type Decoder = (payload: Uint8Array, size: number) => E.Either<string, Uint8Array>

/** A decoder for each compression type of the header. @see CMP-07 and CMP-10 */
export interface Decompressor {
  readonly deflate: Decoder
  readonly zstd: Decoder
}

/** Decoders in TypeScript, for every platform. */
export const portable: Decompressor = { deflate: inflate, zstd: unzstd }

/** Why a payload is no compressed cluster: the clause of its compression type, what was found, and what was expected. */
export interface Undecoded {
  readonly clause: 'CMP-09' | 'CMP-10'
  readonly found: string
  readonly expected: string
}

/** Decodes a payload to exactly a cluster of `size` bytes, by the compression type of the header. @see CMP-09 and CMP-10 */
export const decodeCluster = (
  decompressor: Decompressor,
  type: number,
  payload: Uint8Array,
  size: number
): E.Either<Undecoded, Uint8Array> => {
  const [decode, clause] =
    type === 1 ? [decompressor.zstd, 'CMP-10' as const] : [decompressor.deflate, 'CMP-09' as const]
  return E.mapLeft((found: string) => ({ clause, found, expected: `${size} bytes` }))(decode(payload, size))
}
