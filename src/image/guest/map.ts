/** Map: the layer and host offset of guest bytes, in the entries of `qemu-img map`. */
import { digits } from '../../bytes/exact.js'
import type { JsonObject } from '../../bytes/json.js'
import { type Plan, emit, mapEmissions } from '../../bytes/plan.js'
import { Coalescer } from '../byte-range.js'
import { type Chain, chainSize, isZeroExtent, type LocatedExtent, locations } from './chain.js'

/** An entry of a map. @see RD-09 */
export interface MapEntry {
  /** Guest offset in bytes. */
  readonly start: number
  readonly length: number
  /** Layer of the chain, 0 being the image itself. */
  readonly depth: number
  /** Whether the layer holds these bytes. */
  readonly present: boolean
  readonly zero: boolean
  readonly data: boolean
  /** Host offset in bytes in the layer's file, where the bytes are stored as they are. */
  readonly offset?: number
  /** Whether they are compressed, where that is asked for. */
  readonly compressed?: boolean
}

const entryOf = (chain: Chain, e: LocatedExtent, statesCompressed: boolean): MapEntry => {
  const layer = chain[e.depth]
  const opaque = e.kind === 'compressed' || (layer?._tag === 'Image' && layer.disk.encrypted)
  return {
    start: e.start,
    length: e.length,
    depth: e.depth,
    present: e.kind !== 'absent',
    zero: isZeroExtent(e),
    data: e.kind !== 'zero' && e.kind !== 'absent',
    ...(statesCompressed ? { compressed: e.kind === 'compressed' } : {}),
    ...(e.host === undefined || opaque ? {} : { offset: e.host })
  }
}

const joins = (a: MapEntry, b: MapEntry): boolean =>
  a.depth === b.depth &&
  a.present === b.present &&
  a.zero === b.zero &&
  a.data === b.data &&
  a.compressed === b.compressed &&
  (a.offset === undefined ? b.offset === undefined : a.offset + a.length === b.offset)

/**
 * Emits the entries of the whole disk of a chain, in order, equal neighbours joined; with `compressed` each states whether its
 * bytes are, as in QEMU 10 and 11.
 *
 * @example
 * import { fromMemory, map, runSync, type MapEntry } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const entries: MapEntry[] = []
 * const world = { read: fromMemory(new Uint8Array(0)), emit: (e: MapEntry) => entries.push(e) }
 * runSync(map([{ _tag: 'Raw', size: 1000 }]), world)
 * assert.deepEqual(entries.map(({ start, length, data }) => [start, length, data]), [[0, 1000, true], [1000, 24, false]])
 */
export function* map(chain: Chain, { compressed = false } = {}): Plan<void, MapEntry> {
  const size = chainSize(chain)
  const joined = new Coalescer<MapEntry>(joins)
  yield* mapEmissions(locations(chain, 0, size, true), (e) =>
    joined.push(entryOf(chain, e.start + e.length > size ? { ...e, length: size - e.start } : e, compressed))
  )
  yield* emit(joined.last() ?? { ...nothing, ...(compressed ? { compressed: false } : {}) })
}

/** The entry of a disk without bytes. */
const nothing: MapEntry = { start: 0, length: 0, depth: 0, present: false, zero: false, data: false }

/**
 * An entry as JSON, with qemu-img's keys in qemu-img's order.
 *
 * @example
 * import { mapEntryJson } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const entry = { start: 0, length: 512, depth: 0, present: true, zero: false, data: true, offset: 65536 }
 * assert.equal(mapEntryJson(entry)['offset'], 65536)
 */
export const mapEntryJson = (e: MapEntry): JsonObject => ({
  start: e.start,
  length: e.length,
  depth: e.depth,
  present: e.present,
  zero: e.zero,
  data: e.data,
  ...(e.compressed === undefined ? {} : { compressed: e.compressed }),
  ...(e.offset === undefined ? {} : { offset: e.offset })
})

/** An entry as text in qemu-img's spacing. Law: `JSON.parse(mapEntryText(e))` is `mapEntryJson(e)`. */
export const mapEntryText = (e: MapEntry): string =>
  `{ "start": ${digits(e.start)}, "length": ${digits(e.length)}, "depth": ${e.depth}, "present": ${String(e.present)}, ` +
  `"zero": ${String(e.zero)}, "data": ${String(e.data)}${e.compressed === undefined ? '' : `, "compressed": ${String(e.compressed)}`}${e.offset === undefined ? '' : `, "offset": ${e.offset}`}}`
