/** Metadata: what the header names, read and judged as far as it decodes. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, refusalOf } from '../bytes/issue.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { backingNamePlace } from '../format/backing.js'
import {
  type BitmapEntry,
  bitmapStarts,
  bitmapDirectory,
  bitmapRules,
  judgeNames,
  directoryRules
} from '../format/bitmap-directory.js'
import { bitmapsExtension, type BitmapsExtension, type EncryptionPointer } from '../format/extension-payload.js'
import { type ExtensionArea, extensionArea, extensionRange, lastExtension } from '../format/extension-area.js'
import { headRules } from '../format/extension-rules.js'
import { type Geometry, geometry } from '../format/geometry.js'
import { type Header, header } from '../format/header.js'
import { judgeHeader, writableRules } from '../format/header-rules.js'
import * as limits from '../format/limits.js'
import {
  snapshotEntry,
  type SnapshotEntry,
  snapshotFixed,
  snapshotRules,
  snapshotStarts,
  snapshotTableRules
} from '../format/snapshot.js'
import { toEight } from '../bytes/entry.js'
import { directoryHead, judgeBitmapTables } from './bitmap-tables.js'
import { EntryIssues } from './entry-issues.js'
import { judgeArea, type LuksPartition, readPartition } from './luks-area.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { isAligned } from '../format/alignment.js'

/** The metadata of an image. What does not decode is absent, and an issue says why. */
export interface Metadata {
  readonly header: Header
  /** Absent when cluster_bits or refcount_order is out of bounds: then nothing else can be read. */
  readonly geometry?: Geometry
  readonly extensions?: ExtensionArea
  readonly backingName?: Uint8Array
  /** Of an image encrypted by LUKS, unless no file can hold it. */
  readonly luks?: LuksPartition
  /** The entries that decode, up to the first that does not. */
  readonly snapshots: readonly SnapshotEntry[]
  /** Empty unless the bitmaps extension is consistent. @see BMP-11 */
  readonly bitmaps: readonly BitmapEntry[]
  /** Everything found wrong, with byte offsets in the file; of the entries of a table the first hundred of each clause. */
  readonly issues: readonly Issue[]
}

/** The first cluster, or as much of it as the header is worth when cluster_bits is out of bounds. */
function* firstCluster(): Plan<Uint8Array> {
  const start = yield* readAt(0, 2 ** limits.minClusterBits)
  const bits = new DataView(start.buffer, start.byteOffset).getUint32(20)
  return bits > limits.minClusterBits && bits <= limits.maxClusterBits ? yield* readAt(0, 2 ** bits) : start
}

interface Extensions {
  readonly area?: ExtensionArea
  readonly issues: readonly Issue[]
}

const extensionsOf = (h: Header, g: Geometry, cluster: Uint8Array): Extensions => {
  const { from, to } = extensionRange(h, g)
  if (from > cluster.length) return { issues: [] }
  const area = extensionArea.decodeAt(cluster.subarray(0, to), from)
  if (E.isLeft(area)) return { issues: area.left }
  const issues = extensionArea.judge(area.right, from)
  return { area: area.right, issues: h.autoclearFeatures.bitmaps ? issues : issues.flatMap(untrusted) }
}

/** Of what a bitmaps extension holds that is not consistent, QEMU looks at nothing. @see EXT-10 */
const untrusted = (i: Issue): readonly Issue[] => {
  if (i.structure !== 'bitmaps extension') return [i]
  const { refusal: _, ...rest } = i
  return i.source === 'qemu' ? [] : [{ ...rest, source: 'format' }]
}

/** The pointer to the LUKS header, if there is one. @see LUKS-02 */
export const luksPointer = (m: Pick<Metadata, 'extensions'>): EncryptionPointer | undefined =>
  lastExtension(m.extensions, 'Encryption')?.data

/** The bitmaps extension when its contents are to be trusted. @see BMP-11 */
export const trustedBitmaps = (m: Pick<Metadata, 'extensions' | 'header'>): BitmapsExtension | undefined =>
  m.header.autoclearFeatures.bitmaps ? lastExtension(m.extensions, 'Bitmaps')?.data : undefined

