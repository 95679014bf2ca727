/** Trees: the L1 tables of an image, and how much of the guest disk each one maps. */
import type { Issue } from '../../bytes/issue.js'
import { type Geometry, neededL1Entries } from '../../format/geometry.js'
import { headerFields } from '../../format/header.js'
import {
  reachOfSnapshot,
  snapshotDiskSize,
  type SnapshotEntry,
  snapshotRules,
  vmStateSize
} from '../../format/snapshot.js'
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

const isOfL1 = ({ field }: Issue): boolean => field === 'l1_table_offset' || field === 'l1_size'

/** Issues of a snapshot table entry; of those about its L1 table the first alone. */
export const firstOfL1 = (issues: readonly Issue[]): readonly Issue[] => {
  const first = issues.find(isOfL1)
  return issues.filter((issue) => issue === first || !isOfL1(issue))
}

/** Why the L1 table of the snapshot whose table entry starts at byte `entry` is not read, if it is not. @see SNAP-01 and SNAP-07 */
export const l1Issue = (s: SnapshotEntry, g: Geometry, entry: number): Issue | undefined =>
  snapshotRules.judge(s, g, entry).find(isOfL1)

/** What a snapshot table entry at byte `entry` breaks; of its L1 table the first alone, over which it is not read. */
export const snapshotIssues = (s: SnapshotEntry, g: Geometry, entry: number): readonly Issue[] =>
  firstOfL1(snapshotRules.judge(s, g, entry))
