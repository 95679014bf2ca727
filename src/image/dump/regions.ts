/** Regions: every structure reachable from the header, with its bytes and its offset in the file. */
import { extensionRange } from '../../format/extension-area.js'
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issue } from '../../bytes/issue.js'
import { type Plan, readAt, emit } from '../../bytes/plan.js'
import { backingNamePlace } from '../../format/backing.js'
import { bitmapTableEntries } from '../../format/bitmap.js'
import { extensionArea } from '../../format/extension-area.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { header } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import { l1Rules } from '../../format/l1.js'
import * as limits from '../../format/limits.js'
import { refcountTableRules } from '../../format/refcount.js'
import type { SnapshotEntry } from '../../format/snapshot.js'
import { BitmapTableView, L1View, RefcountTableView } from '../../format/views.js'
import { tableIsSane } from '../bitmap-tables.js'
import { ClusterSet } from '../cluster-set.js'
import { trustedBitmaps, luksPointer, type Metadata, readMetadata, snapshotTablePlace } from '../metadata.js'

/** The structures of an image, in the order a walk meets them. */
export const structures = [
  'header',
  'header extensions',
  'backing file name',
  'L1 table',
  'L2 table',
  'refcount table',
  'refcount block',
  'snapshot table',
  'bitmap directory',
  'bitmap table',
  'bitmap data',
  'encryption area'
] as const

export type Structure = (typeof structures)[number]

/** A structure in the file. Tables may reach past the end of the file; their bytes are zeros there. */
export interface Region {
  readonly structure: Structure
  /** Host offset in bytes. */
  readonly at: number
  /** The bytes of the structure. */
  readonly bytes: Uint8Array
  /** Whose it is: the active tree, `snapshot 0`, `bitmap 0`; empty for what belongs to the image as a whole. */
  readonly of: string
  /** Which L1, refcount table or bitmap table entry leads to it, where one does. */
  readonly index?: number
}

/** What a walk emits: the metadata, a region, or why it does not follow an offset. */
export type RegionItem =
  | { readonly _tag: 'Metadata'; readonly metadata: Metadata }
  | { readonly _tag: 'Region'; readonly region: Region }
  | { readonly _tag: 'Issue'; readonly issue: Issue }

type RegionPlan<A = void> = Plan<A, RegionItem>

const region = (r: Region): RegionPlan => emit<RegionItem>({ _tag: 'Region', region: r })

function* emitIssues(issues: readonly Issue[]): RegionPlan {
  for (const i of issues) yield* emit<RegionItem>({ _tag: 'Issue', issue: i })
}

/** One walk: geometry, file length in bytes, and the clusters whose structures were emitted. */
interface Walk {
  readonly g: Geometry
  readonly fileLength: number
  readonly seen: ClusterSet
}

const chunk = 2 ** 20

/** All bytes of a structure, read in large runs. */
function* readWhole(at: number, size: number): Plan<Uint8Array> {
  if (size <= chunk) return yield* readAt(at, size)
  const out = new Uint8Array(size)
  for (let done = 0; done < size; done += chunk) out.set(yield* readAt(at + done, Math.min(chunk, size - done)), done)
  return out
}

/** How many of `size` bytes at `at` lie within the file, rounded up to whole entries of 8 bytes. */
const within = (w: Walk, at: number, size: number): number =>
  Math.min(size, Math.ceil(Math.max(0, w.fileLength - at) / 8) * 8)

const pastEnd = (w: Walk, structure: Structure, at: number, size: number): readonly Issue[] =>
  at < w.fileLength
    ? []
    : [
        issue({
          clause: 'OPEN-41',
          phase: 'inconsistent',
          source: 'format',
          structure,
          field: '',
          at,
          size,
          found: 'a place past the end of the file',
          expected: `a place within its ${w.fileLength} bytes`
        })
      ]

/** Whether a structure of one cluster or more may be read at this offset; the cluster is marked as seen. */
const isNew = (w: Walk, at: number): boolean =>
  at < w.fileLength && at % clusterSize(w.g) === 0 && w.seen.add(at / clusterSize(w.g))

