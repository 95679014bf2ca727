/** Zstandard by the original library, compiled to WebAssembly. It is loaded only where an image needs it. */
import { compressUsingDict, createCCtx, decompress, init } from '@bokuweb/zstd-wasm'
import * as E from 'fp-ts/lib/Either.js'
import { type Encoder, shrinking } from '../../compression/compress.js'
import { type Decoder, portable } from '../../compression/decompress.js'
import { firstFrame } from '../../compression/zstd-frames.js'

/** QEMU's own level. */
const level = 3
const noDictionary = new Uint8Array(0)

/** It decodes a sound frame of exactly a cluster; any other payload is left to the portable decoder's judgement. */
const decode: Decoder = (payload, size) => {
  const frame = firstFrame(payload, size)
  if (frame === undefined) return portable.zstd(payload, size)
  const done = E.tryCatch(
    () => decompress(frame, { defaultHeapSize: size }),
    () => 'a zstd frame that is broken'
  )
  return E.isRight(done) && done.right.length === size ? done : portable.zstd(payload, size)
}

const both = async (): Promise<{ readonly decode: Decoder; readonly encode: Encoder }> => {
  await init()
  const context = createCCtx()
  return { decode, encode: shrinking((cluster) => compressUsingDict(context, cluster, noDictionary, level)) }
}

/** Both ways of the original library, which is started once. */
export const zstd = both()
