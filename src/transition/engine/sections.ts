/** Sections: where the metadata of an image is, as far as QEMU protects it, and the overlap check of what a command writes. */
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

/** A range of the image file, in bytes, and what it holds. */
export interface SectionRange {
  readonly section: Section
  readonly at: number
  readonly length: number
}

/** A range of the image file that a command writes, and the section that it writes there. */
export type Claim = SectionRange

/** Bytes of the refcount table; none where the header is in its place. */
const refcountTableBytes = (h: Header, g: Geometry): number =>
  h.refcountTableOffset === 0n ? 0 : h.refcountTableClusters * clusterSize(g)

/** The ranges that the header, the snapshot table and the bitmaps extension name. @see INT-20 */
export const namedRanges = (m: Metadata, g: Geometry): readonly SectionRange[] => {
  const h = m.header
  const size = clusterSize(g)
  const snapshots = snapshotTablePlace(m)
  const directory = trustedBitmaps(m)
  const all: readonly SectionRange[] = [
    { section: 'main header', at: 0, length: size },
    { section: 'active L1 table', at: Number(h.l1TableOffset), length: 8 * h.l1Size },
    { section: 'refcount table', at: Number(h.refcountTableOffset), length: refcountTableBytes(h, g) },
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

/**
 * The tables that a header names, through its L1 table and its refcount table. Those that are known are read again where the
 * command writes to the table that names them.
 */
export function* tablesNow(
  h: Header,
  g: Geometry,
  known: TableOffsets | undefined,
  claims: readonly Claim[]
): Plan<TableOffsets> {
  const isKept = (section: Section): boolean => claims.every((claim) => claim.section !== section)
  return {
    l2Tables: (isKept('active L1 table') ? known?.l2Tables : undefined) ?? (yield* l2TablesOf(h)),
    refcountBlocks: (isKept('refcount table') ? known?.refcountBlocks : undefined) ?? (yield* refcountBlocksOf(h, g))
  }
}

function* l2TablesOf(h: Header): Plan<Float64Array> {
  const table = new L1View(yield* readAt(Number(h.l1TableOffset), 8 * h.l1Size))
  return ascending(table.length, (i) => table.l2TableOffset(i))
}

function* refcountBlocksOf(h: Header, g: Geometry): Plan<Float64Array> {
  const table = new RefcountTableView(yield* readAt(Number(h.refcountTableOffset), refcountTableBytes(h, g)))
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
const tableAt = ({ l2Tables, refcountBlocks }: TableOffsets, at: number): Section | undefined => {
  if (includes(refcountBlocks, at)) return 'refcount block'
  return includes(l2Tables, at) ? 'active L2 table' : undefined
}

/** What was in an image before a command, and what the command did to it. */
export interface Changed {
  readonly g: Pick<Geometry, 'clusterBits'>
  /** Metadata that the header, the snapshot table and the bitmaps extension name. */
  readonly ranges: readonly SectionRange[]
  readonly tables: TableOffsets
  readonly claims: readonly Claim[]
  /** Host clusters that the command frees, and the number of claims before that: later claims may be of anything. */
  readonly freed: ReadonlyMap<number, number>
}

/** A claim on metadata of another section. */
interface Overlap {
  readonly claim: Claim
  readonly section: Section
}

/** The first claim of a command on metadata of another section, if there is one. @see INT-20 */
export const overlapOf = ({ g, ranges, tables, claims, freed }: Changed): Overlap | undefined => {
  const size = clusterSize(g)
  const firstOf = ({ at }: SectionRange): number => Math.floor(at / size)
  const lastOf = ({ at, length }: SectionRange): number => Math.floor((at + length - 1) / size)
  /** Whether one of the clusters still holds what it held before the command. */
  const areHeld = (from: number, to: number, i: number): boolean => {
    for (let c = from; c <= to; c++) if ((freed.get(c) ?? Infinity) > i) return true
    return false
  }
  for (const [i, claim] of claims.entries()) {
    const meets = (range: SectionRange): boolean =>
      areHeld(Math.max(firstOf(claim), firstOf(range)), Math.min(lastOf(claim), lastOf(range)), i)
    const hit = ranges.find((range) => range.section !== claim.section && meets(range))
    if (hit !== undefined) return { claim, section: hit.section }
  }
  for (const [i, claim] of claims.entries())
    for (let c = firstOf(claim); c <= lastOf(claim); c++) {
      const section = tableAt(tables, c * size)
      if (section !== undefined && section !== claim.section && areHeld(c, c, i)) return { claim, section }
    }
  return undefined
}