function* l2Tables(w: Walk, view: L1View, at: number, of: string): RegionPlan {
  for (let i = 0; i < view.length; i++) {
    if (view.words.hi(i) === 0 && view.words.lo(i) === 0) continue
    yield* emitIssues(l1Rules.judge(view.entry(i), w.g, at + 8 * i))
    const l2 = view.l2TableOffset(i)
    if (l2 === 0) continue
    yield* emitIssues(pastEnd(w, 'L2 table', l2, clusterSize(w.g)))
    if (isNew(w, l2))
      yield* region({ structure: 'L2 table', at: l2, bytes: yield* readWhole(l2, clusterSize(w.g)), of, index: i })
  }
}

function* l1Table(w: Walk, at: number, entries: number, of: string): RegionPlan {
  yield* emitIssues(pastEnd(w, 'L1 table', at, 8 * entries))
  const bytes = yield* readWhole(at, within(w, at, 8 * entries))
  if (bytes.length > 0) yield* region({ structure: 'L1 table', at, bytes, of })
  yield* l2Tables(w, new L1View(bytes), at, of)
}

function* refcounts(w: Walk, at: number, clusters: number): RegionPlan {
  const size = Math.min(clusters * clusterSize(w.g), limits.maxRefcountTable)
  yield* emitIssues(pastEnd(w, 'refcount table', at, size))
  const bytes = yield* readWhole(at, within(w, at, size))
  if (bytes.length > 0) yield* region({ structure: 'refcount table', at, bytes, of: '' })
  const view = new RefcountTableView(bytes)
  for (let i = 0; i < view.length; i++) {
    if (view.words.hi(i) === 0 && view.words.lo(i) === 0) continue
    yield* emitIssues(refcountTableRules.judge(view.entry(i), w.g, at + 8 * i))
    const block = view.refcountBlockOffset(i)
    if (block === 0) continue
    yield* emitIssues(pastEnd(w, 'refcount block', block, clusterSize(w.g)))
    if (isNew(w, block))
      yield* region({
        structure: 'refcount block',
        at: block,
        bytes: yield* readWhole(block, clusterSize(w.g)),
        of: '',
        index: i
      })
  }
}

const readable = (w: Walk, offset: bigint): boolean =>
  offset % BigInt(clusterSize(w.g)) === 0n && offset <= BigInt(Number.MAX_SAFE_INTEGER)

function* snapshotTables(w: Walk, snapshots: readonly SnapshotEntry[]): RegionPlan {
  for (const [i, s] of snapshots.entries())
    if (readable(w, s.l1TableOffset) && s.l1Size <= limits.maxL1Entries)
      yield* l1Table(w, Number(s.l1TableOffset), s.l1Size, `snapshot ${i}`)
}

function* bitmapData(w: Walk, view: BitmapTableView, of: string): RegionPlan {
  for (let i = 0; i < view.length; i++) {
    const data = view.clusterOffset(i)
    if (data !== 0 && isNew(w, data))
      yield* region({
        structure: 'bitmap data',
        at: data,
        bytes: yield* readWhole(data, clusterSize(w.g)),
        of,
        index: i
      })
  }
}

function* bitmaps(w: Walk, m: Metadata): RegionPlan {
  const extension = trustedBitmaps(m)
  if (extension === undefined || m.bitmaps.length === 0) return
  const at = Number(extension.bitmapDirectoryOffset)
  const bytes = yield* readWhole(at, Number(extension.bitmapDirectorySize))
  yield* region({ structure: 'bitmap directory', at, bytes, of: '' })
  for (const [i, b] of m.bitmaps.entries()) {
    if (!tableIsSane(b, w.g)) continue
    const table = Number(b.bitmapTableOffset)
    const granular = b.granularityBits <= limits.maxGranularityBits
    const needed = granular ? bitmapTableEntries(presentedSize(m.header), b.granularityBits, w.g.clusterBits) : 0n
    const data = yield* readWhole(table, within(w, table, 8 * b.bitmapTableSize))
    if (data.length > 0) yield* region({ structure: 'bitmap table', at: table, bytes: data, of: `bitmap ${i}` })
    if (BigInt(b.bitmapTableSize) === needed) yield* bitmapData(w, new BitmapTableView(data), `bitmap ${i}`)
  }
}

