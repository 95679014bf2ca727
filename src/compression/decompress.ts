/** Decompression of clusters: a record of decoders, which a shell may replace by faster ones. */
import type * as E from 'fp-ts/lib/Either.js'
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
