/** The map of host clusters: what each holds, its refcount, and whether that is right. */
import { clusterSize, type Geometry } from '../format/geometry.js'
import { type Counts, pageSize } from '../image/check/counts.js'
import type { Finding } from '../image/check/findings.js'
import { eachCell, type Grid, gridOf } from './cells.js'
import type { ImageIndex } from './image-index.js'
import type { Intervals } from './intervals.js'
import { kinds } from './kinds.js'

/** Marks of a cell, which may be combined. */
export const marks = { leak: 1, corruption: 2, overlap: 4 } as const

/** The host clusters of a range, as cells. */
export interface HostMap extends Grid {
  /** Bytes of a cluster. */
  readonly clusterSize: number
  /** The number of the kind that fills most of each cell. */
  readonly kinds: Uint8Array
  /** The highest refcount in each cell, at most 255. */
  readonly refcounts: Uint8Array
  readonly marks: Uint8Array
}

/** What a check has counted. */
export interface Counted {
  readonly refcounts: Counts
  readonly references: Counts
  readonly findings: readonly Finding[]
}

/** Adds to the bytes of each kind in each cell. */
const addBytes = (grid: Grid, size: number, intervals: Intervals, bytes: Float64Array): void => {
  const length = grid.perCell * size
  for (const { from, to, kind } of intervals.within(grid.from * size, grid.to * size))
    eachCell(grid, Math.floor(from / size), Math.ceil(to / size), (cell) => {
      const start = grid.from * size + cell * length
      const i = cell * kinds.length + kind
      bytes[i] = (bytes[i] ?? 0) + Math.min(to, start + length) - Math.max(from, start)
    })
}

/** The kind that fills most of a cell; of kinds that fill as much, and in a single cluster, the most important one. */
const kindOfCell = ({ perCell }: Grid, bytes: Float64Array): number => {
  if (perCell === 1)
    return Math.max(
      0,
      bytes.findLastIndex((n) => n > 0)
    )
  return bytes.reduce((most, n, kind) => (n > 0 && n >= (bytes[most] ?? 0) ? kind : most), 0)
}

/** Calls `each` with every cluster of a range that has a refcount or references, and both numbers. */
const eachCount = (
  { refcounts, references }: Counted,
  from: number,
  to: number,
  each: (cluster: number, refcount: number, references: number) => void
): void => {
  const end = Math.min(to, Math.max(refcounts.length, references.length))
  for (let p = Math.floor(from / pageSize); p * pageSize < end; p++) {
    if (refcounts.page(p) === undefined && references.page(p) === undefined) continue
    for (let c = Math.max(from, p * pageSize); c < Math.min(end, (p + 1) * pageSize); c++)
      each(c, refcounts.get(c), references.get(c))
  }
}

/** The map of host clusters `[from, to)` in at most `cells` cells; without counts there are no refcounts and no marks. */
export const hostMap = (
  index: ImageIndex,
  g: Geometry,
  counted: Counted | undefined,
  from: number,
  to: number,
  cells: number
): HostMap => {
  const size = clusterSize(g)
  const grid = gridOf(from, to, cells)
  const map = {
    ...grid,
    clusterSize: size,
    kinds: new Uint8Array(grid.cells),
    refcounts: new Uint8Array(grid.cells),
    marks: new Uint8Array(grid.cells)
  }
  const bytes = new Float64Array(grid.cells * kinds.length)
  addBytes(grid, size, index.data, bytes)
  addBytes(grid, size, index.structures, bytes)
  for (let cell = 0; cell < grid.cells; cell++)
    map.kinds[cell] = kindOfCell(grid, bytes.subarray(cell * kinds.length, (cell + 1) * kinds.length))
  if (counted === undefined) return map
  const mark = (cell: number, which: number): void => {
    map.marks[cell] = (map.marks[cell] ?? 0) | which
  }
  eachCount(counted, grid.from, to, (cluster, refcount, references) => {
    const cell = Math.floor((cluster - grid.from) / grid.perCell)
    map.refcounts[cell] = Math.max(map.refcounts[cell] ?? 0, Math.min(255, refcount))
    if (refcount !== references) mark(cell, refcount > references ? marks.leak : marks.corruption)
  })
  for (const { owners, at, size: bytes } of counted.findings)
    if (owners !== undefined)
      eachCell(grid, at / size, Math.ceil((at + bytes) / size), (cell) => mark(cell, marks.overlap))
  return map
}
