/** Visitors: what a walk over an image calls for everything that refers to host clusters. */
import type { Complaint } from '../../bytes/issue.js'
import type { L1View } from '../../format/views.js'
import type { ByteRange } from '../byte-range.js'
import type { LazyIssue, Severity } from './findings.js'
import type { L2Table } from './l2-table.js'
import type { Tree } from './trees.js'

/** How a walk reaches host bytes. */
export interface Origin {
  /** Byte offset of the table entry or header field that leads there. */
  readonly entry?: number
  /** Guest bytes that they hold. */
  readonly guest?: ByteRange
  /** Of a table: whether it is part of the active tree. */
  readonly active?: boolean
}

/** Host bytes that a structure takes, the structure being named in the format's own words. */
export interface Reference extends ByteRange, Origin {
  readonly structure: string
}

/** An L1 entry that is not zero, and the guest bytes it maps. */
export interface L1Slot {
  readonly tree: Tree
  readonly view: L1View
  readonly index: number
  readonly guest: ByteRange
}

/** What one purpose of a walk does with what it meets. */
export interface Visitor {
  /** A structure that has its clusters to itself. */
  claim(r: Reference): void
  /** A table or cluster that trees may share, to which `times` of them refer. */
  refer(r: Reference, times: number): void
  /** An L1 entry, before the L2 table that it names. */
  l1Entry(slot: L1Slot): void
  /** An L2 table that is used, once, after all L1 tables. */
  l2Table(t: L2Table): void
  /** A refcount block that a sound refcount table entry names. */
  refcountBlock(r: Reference): void
  /** Why the walk does not follow an entry. */
  find(severity: Severity, complaint: Complaint | LazyIssue): void
  /** The walk does not follow an entry that may refer to clusters: which ones is not known. */
  skip(): void
}

/** Whether host bytes end a cluster of `clusterSize` bytes or more past the end of the file. Such a reference is not counted. @see CHK-02 */
export const reachesPastEnd = ({ at, size }: ByteRange, fileLength: number, clusterSize: number): boolean =>
  at + size - fileLength >= clusterSize

/** How many of the clusters of host bytes begin in the file. */
export const clustersWithin = ({ at, size }: ByteRange, fileLength: number, clusterSize: number): number =>
  Math.max(0, Math.ceil(Math.min(at + size, fileLength) / clusterSize) - Math.floor(at / clusterSize))
