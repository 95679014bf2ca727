/** The targets of this package for Jazzer.js, which OSS-Fuzz and ClusterFuzzLite run: see .clusterfuzzlite. */
import { execute, targetNames } from './execution.js'

/** Bytes after the image, of which the first says which target runs and the others are what it draws from. */
const drawn = 5

/** Runs a target on the image that the bytes begin with; throws what it finds. */
export const fuzz = (data: Buffer): void => {
  if (data.length < drawn) return
  const at = data.length - drawn
  const target = targetNames[data.readUInt8(at) % targetNames.length] ?? 'header'
  const found = execute({ target, draw: data.readUInt32LE(at + 1), image: new Uint8Array(data.subarray(0, at)) })
  if (found !== undefined) throw new Error(`${target}: ${found}`)
}
