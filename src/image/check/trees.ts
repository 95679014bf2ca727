/** Trees: the L1 tables of an image, and how much of the guest disk each one maps. */
import { type Geometry, neededL1Entries } from '../../format/geometry.js'
import { headerFields } from '../../format/header.js'
import { reachOfSnapshot, snapshotDiskSize, type SnapshotEntry, vmStateSize } from '../../format/snapshot.js'
import type { Metadata } from '../metadata.js'

/** An L1 table and the tree under it. */
export interface Tree {
  /** Byte offset and entries of the L1 table. */
  readonly at: number
  readonly entries: number
  readonly active: boolean
  /** Bytes of the guest disk. */
  readonly disk: number
  /** Entries that map the disk and the VM state. */
  readonly reach: number
  /** Byte offset of the header field or snapshot table entry that leads to the L1 table. */
  readonly entry: number
}

/** The active tree, which may map VM state as large as that of any snapshot. */
export const activeTree = (m: Metadata, g: Geometry): Tree => {
  const { l1TableOffset, l1Size, size } = m.header
  const largest = m.snapshots.map(vmStateSize).reduce((a, b) => (a > b ? a : b), 0n)
  return {
    at: Number(l1TableOffset),
    entries: l1Size,
    active: true,
    disk: Number(size),
    reach: Number(neededL1Entries(g, size) + neededL1Entries(g, largest)),
    entry: headerFields.placeOf('l1TableOffset').at
  }
}

/** The tree of a snapshot whose table entry starts at byte `entry`. Where that names no disk size, every L1 entry may map. */
export const snapshotTree = (m: Metadata, g: Geometry, s: SnapshotEntry, entry: number): Tree => ({
  at: Number(s.l1TableOffset),
  entries: s.l1Size,
  active: false,
  disk: Number(snapshotDiskSize(s, m.header.size)),
  reach: s.extra.diskSize === undefined ? s.l1Size : Number(reachOfSnapshot(s, { ...g, disk: s.extra.diskSize })),
  entry
})
