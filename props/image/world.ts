/** Images in memory, for the proofs of plans. */
import * as E from 'fp-ts/lib/Either.js'
import { load, names } from '../../corpus/load.js'
import type { Issue } from '../../src/bytes/issue.js'
import { fromMemory, type Plan, type Read, runSync } from '../../src/bytes/plan.js'
import { dump, type DumpData, dumpFrame, dumpRegions, patchOf } from '../../src/image/dump/dump.js'

/** The same answers, in the plan's own memory where it offers some: what it keeps of an older answer then is wrong. */
export const inPlansMemory =
  (read: (request: Read) => Uint8Array) =>
  (request: Read): Uint8Array => {
    const answer = read(request)
    request.into?.set(answer)
    return request.into ?? answer
  }

/** Runs a plan on bytes; what it emits goes to `onEmit`. */
export const runOn = <A, W>(
  image: Uint8Array,
  plan: Plan<A, W>,
  onEmit: (what: W) => void = () => undefined
): E.Either<readonly Issue[], A> => runSync(plan, { read: inPlansMemory(fromMemory(image)), emit: onEmit })

/** The text of an image's dump, with every byte in it unless `data` is `none`. */
export const dumpText = (image: Uint8Array, data: DumpData = 'inline'): string => {
  const parts: string[] = []
  runOn(image, dump(image.length, data), (text) => parts.push(text))
  return parts.join('')
}

export const right = <L, A>(result: E.Either<L, A>): A => {
  if (E.isLeft(result)) throw new Error(String(result.left))
  return result.right
}

/** The image of a dump: the bytes that were nobody's, and the structures over them. */
export const assembled = (text: string): Uint8Array => {
  const document: unknown = JSON.parse(text)
  const { fileLength, geometry } = right(dumpFrame(document))
  const image = new Uint8Array(fileLength)
  for (const region of right(dumpRegions(document))) {
    const patch = right(patchOf(region, geometry))
    if (patch._tag === 'Fill') image.fill(patch.fill, patch.at, patch.at + patch.size)
    else if (patch.at < fileLength) image.set(patch.bytes.subarray(0, fileLength - patch.at), patch.at)
  }
  return image
}

/** Images of the corpus of at most `most` bytes. */
export const smallImages = (most: number): readonly Uint8Array[] =>
  names().flatMap((name) => {
    const { image } = load(name)
    return image.length <= most && image.length > 0 ? [image] : []
  })

/** Fails unless the bytes are equal, and names the first byte that is not. */
export const sameBytes = (found: Uint8Array, wanted: Uint8Array, name: string): void => {
  if (Buffer.compare(found, wanted) === 0) return
  const at = wanted.findIndex((b, i) => b !== found[i])
  throw new Error(`${name}: ${found.length} bytes for ${wanted.length}, byte ${at} differs`)
}
