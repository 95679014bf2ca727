/** Metadump: the metadata of an image alone, to attach to a bug report. */
import * as E from 'fp-ts/lib/Either.js'
import { empty } from '../bytes/octets.js'
import { bytesOf, type Plan, emit, onEmit, orFail, readAt } from '../bytes/plan.js'
import { isAligned } from '../format/alignment.js'
import { backingNamePlace } from '../format/backing.js'
import { bitmapsExtension } from '../format/extension-payload.js'
import { extensionRange } from '../format/extension-area.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import { header } from '../format/header.js'
import { hostEnd, sectorSize } from '../format/limits.js'
import { luksSize } from '../format/luks.js'
import { snapshotFixed } from '../format/snapshot.js'
import type { ByteRange } from './byte-range.js'
import { checkMetadata, ignoredRefusals } from './check/check.js'
import type { Finding } from './check/findings.js'
import { readRefcounts, readRefcountTable } from './check/refcounts.js'
import type { Visitor } from './check/visitor.js'
import { walk } from './check/walk.js'
import {
  bitmapRecords,
  extensionRecords,
  masked,
  Pseudonyms,
  type RecordKind,
  redactLuks,
  redactRecords,
  type Rename,
  snapshotRecords
} from './dump/redact.js'
import { type RegionItem, regions, type Structure } from './dump/regions.js'
import { luksPointer, type Metadata, readMetadata, refusal, snapshotTablePlace, trustedBitmaps } from './metadata.js'

/** How much of the metadata is replaced. */
export interface MetadumpOptions {
  /** Whether names stay as they are: of the backing file, the data file, snapshots and bitmaps. */
  readonly keepNames?: boolean
}

/** Bytes of the copy. What no piece covers is zeros. */
export interface MetadumpPiece {
  /** Host offset in bytes. */
  readonly at: number
  readonly bytes: Uint8Array
}

/** What a copy of the metadata has beside them. */
export interface MetadumpReport {
  /** Clusters that an image uses for metadata and for guest data at once: they are in the copy. */
  readonly ambiguous: readonly ByteRange[]
}

type Pieces = Plan<void, MetadumpPiece>

/** Structures that are copied as they are. */
const plainStructures: readonly Structure[] = [
  'L1 table',
  'L2 table',
  'refcount table',
  'refcount block',
  'bitmap table',
  'bitmap data'
]

/** The range as far as it is in the file. */
const inFile = ({ at, size }: ByteRange, fileLength: number): ByteRange => ({
  at,
  size: Math.max(0, Math.min(size, fileLength - at))
})

function* records(place: ByteRange | undefined, kind: RecordKind, rename: Rename): Pieces {
  if (place === undefined || place.size === 0) return
  const bytes = yield* readAt(place.at, place.size)
  yield* emit({ at: place.at, bytes: redactRecords(bytes, kind, rename) })
}

/** The snapshot table up to the last entry that decodes, and the head of the next one. */
const snapshotsPlace = (m: Metadata): ByteRange | undefined => {
  if (m.header.nbSnapshots === 0 || m.issues.some(({ clause }) => clause === 'OPEN-17' || clause === 'OPEN-18'))
    return undefined
  const { at, size } = snapshotTablePlace(m)
  return { at, size: size + (m.snapshots.length < m.header.nbSnapshots ? snapshotFixed.size : 0) }
}

const directoryPlace = (m: Metadata, g: Geometry): ByteRange | undefined => {
  const extension = trustedBitmaps(m)
  if (extension === undefined || bitmapsExtension.judge(extension).some(({ phase }) => phase === 'limit'))
    return undefined
  const { bitmapDirectoryOffset: offset, bitmapDirectorySize } = extension
  return offset < hostEnd && isAligned(offset, g)
    ? { at: Number(offset), size: Number(bitmapDirectorySize) }
    : undefined
}

/** The encryption area of an image that is encrypted by LUKS, up to the end of its last cluster. */
const luksPlace = (m: Metadata, g: Geometry): ByteRange | undefined => {
  const pointer = m.header.cryptMethod === 2 ? luksPointer(m) : undefined
  if (pointer === undefined || !isAligned(pointer.offset, g) || pointer.offset + pointer.length >= hostEnd)
    return undefined
  const size = clusterSize(g)
  return { at: Number(pointer.offset), size: Math.ceil(Number(pointer.length) / size) * size }
}

/** The LUKS header, and the bytes between the end of the area and that of its cluster. */
function* encryption(m: Metadata, { at, size }: ByteRange): Pieces {
  yield* emit({ at, bytes: redactLuks(yield* readAt(at, Math.min(luksSize, size))) })
  const used = Number(luksPointer(m)?.length ?? 0n)
  if (used < size) yield* emit({ at: at + used, bytes: masked(yield* readAt(at + used, size - used)) })
}

/** The header, without the bytes after its known fields. */
const headerPiece = ({ header: h }: Metadata): MetadumpPiece => {
  const { additional } = h
  return { at: 0, bytes: header.encode({ ...h, additional: { ...additional, rest: masked(additional.rest) } }) }
}

