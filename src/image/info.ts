/** Info: what qemu-img reports of an image, and what there is to report beyond it. */
import { type Issue, issue } from '../bytes/issue.js'
import { toSomeText } from '../bytes/octets.js'
import { orFail, type Plan } from '../bytes/plan.js'
import { bitmapStarts } from '../format/bitmap-directory.js'
import { lastExtension } from '../format/extension-area.js'
import { type Extension, typeOf } from '../format/extension.js'
import { extensionNames } from '../format/extension-kinds.js'
import { type FeatureName, nameOf } from '../format/extension-payload.js'
import { featureWords } from '../format/feature.js'
import { clusterSize } from '../format/geometry.js'
import { presentedSize } from '../format/header-rules.js'
import { icount, type SnapshotEntry, snapshotStarts, vmStateSize } from '../format/snapshot.js'
import { qemuLosses } from './check/qemu-losses.js'
import { activeDisk } from './guest/extents.js'
import { type LuksInfo, luksInfo } from './luks-info.js'
import { type Metadata, readMetadata, refusal } from './metadata.js'
import { pastEnd } from './past-end.js'
import { unknownBits, type Verdict, verdict } from './verdict.js'

/** What is read of an image for a report. */
export interface ImageInfo {
  readonly metadata: Metadata
  /** For an image encrypted by LUKS. */
  readonly luks?: LuksInfo
  /** The issue over which the image is refused, if it is. */
  readonly refused?: Issue
  /** What lies past the end of the file, where its length is known and the image is not refused. */
  readonly pastEnd: readonly Issue[]
}

/** Rows of QEMU's opening checks that do not prevent a report. @see FEAT-06 */
const passed = ['OPEN-26'] as const

/**
 * Reads what a report needs. Fails where there is no qcow2 header.
 *
 * @param fileLength bytes of the file; without it nothing is found past its end
 *
 * @example
 * import { readInfo, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const info = runSync(readInfo(), worldOf(files, () => undefined))
 * assert.deepEqual(info._tag === 'Right' && info.right.metadata.issues, [])
 */
export function* readInfo(fileLength?: number): Plan<ImageInfo> {
  const metadata = yield* orFail(yield* readMetadata())
  const refused = refusal(metadata.issues, passed)
  const g = refused === undefined ? metadata.geometry : undefined
  return {
    metadata,
    pastEnd:
      fileLength === undefined || g === undefined ? [] : yield* pastEnd(metadata, activeDisk(metadata, g), fileLength),
    ...(metadata.luks === undefined ? {} : { luks: luksInfo(metadata.luks) }),
    ...(refused === undefined ? {} : { refused })
  }
}

/** Text as qemu-img prints it: up to the first NUL, with U+FFFD for what is not UTF-8. */
export const printed = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return toSomeText(end < 0 ? bytes : bytes.subarray(0, end))
}

/** A snapshot as qemu-img lists it. */
export interface SnapshotInfo {
  readonly id: string
  readonly name: string
  /** Bytes. */
  readonly vmStateSize: bigint
  /** When it was taken: seconds since the epoch, and nanoseconds of that second. */
  readonly seconds: number
  readonly nanoseconds: number
  /** Run time of the guest in nanoseconds. */
  readonly vmClock: bigint
  /** Guest instructions executed, where that is recorded. */
  readonly icount?: bigint
}

/** What qemu-img lists of a snapshot table entry. */
export const snapshotInfo = (s: SnapshotEntry): SnapshotInfo => {
  const instructions = icount(s)
  return {
    id: printed(s.id),
    name: printed(s.name),
    vmStateSize: vmStateSize(s),
    seconds: s.dateSec,
    nanoseconds: s.dateNsec,
    vmClock: s.vmClockNsec,
    ...(instructions === undefined ? {} : { icount: instructions })
  }
}

/** What only the file system knows. */
export interface FileInfo {
  readonly filename: string
  /** Bytes. */
  readonly length: number
  /** Bytes the file takes on its disk; absent where nobody knows. */
  readonly actualSize?: number
  /** A backing file name made relative to where the image lies. */
  readonly fullName: (name: string) => string
}

/** The backing file that an image names. @see BACK-04 */
export interface BackingInfo {
  readonly name: string
  /** The name relative to where the image lies. */
  readonly fullName: string
  readonly format?: string
}

/** How many entries of its lists a report leaves out. */
export interface LeftOut {
  readonly snapshots: number
  readonly bitmaps: number
  readonly findings: number
}

/** The report on an image, of which JSON and text are two forms. */
export interface InfoReport extends ImageInfo, Pick<FileInfo, 'filename' | 'actualSize'> {
  /** Bytes of the guest disk. */
  readonly virtualSize: bigint
  /** Bytes of a cluster; absent where cluster_bits is out of bounds. */
  readonly clusterSize?: number
  readonly backing?: BackingInfo
  readonly snapshots: readonly SnapshotInfo[]
  /** Names of the feature bits that are set. */
  readonly features: readonly string[]
  readonly extensions: readonly string[]
  /** What is wrong with the metadata, and what the file ends before. */
  readonly findings: readonly Issue[]
  /** The states in which a command of QEMU loses something, as far as the metadata show them. */
  readonly notes: readonly Issue[]
  readonly verdict: Verdict
  /** Of an image that is refused: what its file has no room for. */
  readonly leftOut?: LeftOut
}

