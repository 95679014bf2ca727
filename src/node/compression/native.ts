/** Decompression by Node's own zlib, which is QEMU's, and both ways of the original zstd. */
import { inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { type Encoder, shrinking } from '../../compression/compress.js'
import { type Decoder, type Decompressor, portable } from '../../compression/decompress.js'
import { firstFrame } from '../../compression/zstd-frames.js'

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

const inflated = (payload: Uint8Array, chunkSize: number, maxOutputLength: number): E.Either<unknown, Uint8Array> =>
  E.tryCatch(
    () => inflateRawSync(payload, { chunkSize, maxOutputLength }),
    (error) => codeOf(error)
  )

/** Whether zlib, with room for `size` bytes of which it may hand out fewer, finds no fault before that is full. */
const fills = (payload: Uint8Array, size: number): boolean => {
  const done = inflated(payload, size, size - 1)
  return E.isLeft(done) && done.left === 'ERR_BUFFER_TOO_LARGE'
}

/** zlib decodes a sound stream of exactly a cluster. Of one that yields more the portable decoder takes the cluster. @see CMP-09 */
const inflate: Decoder = (payload, size) => {
  const done = inflated(payload, size + 1, size)
  if (E.isRight(done) && done.right.length === size) return done
  const other = portable.deflate(payload, size)
  return E.isLeft(other) || fills(payload, size) ? other : E.left('a deflate stream that is broken')
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
