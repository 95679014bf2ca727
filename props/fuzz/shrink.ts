/** Shrinking: the smallest image, with the most zeros, in which a target still finds the same. */
import { execute, type Input, kindOf } from './execution.js'

/** Most executions that one find is shrunk with, and milliseconds: one that takes long is hardly shrunk. */
const most = 600
const longest = 10_000

/** The input with less in its image, as long as the find is of the same kind. */
export const shrunk = (input: Input, line: string): Input => {
  const kind = kindOf(input.target, line)
  const began = performance.now()
  let tries = 0
  let { image } = input
  const keep = (candidate: Uint8Array): boolean => {
    if (tries++ >= most || performance.now() - began > longest) return false
    const find = execute({ ...input, image: candidate })
    if (find === undefined || kindOf(input.target, find) !== kind) return false
    image = candidate
    return true
  }
  for (let less = image.length >> 1; less > 0; less >>= 1)
    while (image.length > less && keep(image.slice(0, image.length - less)));
  for (let size = 1 << Math.floor(Math.log2(Math.max(8, image.length))); size >= 8; size >>= 1)
    for (let at = 0; at < image.length && tries < most; at += size)
      if (image.subarray(at, at + size).some((byte) => byte !== 0)) keep(image.slice().fill(0, at, at + size))
  return { ...input, image }
}
