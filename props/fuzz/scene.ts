/** Scenes: the files that a target works on, and plans run over them within bounds. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../src/bytes/issue.js'
import { fromMemory, type Plan, type Read, runSync } from '../../src/bytes/plan.js'
import type { Chain, Layer } from '../../src/image/guest/chain.js'
import type { GuestDisk } from '../../src/image/guest/extents.js'
import type { Metadata } from '../../src/image/metadata.js'
import { noise } from '../../src/fuzz/noise.js'
import type { Random } from '../../src/fuzz/random.js'
import type { Files } from '../transition/model/machine.js'

/** What an execution has that it must not have. */
export class Find extends Error {}

export const findUnless = (holds: boolean, what: () => string): void => {
  if (!holds) throw new Find(what())
}

/** The files of one execution, and the draw of its parameters. */
export interface Scene {
  readonly files: Files
  readonly random: Random
}

const data = noise(2, 16_384)
const backing = noise(1, 8192)

/** An image beside the data file and over the raw file that all images have. */
export const sceneOf = (image: Uint8Array, random: Random): Scene => ({ files: { image, data, backing }, random })

/** What a plan may cost. */
export interface Bounds {
  readonly requests: number
  /** Bytes of all requests. */
  readonly bytes: number
  readonly emissions: number
}

/** Most bytes of one request: the largest table of bitmaps. */
const largest = 2 ** 28

const mib = 2 ** 20

/** The bounds of plans that read each structure a fixed number of times: the image, and the largest tables of named limits. */
export const linear = ({ image }: Files): Bounds => ({
  requests: 2 ** 18 + image.length,
  bytes: 512 * mib + 64 * image.length,
  emissions: 2 ** 17 + 16 * image.length
})

const judgeRequest = ({ file, at, length, into }: Read): void => {
  findUnless(Number.isSafeInteger(length) && length >= 0 && length <= largest, () => `a request for ${length} bytes`)
  findUnless(Number.isInteger(at) && at >= 0 && at + length <= 2 ** 63, () => `a request at byte ${at}`)
  findUnless(file.depth >= 0 && file.depth <= 1, () => `a request ${file.depth} files down`)
  findUnless(into === undefined || into.length === length, () => `a request into memory of another length`)
}

/** Runs a plan over files; a find where it asks for what it may not, costs more than its bounds, or fails without a reason. */
export const runWithin = <A, W>(
  files: Files,
  bounds: Bounds,
  plan: Plan<A, W>,
  onEmit: (what: W) => void = () => undefined
): E.Either<readonly Issue[], A> => {
  const cost = { requests: 0, bytes: 0, emissions: 0 }
  const hold = (key: keyof Bounds, by: number): void => {
    cost[key] += by
    findUnless(cost[key] <= bounds[key], () => `more than ${bounds[key]} ${key}`)
  }
  const read = (request: Read): Uint8Array => {
    judgeRequest(request)
    hold('requests', 1)
    hold('bytes', request.length)
    const { part, depth } = request.file
    const answer = fromMemory(depth > 0 ? files.backing : files[part])(request)
    // A plan that offers its own memory gets the answer there: it must not keep an older one.
    request.into?.set(answer)
    return request.into ?? answer
  }
  const emit = (what: W): void => {
    hold('emissions', 1)
    onEmit(what)
  }
  const done = runSync(plan, { read, emit })
  if (E.isLeft(done)) {
    const [first] = done.left
    findUnless(first !== undefined, () => 'a plan that fails without an issue')
    findUnless(first === undefined || first.message.includes(`[${first.clause}]`), () => `an issue without its clause`)
  }
  return done
}

/** The layers below an image. */
export const layersBelow = (m: Metadata): readonly Layer[] =>
  m.backingName === undefined ? [] : [{ _tag: 'Raw', size: backing.length }]

export const chainOver = (m: Metadata, disk: GuestDisk): Chain => [{ _tag: 'Image', disk }, ...layersBelow(m)]
