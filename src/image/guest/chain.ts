/** Chains: a disk and its backing disks, each in files of its own. */
import { atDepth, type Plan, emit, onEmit } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import { cut, type GuestDisk, type Extent, extents } from './extents.js'

/** A layer of a chain: an image, or a raw file of which every byte is there. Layer 0 is the image itself. */
export type Layer =
  | { readonly _tag: 'Image'; readonly disk: GuestDisk }
  /** Bytes of the file. The disk it presents is whole sectors, and ends in zeros. @see RD-07 */
  | { readonly _tag: 'Raw'; readonly size: number }

/** Layers from the top down. */
export type Chain = readonly [Layer, ...(readonly Layer[])]

/** An extent and the layer it was found in. `absent` ones have no layer below them that reaches so far: they read as zeros. */
export interface LocatedExtent extends Extent {
  readonly depth: number
}

const sizeOf = (layer: Layer): number =>
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
export const chainSize = (chain: Chain): number => sizeOf(chain[0])

function* layerExtents(layer: Layer, depth: number, from: number, to: number): Plan<void, Extent> {
  if (layer._tag === 'Image') {
    const found = extents(layer.disk, from, to)
    return yield* depth === 0 ? found : atDepth(depth, found)
  }
  const end = Math.max(from, Math.min(to, layer.size))
  if (end > from) yield* emit<Extent>({ kind: 'data', start: from, length: end - from, host: from })
  if (to > end) yield* emit<Extent>({ kind: 'zero', start: end, length: to - end, host: end })
}

/** Locates what one layer does not hold in the next, as far as that reaches. */
function* orBelow(chain: Chain, depth: number, e: Extent): Plan<void, LocatedExtent> {
  const next = chain[depth + 1]
  const end = e.start + e.length
  const reach = next === undefined ? e.start : Math.max(e.start, Math.min(end, sizeOf(next)))
  if (reach > e.start) yield* locate(chain, depth + 1, e.start, reach)
  if (end > reach) yield* emit<LocatedExtent>({ ...cut(e, reach, end), depth })
}

function* locate(chain: Chain, depth: number, from: number, to: number): Plan<void, LocatedExtent> {
  const layer = chain[depth]
  if (layer === undefined) return
  yield* onEmit(layerExtents(layer, depth, from, to), (e) =>
    e.kind === 'absent' ? orBelow(chain, depth, e) : emit<LocatedExtent>({ ...e, depth })
  )
}

/**
 * Emits where guest bytes `[from, to)` of a chain come from, in order and without gaps, cluster by cluster and never
 * request by request.
 *
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
export const locations = (chain: Chain, from: number, to: number): Plan<void, LocatedExtent> =>
  locate(chain, 0, from, to)
