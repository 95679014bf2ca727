/** Layouts: which clusters of a file the structures of a sketch take, and how often each is referred to. */
import type { CompressedRange } from '../format/compressed.js'
import { clusterSize, l2Entries } from '../format/geometry.js'
import type { Sketch, Slot } from './sketch.js'

/** The clusters of the structures, after header, refcount table, refcount block and L1 table in clusters 0 to 3. */
export interface Layout {
  readonly size: number
  /** The snapshot table, where there are snapshots, and the L1 tables of the snapshots after it. */
  readonly snapshots: number
  /** Directory, table and bits of the bitmap, one cluster each. */
  readonly bitmap: number
  readonly tables: number
  readonly data: number
  /** Clusters of the file. */
  readonly length: number
}

export const l1Cluster = 3

export const layoutOf = (s: Sketch): Layout => {
  const snapshots = l1Cluster + 1
  const bitmap = snapshots + (s.snapshots === 0 ? 0 : 1 + s.snapshots)
  const tables = bitmap + (s.hasBitmap ? 3 : 0)
  const data = tables + s.tables.length
  const length = data + (s.g.externalDataFile ? 0 : s.data)
  return { size: clusterSize(s.g), snapshots, bitmap, tables, data, length }
}

/** Host offset of the data of an entry, in bytes. With a data file it is the guest offset. @see DATA-04 */
export const hostOf = (s: Sketch, { size, data }: Layout, table: number, slot: Slot): number =>
  s.g.externalDataFile
    ? (s.l1.indexOf(table) * l2Entries(s.g) + slot.index) * size
    : (data + slot.data) * size + slot.offset

/** Whether an entry has a host offset. */
export const isPlaced = (s: Sketch, { kind }: Slot): boolean =>
  kind === 'normal' || kind === 'compressed' || (kind === 'zeroAllocated' && !s.g.externalDataFile)

/** The host bytes of a compressed payload of some length. @see CMP-03 */
export const payloadRange = (host: number, length: number): CompressedRange => ({
  hostOffset: BigInt(host),
  additionalSectors: Math.floor((host + length - 1) / 512) - Math.floor(host / 512)
})

/** The refcount of each cluster of the file. */
export const refcountsOf = (s: Sketch, layout: Layout): readonly number[] => {
  const counts = Array.from({ length: layout.length }, () => 0)
  for (let i = 0; i < layout.tables; i++) counts[i] = 1
  const users = 1 + s.snapshots
  s.tables.forEach((table, i) => {
    counts[layout.tables + i] = users
    for (const slot of table) if (isPlaced(s, slot) && !s.g.externalDataFile) counts[layout.data + slot.data] = users
  })
  return counts
}
