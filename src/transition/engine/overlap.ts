/** The overlap check: what a command is about to write, held against the metadata that lies there. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { L1View, RefcountTableView } from '../../format/views.js'
import { ClusterSet } from '../../image/cluster-set.js'
import { bitmapsExtension, snapshotTablePlace } from '../../image/metadata.js'
import type { Work } from './work.js'
import type { Claim, Owner } from './transaction.js'

/** A range of the image file that holds metadata. */
interface Range {
  readonly section: Owner
  readonly at: number
  readonly length: number
}

/** A write that would go over metadata of another kind. */
export interface Overlap {
  readonly claim: Claim
  readonly section: Owner
}

/** The sections whose places the header and the tables of contents tell. */
const constant = (w: Work): readonly Range[] => {
  const { metadata } = w.opened
  const size = clusterSize(w.g)
  const h = metadata.header
  const snapshots = snapshotTablePlace(metadata)
  const bitmaps = bitmapsExtension(metadata)
  return [
    { section: 'main header', at: 0, length: size },
    { section: 'active L1 table', at: Number(h.l1TableOffset), length: 8 * h.l1Size },
    { section: 'refcount table', at: Number(h.refcountTableOffset), length: h.refcountTableClusters * size },
    { section: 'snapshot table', at: snapshots.at, length: snapshots.size },
    ...(bitmaps === undefined
      ? []
      : [
          {
            section: 'bitmap directory' as const,
            at: Number(bitmaps.bitmapDirectoryOffset),
            length: Number(bitmaps.bitmapDirectorySize)
          }
        ]),
    ...metadata.snapshots.map((s): Range => ({
      section: 'inactive L1 table',
      at: Number(s.l1TableOffset),
      length: 8 * s.l1Size
    }))
  ]
}

/** Host clusters of active L2 tables and refcount blocks, as they were before the command. */
function* pointedTo(w: Work, wanted: ClusterSet): Plan<ReadonlyMap<number, Owner>> {
  const size = clusterSize(w.g)
  const h = w.opened.metadata.header
  const found = new Map<number, Owner>()
  const l1 = new L1View(yield* readAt(Number(h.l1TableOffset), 8 * h.l1Size))
  for (let i = 0; i < l1.length; i++) {
    const offset = l1.l2TableOffset(i)
    if (offset !== 0 && wanted.has(offset / size)) found.set(offset / size, 'active L2 table')
  }
  const blocks = new RefcountTableView(yield* readAt(Number(h.refcountTableOffset), h.refcountTableClusters * size))
  for (let i = 0; i < blocks.length; i++) {
    const offset = blocks.refcountBlockOffset(i)
    if (offset !== 0 && wanted.has(offset / size)) found.set(offset / size, 'refcount block')
  }
  return found
}

/** The clusters of a claim. */
interface Span {
  readonly claim: Claim
  readonly first: number
  readonly last: number
  /** Whether a cluster was not given up before by the command itself, so that it is still what it was. */
  readonly counts: (cluster: number) => boolean
}

const spanOf = (w: Work, claim: Claim, i: number): Span => ({
  claim,
  first: Math.floor(claim.at / clusterSize(w.g)),
  last: Math.floor((claim.at + claim.length - 1) / clusterSize(w.g)),
  counts: (cluster) => (w.freed.get(cluster) ?? Infinity) > i
})

const meets = ({ first, last, counts }: Span, { at, length }: Range, size: number): boolean => {
  const end = Math.min(last, Math.floor((at + length - 1) / size))
  for (let c = Math.max(first, Math.floor(at / size)); c <= end; c++) if (counts(c)) return true
  return false
}

/**
 * The first write of the command that would go over metadata of another kind, if there is one: the sections that QEMU
 * protects by default.
 *
 * @see INT-20
 */
export function* overlapping(w: Work): Plan<Overlap | undefined> {
  const size = clusterSize(w.g)
  const ranges = constant(w).filter((r) => r.length > 0)
  const spans = w.tx.claims.map((claim, i) => spanOf(w, claim, i))
  const wanted = new ClusterSet()
  for (const span of spans) {
    const { claim, first, last } = span
    const hit = ranges.find((r) => r.section !== claim.owner && meets(span, r, size))
    if (hit !== undefined) return { claim, section: hit.section }
    for (let c = first; c <= last; c++) wanted.add(c)
  }
  const tables = yield* pointedTo(w, wanted)
  for (const { claim, first, last, counts } of spans)
    for (let c = first; c <= last; c++) {
      const section = tables.get(c)
      if (section !== undefined && section !== claim.owner && counts(c)) return { claim, section }
    }
  return undefined
}