function* headerRegions(w: Walk, m: Metadata): RegionPlan {
  const cluster = yield* readAt(0, clusterSize(w.g))
  yield* region({ structure: 'header', at: 0, bytes: cluster.subarray(0, header.sizeOf(m.header)), of: '' })
  if (m.extensions !== undefined) {
    const { from } = extensionRange(m.header, w.g)
    const bytes = cluster.subarray(from, from + extensionArea.sizeOf(m.extensions))
    if (bytes.length > 0) yield* region({ structure: 'header extensions', at: from, bytes, of: '' })
  }
  const place = backingNamePlace(m.header)
  if (m.backingName !== undefined && place !== undefined)
    yield* region({ structure: 'backing file name', at: Number(place.at), bytes: m.backingName, of: '' })
}

function* encryptionArea(w: Walk, m: Metadata): RegionPlan {
  const pointer = luksPointer(m)
  if (pointer === undefined || !readable(w, pointer.offset) || m.header.cryptMethod !== 2) return
  const at = Number(pointer.offset)
  const size = Math.min(Number(pointer.length), Math.max(0, w.fileLength - at))
  for (let done = 0; done < size; done += chunk) {
    const bytes = yield* readAt(at + done, Math.min(chunk, size - done))
    yield* region({ structure: 'encryption area', at: at + done, bytes, of: '', index: done / chunk })
  }
}

/** The regions of an image whose metadata was read. */
function* regionsOf(w: Walk, m: Metadata): RegionPlan {
  const h = m.header
  yield* headerRegions(w, m)
  if (readable(w, h.l1TableOffset) && h.l1Size > 0 && h.l1Size <= limits.maxL1Entries)
    yield* l1Table(w, Number(h.l1TableOffset), h.l1Size, 'active')
  if (readable(w, h.refcountTableOffset) && h.refcountTableClusters > 0)
    yield* refcounts(w, Number(h.refcountTableOffset), h.refcountTableClusters)
  const table = snapshotTablePlace(m)
  if (table.size > 0 && table.at < w.fileLength)
    yield* region({ structure: 'snapshot table', at: table.at, bytes: yield* readWhole(table.at, table.size), of: '' })
  yield* snapshotTables(w, m.snapshots)
  yield* bitmaps(w, m)
  yield* encryptionArea(w, m)
}

/**
 * Walks an image of `fileLength` bytes and emits its metadata, every structure reachable from the header, and an issue for
 * each offset that it does not follow. A table that trees share is emitted once; the work is bounded by the length of the
 * file. Of an image without a readable header it emits the issues alone.
 *
 * @example
 * import { regions, runSync, type RegionItem } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const found: RegionItem[] = []
 * runSync(regions(196616), worldOf(files, (item: RegionItem) => found.push(item)))
 * assert.ok(found.some((item) => item._tag === 'Region' && item.region.structure === 'L1 table'))
 */
export function* regions(fileLength: number): RegionPlan {
  const metadata = yield* readMetadata()
  if (E.isLeft(metadata)) return yield* emitIssues(metadata.left)
  yield* emit<RegionItem>({ _tag: 'Metadata', metadata: metadata.right })
  yield* emitIssues(metadata.right.issues)
  const g = metadata.right.geometry
  if (g === undefined) {
    const bytes = yield* readAt(0, header.sizeOf(metadata.right.header))
    return yield* region({ structure: 'header', at: 0, bytes, of: '' })
  }
  yield* regionsOf({ g, fileLength, seen: new ClusterSet() }, metadata.right)
}
