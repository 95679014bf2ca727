/**
 * The sector store: a file in memory that never changes. Writing gives another store, which shares every sector that
 * was not written with the first, so that keeping all states of a file costs little and comparing them costs what differs.
 *
 * Offsets and lengths are bytes: whole numbers from 0 on whose sums a double holds exactly.
 */
import { part } from '../bytes/octets.js'
import { clipped, has, patched, type Sector, sectorSize, zeros } from './sector.js'
import { sectorAt, someSectorDiffers, type Tree, withoutSectors, withSectors } from './tree.js'

/** A file. Its bytes past the end are zeros, and a sector of zeros has no place in the tree. */
export interface Store {
  /** Bytes; any number of them, not only whole sectors. */
  readonly length: number
  readonly tree: Tree | undefined
}

/** The file without a byte. */
export const emptyStore: Store = { length: 0, tree: undefined }

const sectorOf = (at: number): number => Math.floor(at / sectorSize)
/** The number of sectors that `length` bytes from offset 0 on reach into. */
const sectorsIn = (length: number): number => Math.ceil(length / sectorSize)

/** The sector numbered `index`, zeros past the end being `undefined` too. */
export const sector = (store: Store, index: number): Sector => sectorAt(store.tree, index)

/**
 * The bytes from `at` on, zeros past the end. A range within one sector is not copied: the same sector of two stores
 * that share it is the same array.
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

/** All bytes, in an array of its own. */
export const toBytes = (store: Store): Uint8Array => part(read(store, 0, store.length), 0, store.length)

/** The store with `bytes` at `at`. It grows to hold them. The same store if it is no longer than before and has them already. */
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

/** The bytes as a store. Law: `toBytes(fromBytes(b)) = b`. */
export const fromBytes = (bytes: Uint8Array): Store => write(emptyStore, 0, bytes)

/** The store with this length: what it loses is gone, what it gains is zeros. The same store if that is its length already. */
export const truncate = (store: Store, length: number): Store => {
  if (length >= store.length) return length === store.length ? store : { length, tree: store.tree }
  const tree = withoutSectors(store.tree, sectorsIn(length), Infinity)
  const index = sectorOf(length)
  const last = sectorAt(tree, index)
  const kept = clipped(last, index, length)
  return { length, tree: kept === last ? tree : withSectors(tree, index, [kept]) }
}

/** The store with zeros in a range. Its length stays. The same store if there is nothing but zeros already. */
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

/** Same length, same bytes. Parts the stores share cost nothing. */
export const equals = (a: Store, b: Store): boolean =>
  a.length === b.length && !someSectorDiffers(a.tree, b.tree, () => true)

/** The numbers of the sectors whose bytes differ, in ascending order; past its end a store has zeros. Parts the stores share cost nothing. */
export const differing = (a: Store, b: Store): readonly number[] => {
  const found: number[] = []
  someSectorDiffers(a.tree, b.tree, (index) => {
    found.push(index)
    return false
  })
  return found
}
