/** Decompression by Node's own zlib, which is QEMU's, with the portable decoders for what it does not hand out. */
import { inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { type Decompressor, portable } from '../../compression/decompress.js'

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const inflated = (payload: Uint8Array, chunkSize: number, maxOutputLength: number): E.Either<unknown, Uint8Array> =>
  E.tryCatch(
    () => inflateRawSync(payload, { chunkSize, maxOutputLength }),
    (error) => codeOf(error)
  )

/** Whether zlib, given room for `size` bytes and told that it may hand out fewer, finds no fault before that is full. */
const fills = (payload: Uint8Array, size: number): boolean => {
  const done = inflated(payload, size, size - 1)
  return E.isLeft(done) && done.left === 'ERR_BUFFER_TOO_LARGE'
}

/** zlib decodes a sound stream of exactly a cluster. Of one that yields more the portable decoder takes the cluster. @see CMP-09 */
const deflate: Decompressor['deflate'] = (payload, size) => {
  const done = inflated(payload, size + 1, size)
  if (E.isRight(done) && done.right.length === size) return done
  const other = portable.deflate(payload, size)
  return E.isLeft(other) || fills(payload, size) ? other : E.left('a deflate stream that is broken')
}

/** Decoders for Node that are there at once. */
export const native: Decompressor = { deflate, zstd: portable.zstd }