interface Snapshots {
  readonly entries: readonly SnapshotEntry[]
  readonly issues: readonly Issue[]
}

/** The entry at `at`: its table first, then as many bytes as the table's lengths ask for. */
function* snapshotAt(at: number): Plan<E.Either<readonly Issue[], SnapshotEntry>> {
  const fixed = snapshotFixed.decodeAt(yield* readAt(at, snapshotFixed.size), 0, at)
  if (E.isLeft(fixed)) return fixed
  const { extraDataSize, idSize, nameSize } = fixed.right
  const bare = snapshotFixed.size + extraDataSize + idSize + nameSize
  const tooLarge = snapshotTableRules.judge(bare, undefined, at)
  if (tooLarge.length > 0) return E.left(tooLarge)
  return snapshotEntry.decodeAt(yield* readAt(at, bare + toEight(bare)), 0, at)
}

function* snapshotsOf(h: Header, g: Geometry): Plan<Snapshots> {
  const start = Number(h.snapshotsOffset)
  const entries: SnapshotEntry[] = []
  const issues = new EntryIssues()
  let size = 0
  while (entries.length < h.nbSnapshots) {
    const at = start + size
    const s = yield* snapshotAt(at)
    if (E.isLeft(s)) return { entries, issues: [...issues.kept, ...s.left] }
    const last = entries.length === h.nbSnapshots - 1
    entries.push(last ? { ...s.right, padding: s.right.padding.subarray(0, 0) } : s.right)
    issues.judge(snapshotRules, s.right, g, at)
    size += snapshotEntry.sizeOf(s.right)
    const tooLarge = snapshotTableRules.judge(size, undefined, start)
    if (tooLarge.length > 0) return { entries, issues: [...issues.kept, ...tooLarge] }
  }
  return { entries, issues: issues.kept }
}

interface Bitmaps {
  readonly entries: readonly BitmapEntry[]
  readonly issues: readonly Issue[]
}

function* bitmapsOf(h: Header, g: Geometry, extension: BitmapsExtension): Plan<Bitmaps> {
  const { bitmapDirectoryOffset: offset, nbBitmaps } = extension
  const overLimit = bitmapsExtension.judge(extension).some((i) => i.phase === 'limit')
  if (overLimit || !isAligned(offset, g)) return { entries: [], issues: [] }
  const outOfReach = directoryRules.judge({ extension }, undefined)
  if (outOfReach.length > 0) return { entries: [], issues: outOfReach }
  const at = Number(offset)
  const bytes = yield* readAt(at, Number(extension.bitmapDirectorySize))
  const head = directoryHead(bytes, nbBitmaps)
  const directory = bitmapDirectory.decodeAt(bytes.subarray(0, head), 0, at)
  if (E.isLeft(directory)) return { entries: [], issues: directory.left }
  const entries = directory.right
  const starts = bitmapStarts(entries)
  const issues = new EntryIssues()
  for (const [i, b] of entries.entries()) issues.judge(bitmapRules, b, g, at + (starts[i] ?? 0))
  issues.add(judgeNames(entries, at))
  yield* judgeBitmapTables(h, g, entries, at, issues)
  return {
    entries,
    issues: [
      ...directoryRules.judge({ extension, found: { entries: entries.length, more: head < bytes.length } }, undefined),
      ...issues.kept
    ]
  }
}

/**
 * Reads header, extensions, backing file name, snapshot table and bitmap directory, as far as each decodes.
 * Fails only when there is no header at all. A table is not read where the header's numbers about it are over a limit.
 *
 * @see OPEN-01
 * @example
 * import { readMetadata, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const metadata = read._tag === 'Right' ? read.right : read
 * assert.equal(metadata._tag === 'Right' && metadata.right.header.size, 1048576n)
 */
