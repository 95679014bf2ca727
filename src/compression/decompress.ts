/** Decompression of clusters, behind one record that a shell can replace by a faster one. */
import type * as E from 'fp-ts/lib/Either.js'
import { inflate } from './inflate.js'
import { unzstd } from './zstd-frames.js'

/** Decodes the payload at the start of the bytes to exactly `size` bytes, or says why it cannot. */
export type Decoder = (payload: Uint8Array, size: number) => E.Either<string, Uint8Array>

/** A decoder for each compression type of the header. @see CMP-07 and CMP-10 */
export interface Decompressor {
  readonly deflate: Decoder
  readonly zstd: Decoder
}

/** Decoders that run everywhere. */
export const portable: Decompressor = { deflate: inflate, zstd: unzstd }
