/**
 * The sector store: an immutable file in memory. A write returns another store, which shares every sector that was not
 * written, so that many states of a file cost little memory and comparing two costs as much as differs.
 *
 * Offsets and lengths are in bytes, with exact sums below 2^53.
 */
import { part } from '../bytes/octets.js'
import { clipped, has, patched, type Sector, sectorSize, zeros } from './sector.js'
import { sectorAt, someSectorDiffers, type SectorTree, withoutSectors, withSectors } from './tree.js'

/** A file. Bytes past the end are zeros, and sectors of zeros are not in the tree. */
export interface Store {
  /** Bytes, not only whole sectors. */
  readonly length: number
  readonly tree: SectorTree | undefined
}

/** The empty file. */
export const emptyStore: Store = { length: 0, tree: undefined }

const sectorOf = (at: number): number => Math.floor(at / sectorSize)
/** The number of sectors that hold the first `length` bytes. */
const sectorsIn = (length: number): number => Math.ceil(length / sectorSize)

/** Sector number `index`; `undefined` past the end too. */
export const sector = (store: Store, index: number): Sector => sectorAt(store.tree, index)

/**
 * `length` bytes from `at` on, zeros past the end. A range within one sector is not copied: a sector that two stores share is
 * the same array.
 */
export const read = (store: Store, at: number, length: number): Uint8Array => {
  let index = sectorOf(at)
  let within = at - index * sectorSize
  if (within + length <= sectorSize) {
    const bytes = sectorAt(store.tree, index) ?? zeros
    return length === sectorSize ? bytes : bytes.subarray(within, within + length)
  }
  const out = new Uint8Array(length)
  for (let done = 0; done < length; index++, within = 0) {
    const n = Math.min(sectorSize - within, length - done)
    const bytes = sectorAt(store.tree, index)
    if (bytes !== undefined) out.set(n === sectorSize ? bytes : bytes.subarray(within, within + n), done)
    done += n
  }
  return out
}

/**
 * All bytes, in a new array.
 *
 * @example
 * import { fromBytes, toBytes } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * assert.deepEqual(toBytes(fromBytes(Uint8Array.of(1, 2, 3))), Uint8Array.of(1, 2, 3))
 */
export const toBytes = (store: Store): Uint8Array => part(read(store, 0, store.length), 0, store.length)

/** The store with `bytes` at `at`, to which it grows; the same store if it has them there already. */
export const write = (store: Store, at: number, bytes: Uint8Array): Store => {
  const first = sectorOf(at)
  const sectors: Sector[] = []
  let changed = false
  for (let from = 0; from < bytes.length;) {
    const index = first + sectors.length
    const within = at + from - index * sectorSize
    const to = Math.min(bytes.length, from + sectorSize - within)
    const old = sectorAt(store.tree, index)
    const same = has(old, within, bytes, from, to)
    sectors.push(same ? old : patched(old, within, bytes.subarray(from, to)))
    changed ||= !same
    from = to
  }
  const length = bytes.length === 0 ? store.length : Math.max(store.length, at + bytes.length)
  if (changed) return { length, tree: withSectors(store.tree, first, sectors) }
  return length === store.length ? store : { length, tree: store.tree }
}

/**
 * A store of these bytes. Law: `toBytes(fromBytes(b)) = b`.
 *
 * @example
 * import { fromBytes } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(fromBytes(new Uint8Array(1000)).length, 1000)
 */
export const fromBytes = (bytes: Uint8Array): Store => write(emptyStore, 0, bytes)

/** The store with another length; the bytes it gains are zeros. The same store if that is its length. */
export const truncate = (store: Store, length: number): Store => {
  if (length >= store.length) return length === store.length ? store : { length, tree: store.tree }
  const tree = withoutSectors(store.tree, sectorsIn(length), Infinity)
  const index = sectorOf(length)
  const last = sectorAt(tree, index)
  const kept = clipped(last, index, length)
  return { length, tree: kept === last ? tree : withSectors(tree, index, [kept]) }
}

/** The store with zeros in a range, and the same length; the same store if the range is zeros already. */
export const punch = (store: Store, at: number, length: number): Store => {
  const end = Math.min(at + length, store.length)
  if (at >= end) return store
  const first = sectorsIn(at)
  const last = sectorOf(end)
  if (first > last) return write(store, at, zeros.subarray(0, end - at))
  const head = write(store, at, zeros.subarray(0, first * sectorSize - at))
  const edges = write(head, last * sectorSize, zeros.subarray(0, end - last * sectorSize))
  const tree = withoutSectors(edges.tree, first, last)
  return tree === edges.tree ? edges : { length: store.length, tree }
}

/** Whether two stores have the same length and the same bytes. Shared parts cost nothing. */
export const equals = (a: Store, b: Store): boolean =>
  a.length === b.length && !someSectorDiffers(a.tree, b.tree, () => true)

/** The numbers of the sectors that differ, ascending; past its end a store has zeros. Shared parts cost nothing. */
export const differing = (a: Store, b: Store): readonly number[] => {
  const found: number[] = []
  someSectorDiffers(a.tree, b.tree, (index) => {
    found.push(index)
    return false
  })
  return found
}
