/** Structures past the end of the file: what a truncated copy of an image lacks, as far as the metadata show it. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { type Issue, issue } from '../bytes/issue.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { lastExtension } from '../format/extension-area.js'
import { blockEntries, clusterSize, type Geometry } from '../format/geometry.js'
import * as limits from '../format/limits.js'
import { refcountBits } from '../format/refcount.js'
import { L1View, RefcountTableView, RefcountView } from '../format/views.js'
import { inconsistent, type Location } from './check/findings.js'
import type { GuestDisk } from './guest/extents.js'
import { luksPointer, type Metadata, snapshotTablePlace } from './metadata.js'

const issueOf = (clause: ClauseId, where: Location, found: string, expected: string): Issue =>
  issue(inconsistent(clause, where, found, expected, 'format'))

/** The issue of a structure that the file ends before or in. @see GEN-03 and GEN-05 */
const cutOff = (s: Location, fileLength: number): readonly Issue[] => {
  if (s.size === 0 || s.at + s.size <= fileLength) return []
  const found = `${Math.max(0, fileLength - s.at)} of its ${s.size} bytes before the end of the file at byte ${fileLength}`
  const clause = s.at < fileLength ? 'GEN-03' : 'GEN-05'
  return [issueOf(clause, s, found, 'all of them; what is missing reads as zeros')]
}

/** The entries of a table, as far as they are in the file. */
function* entriesOf(at: number, size: number, fileLength: number): Plan<Uint8Array> {
  const length = Math.max(0, Math.min(size, fileLength - at))
  return length < 8 ? new Uint8Array(0) : yield* readAt(at, length - (length % 8))
}

/** The issue of the first entry whose table begins past the end of the file. */
const firstPastEnd = (
  view: { readonly length: number },
  offsetAt: (i: number) => number,
  entry: Omit<Location, 'size'>,
  fileLength: number
): readonly Issue[] => {
  for (let i = 0; i < view.length; i++) {
    const offset = offsetAt(i)
    if (offset < fileLength) continue
    const [at, found] = [entry.at + 8 * i, `a table at byte ${offset}`]
    const expected = `one before the end of the file at byte ${fileLength}`
    return [issueOf('GEN-05', { structure: entry.structure, at, size: 8 }, found, expected)]
  }
  return []
}

/** What a file of so many bytes lacks of the L1 table of a disk, and the first of its L2 tables that lies past the end. */
export function* mappingPastEnd(disk: GuestDisk, fileLength: number): Plan<readonly Issue[]> {
  const [at, size] = [disk.l1TableOffset, 8 * Math.min(disk.l1Size, limits.maxL1Entries)]
  const view = new L1View(yield* entriesOf(at, size, fileLength))
  return [
    ...cutOff({ structure: 'L1 table', at, size }, fileLength),
    ...firstPastEnd(view, (i) => view.l2TableOffset(i), { structure: 'L1 table entry', at }, fileLength)
  ]
}

/** The last refcount of a block that is not 0. */
const lastCounted = (bytes: Uint8Array, order: number): number | undefined => {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  const view = new RefcountView(bytes, order)
  for (let i = Math.min(view.length, Math.ceil((end * 8) / 2 ** order)) - 1; i >= 0; i--)
    if (view.count(i) !== 0) return i
  return undefined
}

/** What a file lacks of the refcount table, the first of its blocks that lies past the end, and the last cluster with a refcount. */
function* refcountStructuresPastEnd(m: Metadata, g: Geometry, fileLength: number): Plan<readonly Issue[]> {
  const at = Number(m.header.refcountTableOffset)
  const size = Math.min(m.header.refcountTableClusters * clusterSize(g), limits.maxRefcountTable)
  const view = new RefcountTableView(yield* entriesOf(at, size, fileLength))
  const offsetAt = (i: number): number => view.refcountBlockOffset(i)
  const missing = [
    ...cutOff({ structure: 'refcount table', at, size }, fileLength),
    ...firstPastEnd(view, offsetAt, { structure: 'refcount table entry', at }, fileLength)
  ]
  let last = view.length - 1
  while (last >= 0 && offsetAt(last) === 0) last--
  if (missing.length > 0 || last < 0 || offsetAt(last) % clusterSize(g) !== 0) return missing
  const counted = lastCounted(yield* readAt(offsetAt(last), clusterSize(g)), g.refcountOrder)
  const cluster = ((counted ?? -1) + last * blockEntries(g)) * clusterSize(g)
  if (counted === undefined || cluster < fileLength) return missing
  const found = `that of the cluster at byte ${cluster}`
  const expected = `none past the end of the file at byte ${fileLength}`
  const bits = refcountBits(g.refcountOrder)
  const place = { at: offsetAt(last) + Math.floor((counted * bits) / 8), size: Math.ceil(bits / 8) }
  return [issueOf('CHK-05', { structure: 'last refcount', ...place }, found, expected)]
}

/**
 * What a file of `fileLength` bytes lacks of an image that opens: tables, and clusters with a refcount. A file that ends in
 * the last cluster lacks nothing that these could show.
 */
export function* pastEnd(m: Metadata, disk: GuestDisk, fileLength: number): Plan<readonly Issue[]> {
  const directory = lastExtension(m.extensions, 'Bitmaps')?.data
  const luks = luksPointer(m)
  const snapshotL1Tables = m.snapshots.map((s) => ({
    structure: 'snapshot L1 table',
    at: Number(s.l1TableOffset),
    size: 8 * s.l1Size
  }))
  const structures: readonly Location[] = [
    { structure: 'snapshot table', ...snapshotTablePlace(m) },
    ...snapshotL1Tables.filter(({ at, size }) => at + size > fileLength).slice(0, 1),
    ...(directory === undefined || m.bitmaps.length === 0
      ? []
      : [
          {
            structure: 'bitmap directory',
            at: Number(directory.bitmapDirectoryOffset),
            size: Number(directory.bitmapDirectorySize)
          }
        ]),
    ...(luks === undefined ? [] : [{ structure: 'LUKS area', at: Number(luks.offset), size: Number(luks.length) }])
  ]
  return [
    ...(yield* mappingPastEnd(disk, fileLength)),
    ...(yield* refcountStructuresPastEnd(m, disk.g, fileLength)),
    ...structures.flatMap((s) => cutOff(s, fileLength))
  ]
}
