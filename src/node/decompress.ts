/** Decompression by Node's own zlib, which is QEMU's; the portable decoders judge what it does not take at once. */
import { inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { type Decompressor, portable } from '../compression/decompress.js'
import type { Chain } from '../image/chain.js'

/** zlib decodes a sound stream of exactly a cluster; any other is left to the portable decoder's judgement. */
const deflate: Decompressor['deflate'] = (payload, size) => {
  const done = E.tryCatch(
    () => inflateRawSync(payload, { maxOutputLength: size, chunkSize: size + 1 }),
    () => 'not at once'
  )
  return E.isRight(done) && done.right.length === size ? done : portable.deflate(payload, size)
}

/** Decoders for Node that are there at once. */
export const native: Decompressor = { deflate, zstd: portable.zstd }

/** The fastest decoders for the images of a chain. */
export const fastest = async (chain: Chain): Promise<Decompressor> =>
  chain.some((layer) => layer._tag === 'Image' && layer.disk.compressionType === 1)
    ? { deflate, zstd: (await import('./zstd.js')).zstd }
    : native