/** The structures in which something is replaced, but the header. */
function* replaced(m: Metadata, g: Geometry, fileLength: number, rename: Rename): Pieces {
  const { from, to } = extensionRange(m.header, g)
  const within = (place: ByteRange | undefined): ByteRange | undefined =>
    place === undefined ? undefined : inFile(place, fileLength)
  yield* records(within({ at: from, size: to - from }), extensionRecords, rename)
  const name = backingNamePlace(m.header)
  if (name !== undefined && m.backingName !== undefined)
    yield* emit({ at: Number(name.at), bytes: rename(m.backingName) })
  yield* records(within(snapshotsPlace(m)), snapshotRecords, rename)
  yield* records(within(directoryPlace(m, g)), bitmapRecords, rename)
  const area = within(luksPlace(m, g))
  if (area !== undefined && area.size > 0) yield* encryption(m, area)
}

/** The bytes at byte `at` of the file with zeros where they lie in a range. */
const without = (bytes: Uint8Array, at: number, hidden: ByteRange | undefined): Uint8Array => {
  if (hidden === undefined || hidden.at >= at + bytes.length || hidden.at + hidden.size <= at) return bytes
  const from = Math.max(0, hidden.at - at)
  return bytes.slice().fill(0, from, hidden.at + hidden.size - at)
}

/** The same plan, which emits what it reads, to be used at once. */
function* emittingReads<A>(plan: Plan<A>): Plan<A, MetadumpPiece> {
  let step = plan.next(empty)
  while (step.done !== true) {
    const request = step.value
    const answer = yield request
    if (request._tag === 'Read') yield* emit({ at: request.at, bytes: bytesOf(answer) })
    step = plan.next(answer)
  }
  return step.value
}

const idle: Visitor = {
  claim: () => undefined,
  refer: () => undefined,
  l1Entry: () => undefined,
  l2Table: () => undefined,
  refcountBlock: () => undefined,
  find: () => undefined,
  skip: () => undefined
}

/** The tables that a check of an image goes through, also those that break a rule. */
function* tables(m: Metadata, g: Geometry, fileLength: number): Plan<void> {
  const length = Math.ceil(fileLength / sectorSize) * sectorSize
  const { refcountTableOffset, refcountTableClusters } = m.header
  const table = yield* readRefcountTable(Number(refcountTableOffset), refcountTableClusters, g, length)
  yield* readRefcounts(table, g, length)
  yield* walk(m, g, length, table, idle)
}

/** The tables of an image, and the leaked clusters that a check takes for L2 tables. Its findings. */
function* checked(m: Metadata, g: Geometry, fileLength: number): Plan<readonly Finding[], MetadumpPiece> {
  yield* emittingReads(tables(m, g, fileLength))
  const report = yield* checkMetadata(m, fileLength)
  const findings = E.isRight(report) ? report.right.findings : []
  for (const { clause, at, size } of findings)
    if (clause === 'CHK-17') yield* emit({ at, bytes: yield* readAt(at, size) })
  return findings
}

const isGuestData = (section: string): boolean => section === 'data-cluster' || section === 'compressed-cluster'

/** Whether a cluster belongs to metadata and to guest data. */
const isAmbiguous = ({ owners }: Finding): boolean =>
  owners !== undefined && owners.some((o) => isGuestData(o.section)) && !owners.every((o) => isGuestData(o.section))

/**
 * The metadata of an image of `fileLength` bytes, emitted as the pieces of a copy that is as long: every structure reachable
 * from the header, and leaked clusters that look like L2 tables. Guest data, VM states, compressed payloads and key material
 * are left out, so are the digests, salts and the UUID of a LUKS header; names and ids are replaced by others of their length,
 * and bytes of unknown meaning by `x`. Fails where there is no header.
 *
 * Law: a check of the copy finds what a check of the image finds, and its map is the same, but where structures overlap a
 * name that was replaced.
 *
 * @example
 * import { fromMemory, metadump, type MetadumpPiece, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const copy = new Uint8Array(196616)
 * runSync(metadump(copy.length), worldOf(files, ({ at, bytes }: MetadumpPiece) => copy.set(bytes, at)))
 * const header = runSync(metadump(copy.length), { read: fromMemory(copy), emit: () => undefined })
 * assert.equal(header._tag, 'Right')
 */
export function* metadump(
  fileLength: number,
  { keepNames = false }: MetadumpOptions = {}
): Plan<MetadumpReport, MetadumpPiece> {
  const m = yield* orFail(yield* readMetadata())
  const g = m.geometry
  const hidden = g === undefined ? undefined : luksPlace(m, g)
  function* put({ at, bytes }: MetadumpPiece): Pieces {
    if (at < fileLength) yield* emit({ at, bytes: bytes.subarray(0, fileLength - at) })
  }
  const putPublic = ({ at, bytes }: MetadumpPiece): Pieces => put({ at, bytes: without(bytes, at, hidden) })
  const refused = g === undefined || refusal(m.issues, ignoredRefusals(false)) !== undefined
  const copied: readonly Structure[] = refused ? plainStructures : ['bitmap data']
  yield* onEmit(regions(fileLength), function* (item: RegionItem): Pieces {
    if (item._tag === 'Region' && copied.includes(item.region.structure)) yield* putPublic(item.region)
  })
  const findings = refused ? [] : yield* onEmit(checked(m, g, fileLength), putPublic)
  if (g !== undefined) yield* onEmit(replaced(m, g, fileLength, keepNames ? (name) => name : new Pseudonyms().of), put)
  yield* put(headerPiece(m))
  return { ambiguous: findings.filter(isAmbiguous).map(({ at, size }) => ({ at, size })) }
}
