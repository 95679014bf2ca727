/** Sections: where an image's metadata is, as far as QEMU protects it by default. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import type { Header } from '../../format/header.js'
import { L1View, RefcountTableView } from '../../format/views.js'
import { bitmapsExtension, type Metadata, snapshotTablePlace } from '../../image/metadata.js'
import type { Owner } from './transaction.js'

/** A range of the image file that holds metadata, in bytes. */
export interface Section {
  readonly owner: Owner
  readonly at: number
  readonly length: number
}

/** The sections that the header and the tables of contents name. @see INT-20 */
export const namedSections = (m: Metadata, g: Geometry): readonly Section[] => {
  const h = m.header
  const size = clusterSize(g)
  const snapshots = snapshotTablePlace(m)
  const directory = bitmapsExtension(m)
  const all: readonly Section[] = [
    { owner: 'main header', at: 0, length: size },
    { owner: 'active L1 table', at: Number(h.l1TableOffset), length: 8 * h.l1Size },
    { owner: 'refcount table', at: Number(h.refcountTableOffset), length: h.refcountTableClusters * size },
    { owner: 'snapshot table', at: snapshots.at, length: snapshots.size },
    {
      owner: 'bitmap directory',
      at: Number(directory?.bitmapDirectoryOffset ?? 0),
      length: Number(directory?.bitmapDirectorySize ?? 0)
    },
    ...m.snapshots.map((s): Section => ({
      owner: 'inactive L1 table',
      at: Number(s.l1TableOffset),
      length: 8 * s.l1Size
    }))
  ]
  return all.filter((s) => s.length > 0)
}

/** Host bytes of the tables that other tables name, each list ascending. */
export interface TableOffsets {
  readonly l2Tables: Float64Array
  readonly refcountBlocks: Float64Array
}

const ascending = (n: number, offsetAt: (i: number) => number): Float64Array => {
  const offsets: number[] = []
  for (let i = 0; i < n; i++) if (offsetAt(i) !== 0) offsets.push(offsetAt(i))
  return Float64Array.from(offsets).sort()
}

/** Host bytes of the L2 tables that the active L1 table names. */
export function* l2TablesOf(h: Header): Plan<Float64Array> {
  const table = new L1View(yield* readAt(Number(h.l1TableOffset), 8 * h.l1Size))
  return ascending(table.length, (i) => table.l2TableOffset(i))
}

/** Host bytes of the refcount blocks that the refcount table names. */
export function* refcountBlocksOf(h: Header, g: Geometry): Plan<Float64Array> {
  const table = new RefcountTableView(
    yield* readAt(Number(h.refcountTableOffset), h.refcountTableClusters * clusterSize(g))
  )
  return ascending(table.length, (i) => table.refcountBlockOffset(i))
}

/** Whether a list that ascends includes a number. */
const includes = (list: Float64Array, wanted: number): boolean => {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return list[low] === wanted
}

/** Whose table is at a host byte, if any of these is. */
export const tableAt = ({ l2Tables, refcountBlocks }: TableOffsets, at: number): Owner | undefined => {
  if (includes(refcountBlocks, at)) return 'refcount block'
  return includes(l2Tables, at) ? 'active L2 table' : undefined
}