export function* readMetadata(): Plan<E.Either<readonly Issue[], Metadata>> {
  const cluster = yield* firstCluster()
  const decoded = header.decodeAt(cluster, 0)
  if (E.isLeft(decoded)) return decoded
  const h = decoded.right
  const g = geometry(h)
  const alone = judgeHeader(h)
  if (g === undefined) return E.right({ header: h, snapshots: [], bitmaps: [], issues: alone })
  const { area, issues } = extensionsOf(h, g, cluster)
  const breaks = (...clauses: readonly ClauseId[]): boolean => alone.some((i) => clauses.includes(i.clause))
  const place = breaks('OPEN-06', 'BACK-01') ? undefined : backingNamePlace(h)
  const backingName = place === undefined ? undefined : yield* readAt(Number(place.at), place.length)
  const snapshots = breaks('OPEN-17', 'OPEN-18') ? { entries: [], issues: [] } : yield* snapshotsOf(h, g)
  const base = { header: h, geometry: g, ...(area === undefined ? {} : { extensions: area }) }
  const extension = trustedBitmaps(base)
  const pointer = h.cryptMethod === 2 ? luksPointer(base) : undefined
  const luks = pointer === undefined ? undefined : yield* readPartition(pointer)
  const isJudged = pointer !== undefined && luks !== undefined && isAligned(pointer.offset, g)
  const luksIssues = isJudged ? yield* judgeArea(pointer, luks, g) : []
  const bitmaps = extension === undefined ? { entries: [], issues: [] } : yield* bitmapsOf(h, g, extension)
  return E.right({
    ...base,
    ...(backingName === undefined ? {} : { backingName }),
    ...(luks === undefined ? {} : { luks }),
    snapshots: snapshots.entries,
    bitmaps: bitmaps.entries,
    issues: [
      ...alone,
      ...issues,
      ...(area === undefined ? [] : headRules.judge({ header: h, area }, g)),
      ...luksIssues,
      ...snapshots.issues,
      ...bitmaps.issues
    ]
  })
}

/** Bytes from the start of the snapshot table to an entry. */
const startOf = (m: Pick<Metadata, 'snapshots'>, entry: SnapshotEntry): number =>
  snapshotStarts(m.snapshots)[m.snapshots.indexOf(entry)] ?? 0

/** Byte offset of an entry of the snapshot table in the file. */
export const snapshotOffset = (m: Pick<Metadata, 'header' | 'snapshots'>, entry: SnapshotEntry): number =>
  Number(m.header.snapshotsOffset) + startOf(m, entry)

/** Byte offset and length of the snapshot table in the file, in bytes. */
export const snapshotTablePlace = (m: Metadata): { readonly at: number; readonly size: number } => {
  const final = m.snapshots.at(-1)
  return {
    at: Number(m.header.snapshotsOffset),
    size: final === undefined ? 0 : startOf(m, final) + snapshotEntry.sizeOf(final)
  }
}

/** Whether a file of `length` bytes has the places of all L1 tables of the snapshots: the rest of an entry names no cluster. */
export const hasSnapshotTable = (m: Metadata, length: number): boolean => {
  const final = m.snapshots.at(-1)
  return final === undefined || snapshotOffset(m, final) + snapshotFixed.size <= length
}

/**
 * The issue over which QEMU refuses to open the image, if it does: the first row of its checks that fails.
 * `passed` names rows that do not count for what is being done.
 *
 * @see OPEN-01
 * @example
 * import { readMetadata, refusal, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * assert.equal(m === undefined ? m : refusal(m.issues), undefined) // QEMU opens it
 */
export const refusal = (issues: readonly Issue[], passed: readonly string[] = []): Issue | undefined =>
  issues
    .filter((i) => {
      const row = refusalOf(i)
      return row !== undefined && !passed.includes(row)
    })
    .reduce<Issue | undefined>((first, i) => {
      const [a, b] = [first === undefined ? '~' : (refusalOf(first) ?? '~'), refusalOf(i) ?? '~']
      return first === undefined || b < a ? i : first
    }, undefined)

/** The same for an open to write, which refuses an image that is marked corrupt. @see OPEN-10 */
export const writeRefusal = ({ header: h, issues }: Metadata): Issue | undefined =>
  refusal([...issues, ...writableRules.judge(h, undefined)])
