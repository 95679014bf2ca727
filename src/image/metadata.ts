/** Metadata: what the header names, read and judged as far as it decodes. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import { type Issue, issue, refusalOf } from '../bytes/issue.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { backingNamePlace } from '../format/backing.js'
import { type BitmapEntry, bitmapStarts, bitmapDirectory, bitmapRules, judgeNames } from '../format/bitmap.js'
import type { BitmapsExtension, EncryptionPointer } from '../format/extension-payload.js'
import type { Extension } from '../format/extension.js'
import { type ExtensionArea, extensionArea, extensionStarts } from '../format/extension-area.js'
import { clusterSize, type Geometry, geometry } from '../format/geometry.js'
import { type Header, header } from '../format/header.js'
import { judgeHeader } from '../format/header-rules.js'
import * as limits from '../format/limits.js'
import { snapshotEntry, type SnapshotEntry, snapshotFixed, snapshotRules, snapshotStarts } from '../format/snapshot.js'
import { toEight } from '../bytes/entry.js'
import { directoryHead, judgeBitmapTables } from './bitmap-tables.js'

/** The metadata of an image. What does not decode is absent, and an issue says why. */
export interface Metadata {
  readonly header: Header
  /** Absent when cluster_bits or refcount_order is out of bounds: then nothing else can be read. */
  readonly geometry?: Geometry
  readonly extensions?: ExtensionArea
  readonly backingName?: Uint8Array
  /** The entries that decode, up to the first that does not. */
  readonly snapshots: readonly SnapshotEntry[]
  /** Empty unless the bitmaps extension is consistent. @see BMP-11 */
  readonly bitmaps: readonly BitmapEntry[]
  /** Everything found wrong, with byte offsets in the file. */
  readonly issues: readonly Issue[]
}

/** The first cluster, or as much of it as the header is worth when cluster_bits is out of bounds. */
function* firstCluster(): Plan<Uint8Array> {
  const start = yield* readAt(0, 2 ** limits.minClusterBits)
  const bits = new DataView(start.buffer, start.byteOffset).getUint32(20)
  return bits > limits.minClusterBits && bits <= limits.maxClusterBits ? yield* readAt(0, 2 ** bits) : start
}

