/** Decompression by Node's own zlib, which is QEMU's, and both ways of the original zstd. */
import { inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { type Encoder, shrinking } from '../../compression/compress.js'
import { type Decoder, type Decompressor, portable } from '../../compression/decompress.js'
import { firstFrame } from '../../compression/zstd-frames.js'

/** Most bytes of streams that zlib may have refused: of each Node keeps that much memory until the next turn of its loop. */
const mostRefused = 2 ** 27

let refused = 0

/** zlib decodes a sound stream of exactly a cluster. Any other is left to the portable decoder's judgement. @see CMP-09 */
const inflate: Decoder = (payload, size) => {
  if (refused >= mostRefused) return portable.deflate(payload, size)
  const done = E.tryCatch(
    () => inflateRawSync(payload, { chunkSize: size + 1, maxOutputLength: size }),
    () => undefined
  )
  if (E.isRight(done) && done.right.length === size) return done
  if (E.isLeft(done)) refused += size
  return portable.deflate(payload, size)
}

/** Decoders for Node that are there at once. */
export const native: Decompressor = { deflate: inflate, zstd: portable.zstd }

/** QEMU's own level of zstd. */
const level = 3
const noDictionary = new Uint8Array(0)

/** Both ways of the original zstd library, compiled to WebAssembly. */
interface Zstd {
  readonly decode: Decoder
  readonly encode: Encoder
}

const startZstd = async (): Promise<Zstd> => {
  const { compressUsingDict, createCCtx, decompress, init } = await import('@bokuweb/zstd-wasm')
  await init()
  const context = createCCtx()
  return {
    /** Decodes a sound frame of exactly a cluster; any other payload is left to the portable decoder's judgement. */
    decode: (payload, size) => {
      const frame = firstFrame(payload, size)
      if (frame === undefined) return portable.zstd(payload, size)
      const done = E.tryCatch(
        () => decompress(frame, { defaultHeapSize: size }),
        () => 'a zstd frame that is broken'
      )
      return E.isRight(done) && done.right.length === size ? done : portable.zstd(payload, size)
    },
    encode: shrinking((cluster) => compressUsingDict(context, cluster, noDictionary, level))
  }
}

let zstd: Promise<Zstd> | undefined

/** The original zstd library, which is loaded and started once, and only where an image needs it. */
export const loadZstd = (): Promise<Zstd> => (zstd ??= startZstd())

/** Decoders for images of these types, the fastest that there are. */
export const decompressorOf = async (types: readonly number[]): Promise<Decompressor> =>
  types.includes(1) ? { ...native, zstd: (await loadZstd()).decode } : native
