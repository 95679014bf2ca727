/** The map of a guest disk: how each part is stored, and where two disks of an image differ. */
import * as E from 'fp-ts/lib/Either.js'
import { failWith, type Plan, onEmit } from '../bytes/plan.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import { activeDisk, type Extent, extents, type GuestDisk, snapshotDisk } from '../image/guest/extents.js'
import type { Metadata } from '../image/metadata.js'
import { eachCell, type Grid, gridOf } from './cells.js'
import { guestKinds } from './kinds.js'

/** A disk of the image: the active one, or that of the snapshot with this number. */
export type DiskChoice = 'active' | number

/** The guest bytes of a range, as cells. */
export interface GuestMap extends Grid {
  /** Bytes of the disk. */
  readonly diskSize: number
  /** The number of the most important kind in each cell. */
  readonly kinds: Uint8Array
  /** 1 for each cell in which the other disk has other bytes, or the same ones elsewhere. */
  readonly differs: Uint8Array
}

/** The disk of a choice; the plan ends with the reason where there is none. */
export function* diskOf(m: Metadata, g: Geometry, choice: DiskChoice): Plan<GuestDisk> {
  if (choice === 'active') return activeDisk(m, g)
  const snapshot = m.snapshots[choice]
  if (snapshot === undefined) return yield* failWith<GuestDisk>([])
  const disk = snapshotDisk(m, g, snapshot)
  return E.isRight(disk) ? disk.right : yield* failWith<GuestDisk>(disk.left)
}

/** Most extents of a disk that are kept. */
const mostExtents = 2 ** 19

/** Collects the extents of a disk, in order, into a list of the caller's: also those before an entry that cannot be followed. */
export function* collectExtents(disk: GuestDisk, into: Extent[]): Plan<void> {
  yield* onEmit(extents(disk, 0, disk.size), function* (e: Extent): Plan<void> {
    if (into.length >= mostExtents) yield* failWith([])
    into.push(e)
  })
}

/** Whether two extents store the bytes that they share in one way, at one place. */
const isSame = (a: Extent, b: Extent): boolean => {
  if (a.kind !== b.kind) return false
  if (a.kind === 'compressed' || a.host === undefined || b.host === undefined) return a.host === b.host
  return a.host - a.start === b.host - b.start
}

/** Calls `each` with the ranges in which two lists of extents differ. */
const eachDifference = (
  a: readonly Extent[],
  b: readonly Extent[],
  size: number,
  each: (from: number, to: number) => void
): void => {
  let [i, k] = [0, 0]
  for (let at = 0; at < size;) {
    const [x, y] = [a[i], b[k]]
    if (x === undefined && y === undefined) return
    const ends = [x, y].map((e) => (e === undefined ? size : e.start + e.length))
    const to = Math.min(size, ...ends)
    if (x === undefined || y === undefined || !isSame(x, y)) each(at, to)
    if (to === ends[0]) i++
    if (to === ends[1]) k++
    at = Math.max(to, at + 1)
  }
}

/** The map of guest bytes `[from, to)` in at most `cells` cells, from the extents of the disk and of another one. */
export const guestMap = (
  disk: GuestDisk,
  own: readonly Extent[],
  other: readonly Extent[] | undefined,
  from: number,
  to: number,
  cells: number
): GuestMap => {
  const grid = gridOf(from, Math.min(to, disk.size), cells, clusterSize(disk.g))
  const map = { ...grid, diskSize: disk.size, kinds: new Uint8Array(grid.cells), differs: new Uint8Array(grid.cells) }
  for (const e of own)
    eachCell(grid, e.start, e.start + e.length, (cell) => {
      map.kinds[cell] = Math.max(map.kinds[cell] ?? 0, guestKinds.indexOf(e.kind))
    })
  if (other !== undefined)
    eachDifference(own, other, disk.size, (a, b) => {
      eachCell(grid, a, b, (cell) => {
        map.differs[cell] = 1
      })
    })
  return map
}