/** The entries of a feature name table before the first without a name, which ends it. @see EXT-13 */
const namesUsed = (names: readonly FeatureName[]): readonly FeatureName[] => {
  const end = names.findIndex(({ name }) => name[0] === 0)
  return end < 0 ? names : names.slice(0, end)
}

/** Names of the bits that are set, the unknown ones from the feature name table where it has them. */
const featuresOf = (m: Metadata): readonly string[] =>
  featureWords.flatMap((kind, type) => {
    const bits: Readonly<Record<string, unknown>> = { ...m.header[`${kind}Features`] }
    const table = namesUsed(lastExtension(m.extensions, 'FeatureNames')?.data.names ?? [])
    const known = Object.keys(bits).filter((k) => bits[k] === true)
    const unknown = unknownBits(m.header, kind).map((bit) => {
      const name = table.find((f) => f.type === type && f.bit === bit)
      return name === undefined ? `bit ${bit}, unknown` : `bit ${bit}, unknown: ${nameOf(name)}`
    })
    return [...known, ...unknown].map((name) => `${kind}: ${name}`)
  })

const extensionName = (e: Extension): string =>
  e._tag === 'Other' ? `0x${typeOf(e).toString(16)}, ${e.data.length} bytes` : extensionNames[e._tag]

const backingOf = (m: Metadata, fullName: FileInfo['fullName']): BackingInfo | undefined => {
  if (m.backingName === undefined) return undefined
  const name = printed(m.backingName)
  const format = lastExtension(m.extensions, 'BackingFormat')?.data
  return {
    name,
    fullName: fullName(name),
    ...(format === undefined || format.length === 0 ? {} : { format: printed(format) })
  }
}

/** The entries of a list that begin before byte `length`, and of these no more than that many bytes may hold. */
const inFile = <A>(entries: readonly A[], placeOf: (entry: A, i: number) => number, length: number): readonly A[] =>
  entries.filter((entry, i) => placeOf(entry, i) < length).slice(0, 16 + Math.floor(length / 128))

/** The metadata of a refused image, as far as its file of `length` bytes has room for it: nobody knows what the rest means. */
const metadataInFile = (m: Metadata, length: number): Metadata => {
  const [snapshots, bitmaps] = [snapshotStarts(m.snapshots), bitmapStarts(m.bitmaps)]
  const directory = Number(lastExtension(m.extensions, 'Bitmaps')?.data.bitmapDirectoryOffset ?? 0n)
  const table = Number(m.header.snapshotsOffset)
  return {
    ...m,
    snapshots: inFile(m.snapshots, (_, i) => table + (snapshots[i] ?? 0), length),
    bitmaps: inFile(m.bitmaps, (_, i) => directory + (bitmaps[i] ?? 0), length),
    issues: inFile(m.issues, ({ at }) => at, length)
  }
}

const leftOut = (all: Metadata, m: Metadata): LeftOut | undefined => {
  const out = {
    snapshots: all.snapshots.length - m.snapshots.length,
    bitmaps: all.bitmaps.length - m.bitmaps.length,
    findings: all.issues.length - m.issues.length
  }
  return Object.values(out).some((n) => n > 0) ? out : undefined
}

/**
 * The report on an image in a file. Of an image that is refused it lists no more than the file has room for.
 *
 * @example
 * import { infoReport, readInfo, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const info = runSync(readInfo(), worldOf(files, () => undefined))
 * const file = { filename: 'disk.qcow2', length: 196616, fullName: (name: string) => name }
 * assert.equal(info._tag === 'Right' && infoReport(info.right, file).virtualSize, 1048576n)
 */
export const infoReport = (info: ImageInfo, { filename, length, actualSize, fullName }: FileInfo): InfoReport => {
  const all = info.metadata
  const m = info.refused === undefined ? all : metadataInFile(all, length)
  const backing = backingOf(m, fullName)
  const rest = leftOut(all, m)
  return {
    ...info,
    metadata: m,
    filename,
    virtualSize: presentedSize(m.header),
    ...(m.header.clusterBits < 53 ? { clusterSize: clusterSize(m.header) } : {}),
    ...(actualSize === undefined ? {} : { actualSize }),
    ...(backing === undefined ? {} : { backing }),
    snapshots: m.snapshots.map(snapshotInfo),
    features: featuresOf(m),
    extensions: (m.extensions?.extensions ?? []).map(extensionName),
    findings: [...m.issues, ...info.pastEnd],
    notes: qemuLosses(all).map((loss) => issue(loss)),
    verdict: verdict(all, length),
    ...(rest === undefined ? {} : { leftOut: rest })
  }
}
