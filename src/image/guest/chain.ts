/** Chains: a disk and its backing disks, each in files of its own. */
import { type Answer, atDepth, type FileRef, Memory, type Plan, emit, onEmit } from '../../bytes/plan.js'
import { empty } from '../../bytes/octets.js'
import { sectorSize } from '../../format/limits.js'
import { cut, type GuestDisk, type Extent, extents } from './extents.js'
import { fileParts, type FilePart } from './holes.js'

/** A layer of a chain: an image, or a raw file of which every byte is there. Layer 0 is the image itself. */
export type Layer = (
  | { readonly _tag: 'Image'; readonly disk: GuestDisk }
  /**
   * Bytes of the file, or of the part of it that begins at byte `start`. The disk it presents is whole sectors, and ends in
   * zeros. @see RD-07
   */
  | { readonly _tag: 'Raw'; readonly size: number; readonly start?: number }
) & {
  /** Whether the file with its guest bytes is asked for holes; all of it is stored unless it is. @see RD-09 */
  readonly hasHoles?: boolean
}

/** Layers from the top down. */
export type Chain = readonly [Layer, ...(readonly Layer[])]

/** Whether an extent reads as zeros, whatever its file holds. */
export const isZeroExtent = ({ kind }: Extent): boolean => kind === 'zero' || kind === 'absent' || kind === 'hole'

/** An extent and the layer it was found in. `absent` ones have no layer below them that reaches so far: they read as zeros. */
export interface LocatedExtent extends Extent {
  readonly depth: number
}

/** Bytes of the disk that a layer presents. */
export const layerSize = (layer: Layer): number =>
  layer._tag === 'Raw' ? Math.ceil(layer.size / sectorSize) * sectorSize : layer.disk.size

/**
 * Bytes of the disk a chain presents: those of its top layer.
 *
 * @see BACK-08
 * @example
 * import { chainSize } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(chainSize([{ _tag: 'Raw', size: 1000 }]), 1024)
 */
export const chainSize = (chain: Chain): number => layerSize(chain[0])

/** The file that stores the bytes of a `data` extent of a layer. @see DATA-01 */
export const fileOf = (layer: Layer | undefined, depth: number): FileRef => ({
  part: layer?._tag === 'Image' && layer.disk.g.externalDataFile ? 'data' : 'image',
  depth
})

/** Data in parts that are stored and parts that are holes of the file, which are of the kind `hole`. */
const splitAtHoles = (layer: Layer, depth: number, { start, length, host = 0 }: Extent, hole: Extent['kind']) =>
  onEmit(fileParts(fileOf(layer, depth), host, host + length), (part: FilePart) =>
    emit<Extent>({
      kind: part.hole ? hole : 'data',
      start: start + part.at - host,
      length: part.length,
      host: part.at
    })
  )

/** A walk over a chain. */
interface Walk {
  readonly chain: Chain
  /** Those of the L2 tables of each layer. */
  readonly memories: readonly Memory[]
  readonly joinsCompressed: boolean
}

function* layerExtents(
  { chain, memories, joinsCompressed }: Walk,
  depth: number,
  from: number,
  to: number
): Plan<void, Extent> {
  const layer = chain[depth]
  if (layer === undefined) return
  if (layer._tag === 'Image') {
    const found = extents(layer.disk, from, to, memories[depth], joinsCompressed)
    const located = depth === 0 ? found : atDepth(depth, found)
    // The bytes of a hole are not zeros once they are decrypted.
    if (layer.hasHoles !== true || layer.disk.encrypted) return yield* located
    return yield* onEmit(located, (e) => (e.kind === 'data' ? splitAtHoles(layer, depth, e, 'hole') : emit(e)))
  }
  const end = Math.max(from, Math.min(to, layer.size))
  const { start = 0 } = layer
  const data: Extent = { kind: 'data', start: from, length: end - from, host: start + from }
  if (end > from) yield* layer.hasHoles === true ? splitAtHoles(layer, depth, data, 'zero') : emit(data)
  if (to > end) yield* emit<Extent>({ kind: 'zero', start: end, length: to - end, host: start + end })
}

/** Locates what one layer does not hold in the next, as far as that reaches. */
function* orBelow(walk: Walk, depth: number, e: Extent): Plan<void, LocatedExtent> {
  const next = walk.chain[depth + 1]
  const end = e.start + e.length
  const reach = next === undefined ? e.start : Math.max(e.start, Math.min(end, layerSize(next)))
  if (reach > e.start) yield* locate(walk, depth + 1, e.start, reach)
  if (end > reach) yield* emit<LocatedExtent>({ ...cut(e, reach, end), depth })
}

/** The layer of each extent, with what a layer does not hold located below it. There may be millions of extents. */
function* locate(walk: Walk, depth: number, from: number, to: number): Plan<void, LocatedExtent> {
  const found = layerExtents(walk, depth, from, to)
  let answer: Answer = empty
  for (;;) {
    const step = found.next(answer)
    if (step.done === true) return
    const request = step.value
    if (request._tag !== 'Emit') answer = yield request
    else if (request.what.kind === 'absent') yield* orBelow(walk, depth, request.what)
    else yield { _tag: 'Emit', what: { ...request.what, depth } }
  }
}

/**
 * Emits where guest bytes `[from, to)` of a chain come from, in order and without gaps, cluster by cluster and never
 * request by request.
 *
 * @param joinsCompressed whether neighbouring compressed clusters are one extent, which cannot be read
 * @see RD-05, BACK-06 and RD-07
 * @example
 * import { fromMemory, locations, runSync, type LocatedExtent } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const found: LocatedExtent[] = []
 * const world = { read: fromMemory(new Uint8Array(0)), emit: (e: LocatedExtent) => found.push(e) }
 * runSync(locations([{ _tag: 'Raw', size: 1000 }], 512, 1024), world)
 * assert.deepEqual(found.map(({ kind }) => kind), ['data', 'zero'])
 */
export const locations = (chain: Chain, from: number, to: number, joinsCompressed = false): Plan<void, LocatedExtent> =>
  locate({ chain, memories: chain.map(() => new Memory()), joinsCompressed }, 0, from, to)