/** Where the extension area starts and ends in the first cluster. @see EXT-01 and EXT-03 */
export const extensionRange = (h: Header, g: Geometry): { readonly from: number; readonly to: number } => {
  const size = clusterSize(g)
  const backing = h.backingFileOffset === 0n ? size : Number(h.backingFileOffset)
  return { from: h.headerLength, to: Math.max(h.headerLength, Math.min(backing, size)) }
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

/** The last extension of a kind, which is the one that counts. @see EXT-05 */
export const lastExtension = <Tag extends Extension['_tag']>(
  area: ExtensionArea | undefined,
  tag: Tag
): Extract<Extension, { readonly _tag: Tag }> | undefined =>
  area?.extensions.findLast((e): e is Extract<Extension, { readonly _tag: Tag }> => e._tag === tag)

/** The pointer to the LUKS header, if there is one. @see LUKS-02 */
export const encryptionPointer = (m: Pick<Metadata, 'extensions'>): EncryptionPointer | undefined =>
  lastExtension(m.extensions, 'Encryption')?.data

/** The bitmaps extension when its contents are to be trusted. @see BMP-11 */
export const bitmapsExtension = (m: Pick<Metadata, 'extensions' | 'header'>): BitmapsExtension | undefined =>
  m.header.autoclearFeatures.bitmaps ? lastExtension(m.extensions, 'Bitmaps')?.data : undefined

interface Spot {
  readonly structure: string
  readonly field: string
  readonly at: number
  readonly size: number
}

const autoclear: Spot = { structure: 'header', field: 'autoclear_features', at: 88, size: 8 }
const incompatible: Spot = { structure: 'header', field: 'incompatible_features', at: 72, size: 8 }
const cryptMethod: Spot = { structure: 'header', field: 'crypt_method', at: 32, size: 4 }

/** A field of an extension's payload; `at` counts from the payload's start. */
const inPayload = (h: Header, area: ExtensionArea | undefined, e: Extension, spot: Spot): Spot => {
  const start = area === undefined ? 0 : (extensionStarts(area)[area.extensions.indexOf(e)] ?? 0)
  return { ...spot, at: h.headerLength + start + 8 + spot.at }
}

const when = (
  broken: boolean,
  spot: Spot,
  rule: Pick<Issue, 'clause' | 'found' | 'expected'> & { readonly refusal?: ClauseId; readonly source?: Source }
): readonly Issue[] => (broken ? [issue({ phase: 'inconsistent', source: 'both', ...spot, ...rule })] : [])

/** What header and extensions say together. */
const between = (h: Header, g: Geometry, area: ExtensionArea): readonly Issue[] => {
  const mask = BigInt(clusterSize(g) - 1)
  const bitmaps = lastExtension(area, 'Bitmaps')
  const luks = lastExtension(area, 'Encryption')
  const aligned = 'a multiple of the cluster size'
  const directory = { structure: 'bitmaps extension', field: 'bitmap_directory_offset', at: 16, size: 8 }
  const pointer = { structure: 'full disk encryption pointer', field: 'offset', at: 0, size: 8 }
  return [
    ...when(h.autoclearFeatures.bitmaps && bitmaps === undefined, autoclear, {
      clause: 'FEAT-07',
      source: 'format',
      found: 'the bitmaps bit without a bitmaps extension',
      expected: 'both or neither'
    }),
    ...when(!h.autoclearFeatures.bitmaps && bitmaps !== undefined, autoclear, {
      clause: 'BMP-11',
      source: 'format',
      found: 'a bitmaps extension without the bitmaps bit',
      expected: 'the bit, without which the bitmaps are not used'
    }),
    ...(bitmaps === undefined || !h.autoclearFeatures.bitmaps
      ? []
      : when((bitmaps.data.bitmapDirectoryOffset & mask) !== 0n, inPayload(h, area, bitmaps, directory), {
          clause: 'BMP-01',
          found: String(bitmaps.data.bitmapDirectoryOffset),
          expected: aligned,
          refusal: 'OPEN-25'
        })),
    ...when(luks !== undefined && h.cryptMethod !== 2, cryptMethod, {
      clause: 'EXT-09',
      found: `${h.cryptMethod} beside a full disk encryption pointer`,
      expected: '2',
      refusal: 'OPEN-25'
    }),
    ...(luks === undefined || h.cryptMethod !== 2
      ? []
      : when((luks.data.offset & mask) !== 0n, inPayload(h, area, luks, pointer), {
          clause: 'EXT-09',
          found: String(luks.data.offset),
          expected: aligned,
          refusal: 'OPEN-25'
        })),
    ...when(luks === undefined && h.cryptMethod === 2, cryptMethod, {
      clause: 'LUKS-02',
      found: '2 without a full disk encryption pointer',
      expected: 'the extension',
      refusal: 'OPEN-27'
    }),
    ...when(lastExtension(area, 'DataFile') !== undefined && !h.incompatibleFeatures.externalDataFile, incompatible, {
      clause: 'EXT-11',
      source: 'format',
      found: 'an external data file name without the bit',
      expected: 'both or neither'
    })
  ]
}

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
  if (bare > limits.maxSnapshotTable) return E.left([tooLarge(at, bare)])
  return snapshotEntry.decodeAt(yield* readAt(at, bare + toEight(bare)), 0, at)
}

const tooLarge = (at: number, size: number): Issue =>
  issue({
    clause: 'OPEN-30',
    phase: 'limit',
    source: 'qemu',
    structure: 'snapshot table',
    field: '',
    at,
    size,
    found: `${size} bytes`,
    expected: `at most ${limits.maxSnapshotTable} bytes`
  })

function* snapshotsOf(h: Header, g: Geometry): Plan<Snapshots> {
  const start = Number(h.snapshotsOffset)
  const misplaced = h.snapshotsOffset % BigInt(clusterSize(g)) !== 0n || h.snapshotsOffset > limits.maxReadable
  if (h.nbSnapshots > limits.maxSnapshots || misplaced) return { entries: [], issues: [] }
  const entries: SnapshotEntry[] = []
  const issues: Issue[] = []
  let size = 0
  while (entries.length < h.nbSnapshots) {
    const at = start + size
    const s = yield* snapshotAt(at)
    if (E.isLeft(s)) return { entries, issues: [...issues, ...s.left] }
    const last = entries.length === h.nbSnapshots - 1
    entries.push(last ? { ...s.right, padding: s.right.padding.subarray(0, 0) } : s.right)
    issues.push(...snapshotRules.judge(s.right, g, at))
    size += snapshotEntry.sizeOf(s.right)
    if (size > limits.maxSnapshotTable) return { entries, issues: [...issues, tooLarge(start, size)] }
  }
  return { entries, issues }
}

