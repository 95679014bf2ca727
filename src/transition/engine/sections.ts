/** Sections: where the metadata of an image is, as far as QEMU protects it by default. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import type { Header } from '../../format/header.js'
import { L1View, RefcountTableView } from '../../format/views.js'
import { trustedBitmaps, type Metadata, snapshotTablePlace } from '../../image/metadata.js'

/** What the bytes of an image file are: the sections of QEMU's overlap check, and three that it does not protect. @see INT-20 */
export type Section =
  | 'main header'
  | 'active L1 table'
  | 'active L2 table'
  | 'refcount table'
  | 'refcount block'
  | 'snapshot table'
  | 'inactive L1 table'
  | 'inactive L2 table'
  | 'bitmap directory'
  | 'bitmap table'
  | 'bitmap data'
  | 'guest data'

/** A range of the image file that holds metadata, in bytes. */
export interface SectionRange {
  readonly section: Section
  readonly at: number
  readonly length: number
}

/** The ranges that the header, the snapshot table and the bitmaps extension name. @see INT-20 */
export const namedRanges = (m: Metadata, g: Geometry): readonly SectionRange[] => {
  const h = m.header
  const size = clusterSize(g)
  const snapshots = snapshotTablePlace(m)
  const directory = trustedBitmaps(m)
  const all: readonly SectionRange[] = [
    { section: 'main header', at: 0, length: size },
    { section: 'active L1 table', at: Number(h.l1TableOffset), length: 8 * h.l1Size },
    { section: 'refcount table', at: Number(h.refcountTableOffset), length: h.refcountTableClusters * size },
    { section: 'snapshot table', at: snapshots.at, length: snapshots.size },
    {
      section: 'bitmap directory',
      at: Number(directory?.bitmapDirectoryOffset ?? 0),
      length: Number(directory?.bitmapDirectorySize ?? 0)
    },
    ...m.snapshots.map((s): SectionRange => ({
      section: 'inactive L1 table',
      at: Number(s.l1TableOffset),
      length: 8 * s.l1Size
    }))
  ]
  return all.filter((s) => s.length > 0)
}

/** Host offsets of the tables that the L1 table and the refcount table name, ascending. */
export interface TableOffsets {
  readonly l2Tables: Float64Array
  readonly refcountBlocks: Float64Array
}

const ascending = (n: number, offsetAt: (i: number) => number): Float64Array => {
  const offsets: number[] = []
  for (let i = 0; i < n; i++) if (offsetAt(i) !== 0) offsets.push(offsetAt(i))
  return Float64Array.from(offsets).sort()
}

/** The host offsets of the L2 tables that the active L1 table names, ascending. */
export function* l2TablesOf(h: Header): Plan<Float64Array> {
  const table = new L1View(yield* readAt(Number(h.l1TableOffset), 8 * h.l1Size))
  return ascending(table.length, (i) => table.l2TableOffset(i))
}

/** The host offsets of the refcount blocks that the refcount table names, ascending. */
export function* refcountBlocksOf(h: Header, g: Geometry): Plan<Float64Array> {
  const table = new RefcountTableView(
    yield* readAt(Number(h.refcountTableOffset), h.refcountTableClusters * clusterSize(g))
  )
  return ascending(table.length, (i) => table.refcountBlockOffset(i))
}

/** Whether an ascending list includes a number. */
const includes = (list: Float64Array, wanted: number): boolean => {
  let [low, high] = [0, list.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((list[middle] ?? 0) < wanted) low = middle + 1
    else high = middle
  }
  return list[low] === wanted
}

/** The section of the table at a host offset; `undefined` where there is none. */
export const tableAt = ({ l2Tables, refcountBlocks }: TableOffsets, at: number): Section | undefined => {
  if (includes(refcountBlocks, at)) return 'refcount block'
  return includes(l2Tables, at) ? 'active L2 table' : undefined
}
