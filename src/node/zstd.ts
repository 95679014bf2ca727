/** Zstandard by the original decoder, compiled to WebAssembly. It is loaded only where an image needs it. */
import * as E from 'fp-ts/lib/Either.js'
import { ZSTDDecoder } from 'zstddec'
import { type Decoder, portable } from '../compression/decompress.js'
import { firstFrame } from '../compression/zstd-frames.js'

const decoder = new ZSTDDecoder()
await decoder.init()

/** It decodes a sound frame of exactly a cluster; any other payload is left to the portable decoder's judgement. */
export const zstd: Decoder = (payload, size) => {
  const frame = firstFrame(payload)
  const done = frame === undefined ? undefined : decoder.decode(frame, size)
  return done?.length === size ? E.right(done) : portable.zstd(payload, size)
}