interface Bitmaps {
  readonly entries: readonly BitmapEntry[]
  readonly issues: readonly Issue[]
}

function* bitmapsOf(h: Header, g: Geometry, extension: BitmapsExtension): Plan<Bitmaps> {
  const { bitmapDirectoryOffset: offset, nbBitmaps } = extension
  const at = Number(offset)
  const size = Number(extension.bitmapDirectorySize)
  const bad = (phase: 'inconsistent' | 'limit', found: string, expected: string): Issue =>
    issue({
      clause: 'BMP-12',
      phase,
      source: 'both',
      structure: 'bitmap directory',
      field: '',
      at,
      size,
      found,
      expected,
      refusal: 'OPEN-31'
    })
  if (size > limits.maxBitmapDirectory || nbBitmaps > limits.maxBitmaps || offset % BigInt(clusterSize(g)) !== 0n)
    return { entries: [], issues: [] }
  if (offset + BigInt(size) > limits.maxReadable)
    return { entries: [], issues: [bad('limit', String(offset), 'a directory that ends where QEMU can read')] }
  const bytes = yield* readAt(at, size)
  const head = directoryHead(bytes, nbBitmaps)
  const directory = bitmapDirectory.decodeAt(bytes.subarray(0, head), 0, at)
  if (E.isLeft(directory)) return { entries: [], issues: directory.left }
  const entries = directory.right
  const starts = bitmapStarts(entries)
  const found = head < size ? 'more entries' : `${entries.length} entries`
  const counted =
    head === size && entries.length === nbBitmaps ? [] : [bad('inconsistent', found, `nb_bitmaps, ${nbBitmaps}`)]
  const own = entries.flatMap((b, i) => bitmapRules.judge(b, g, at + (starts[i] ?? 0)))
  const tables = yield* judgeBitmapTables(h, g, entries, at)
  return { entries, issues: [...counted, ...own, ...judgeNames(entries, at), ...tables] }
}

/**
 * Reads header, extensions, backing file name, snapshot table and bitmap directory, as far as each decodes.
 * Fails only when there is no header at all. A table is not read where the header's numbers about it are over a limit.
 *
 * @see OPEN-01
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
  const place = backingNamePlace(h)
  const named = place !== undefined && place.at <= BigInt(clusterSize(g)) && place.length <= limits.maxBackingName
  const backingName = named ? yield* readAt(Number(place.at), place.length) : undefined
  const snapshots = yield* snapshotsOf(h, g)
  const base = { header: h, geometry: g, ...(area === undefined ? {} : { extensions: area }) }
  const extension = bitmapsExtension(base)
  const bitmaps = extension === undefined ? { entries: [], issues: [] } : yield* bitmapsOf(h, g, extension)
  return E.right({
    ...base,
    ...(backingName === undefined ? {} : { backingName }),
    snapshots: snapshots.entries,
    bitmaps: bitmaps.entries,
    issues: [
      ...alone,
      ...issues,
      ...(area === undefined ? [] : between(h, g, area)),
      ...snapshots.issues,
      ...bitmaps.issues
    ]
  })
}

/** Byte offset and length of the snapshot table in the file, in bytes. */
export const snapshotTablePlace = (m: Metadata): { readonly at: number; readonly size: number } => {
  const last = m.snapshots.length - 1
  const final = m.snapshots[last]
  return {
    at: Number(m.header.snapshotsOffset),
    size: final === undefined ? 0 : (snapshotStarts(m.snapshots)[last] ?? 0) + snapshotEntry.sizeOf(final)
  }
}

/**
 * The issue over which QEMU refuses to open the image, if it does: the first row of its checks that fails.
 * `passed` names rows that do not count for what is being done.
 *
 * @see OPEN-01
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
