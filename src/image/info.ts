/** Info: what qemu-img says of an image, under its keys and with its values, and what there is to say beyond it. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issueJson } from '../bytes/issue.js'
import { integerToJson, type Json, type JsonObject } from '../bytes/json.js'
import { toSomeText } from '../bytes/octets.js'
import { orFail, type Plan, readAt } from '../bytes/plan.js'
import type { BitmapEntry } from '../format/bitmap.js'
import { type Extension, typeOf } from '../format/extension.js'
import { extensionNames } from '../format/extension-kinds.js'
import { nameOf } from '../format/extension-payload.js'
import { featureWords } from '../format/feature.js'
import { clusterSize } from '../format/geometry.js'
import { compressionType, type Header } from '../format/header.js'
import { presentedSize } from '../format/header-rules.js'
import { luksActive, luksHeader, type LuksSlot, luksSize, luksSlot, luksSlots, luksText } from '../format/luks.js'
import { icount, type SnapshotEntry, vmStateSize } from '../format/snapshot.js'
import { encryptionPointer, lastExtension, type Metadata, readMetadata, refusal } from './metadata.js'
import { unknownBits, verdict, verdictJson } from './verdict.js'

/** What a report is made from. */
export interface Facts {
  readonly metadata: Metadata
  /** What the LUKS header says, for an image encrypted by LUKS. */
  readonly luks?: JsonObject
  /** The issue over which the image is refused, if it is. */
  readonly refused?: Issue
}

const sector = 512

/** Text as qemu-img prints it: up to the first NUL, with U+FFFD for what is not UTF-8. */
const printed = (bytes: Uint8Array): string => {
  const end = bytes.indexOf(0)
  return toSomeText(end < 0 ? bytes : bytes.subarray(0, end))
}

const slotJson = (s: LuksSlot): JsonObject => {
  const active = s.active === luksActive
  return {
    active,
    ...(active ? { iters: s.iterations, stripes: s.stripes } : {}),
    'key-offset': s.keyMaterialOffset * sector
  }
}

function* luksOf(m: Metadata): Plan<JsonObject | undefined> {
  const pointer = encryptionPointer(m)
  if (pointer === undefined || m.header.cryptMethod !== 2 || pointer.offset > BigInt(Number.MAX_SAFE_INTEGER))
    return undefined
  const bytes = yield* readAt(Number(pointer.offset), luksSize)
  const head = luksHeader.decode(bytes)
  if (E.isLeft(head)) return undefined
  const slots = Array.from({ length: luksSlots }, (_, i) =>
    luksSlot.decodeAt(bytes, luksHeader.size + i * luksSlot.size)
  )
  const [mode = '', iv = ''] = luksText(head.right.cipherMode).split('-')
  return {
    format: 'luks',
    'ivgen-alg': iv,
    'hash-alg': luksText(head.right.hashSpec),
    'cipher-alg': `${luksText(head.right.cipherName)}-${cipherBits(head.right.keyBytes, mode)}`,
    'cipher-mode': mode,
    uuid: luksText(head.right.uuid),
    'payload-offset': head.right.payloadOffset * sector,
    'master-key-iters': head.right.mkDigestIter,
    slots: slots.flatMap((s) => (E.isRight(s) ? [slotJson(s.right)] : []))
  }
}

/** Bits of the cipher's key: XTS splits the master key in two. */
const cipherBits = (keyBytes: number, mode: string): number => (mode === 'xts' ? keyBytes / 2 : keyBytes) * 8

/** Rows of QEMU's opening checks that do not stand in the way of a report. @see FEAT-06 */
const passed = ['OPEN-26'] as const

/** Reads what a report needs. Fails where there is no qcow2 header. */
export function* readFacts(): Plan<Facts> {
  const metadata = yield* orFail(yield* readMetadata())
  const luks = yield* luksOf(metadata)
  const refused = refusal(metadata.issues, passed)
  return {
    metadata,
    ...(luks === undefined ? {} : { luks }),
    ...(refused === undefined ? {} : { refused })
  }
}

/** A snapshot under qemu-img's keys. */
export const snapshotJson = (s: SnapshotEntry): JsonObject => {
  const instructions = icount(s)
  return {
    id: printed(s.id),
    name: printed(s.name),
    'vm-state-size': integerToJson(vmStateSize(s)),
    'date-sec': s.dateSec,
    'date-nsec': s.dateNsec,
    'vm-clock-sec': integerToJson(s.vmClockNsec / 1_000_000_000n),
    'vm-clock-nsec': integerToJson(s.vmClockNsec % 1_000_000_000n),
    ...(instructions === undefined ? {} : { icount: integerToJson(instructions) })
  }
}

const bitmapJson = (b: BitmapEntry): JsonObject => ({
  flags: [...(b.flags.inUse ? ['in-use'] : []), ...(b.flags.auto ? ['auto'] : [])],
  name: printed(b.name),
  granularity: integerToJson(1n << BigInt(b.granularityBits))
})

/** What is qcow2's own, under qemu-img's keys. */
export const specificJson = ({ metadata: m, luks }: Facts): JsonObject => {
  const h = m.header
  const dataFile = lastExtension(m.extensions, 'DataFile')
  const encrypt = h.cryptMethod === 1 ? { format: 'aes' } : luks
  return {
    compat: h.version === 2 ? '0.10' : '1.1',
    'compression-type': compressionType(h) === 1 ? 'zstd' : 'zlib',
    ...(h.version === 2 ? {} : { 'lazy-refcounts': h.compatibleFeatures.lazyRefcounts }),
    ...(m.bitmaps.length === 0 ? {} : { bitmaps: m.bitmaps.map(bitmapJson) }),
    'refcount-bits': 2 ** h.refcountOrder,
    ...(h.version === 2
      ? {}
      : {
          ...(dataFile === undefined ? {} : { 'data-file': printed(dataFile.data) }),
          ...(h.incompatibleFeatures.externalDataFile ? { 'data-file-raw': h.autoclearFeatures.rawExternalData } : {}),
          corrupt: h.incompatibleFeatures.corrupt,
          'extended-l2': h.incompatibleFeatures.extendedL2
        }),
    ...(encrypt === undefined ? {} : { encrypt })
  }
}

/** Names of the bits that are set, the unknown ones from the feature name table where it has them. */
const featureJson = (m: Metadata): Json =>
  featureWords.flatMap((kind, type) => {
    const bits: Readonly<Record<string, unknown>> = { ...m.header[`${kind}Features`] }
    const table = lastExtension(m.extensions, 'FeatureNames')?.data.names ?? []
    const known = Object.keys(bits).filter((k) => bits[k] === true)
    const unknown = unknownBits(m.header, kind).map((bit) => {
      const name = table.find((f) => f.type === type && f.bit === bit)
      return name === undefined ? `bit ${bit}, unknown` : `bit ${bit}, unknown: ${nameOf(name)}`
    })
    return [...known, ...unknown].map((name) => `${kind}: ${name}`)
  })

const extensionJson = (e: Extension): Json =>
  e._tag === 'Other' ? `0x${typeOf(e).toString(16)}, ${e.data.length} bytes` : extensionNames[e._tag]

const backing = (m: Metadata, fullName: (name: string) => string): JsonObject => {
  if (m.backingName === undefined) return {}
  const name = printed(m.backingName)
  const format = lastExtension(m.extensions, 'BackingFormat')
  return {
    'backing-filename': name,
    'full-backing-filename': fullName(name),
    ...(format === undefined || format.data.length === 0 ? {} : { 'backing-filename-format': printed(format.data) })
  }
}

/** What only the file system knows. */
export interface FileFacts {
  readonly filename: string
  /** Bytes. */
  readonly length: number
  /** Bytes the file takes on its disk; absent where nobody knows. */
  readonly actualSize?: number
  /** A backing file name made relative to where the image lies. */
  readonly fullName: (name: string) => string
}

const clusterOf = (h: Header): Json => (h.clusterBits < 53 ? clusterSize(h) : null)

/** The report as JSON: qemu-img's keys first, then `features`, `extensions`, `findings` and `verdict`. @see BACK-04 */
export const infoJson = (facts: Facts, file: FileFacts): JsonObject => {
  const m = facts.metadata
  const h = m.header
  return {
    'virtual-size': integerToJson(presentedSize(h)),
    filename: file.filename,
    'cluster-size': clusterOf(h),
    format: 'qcow2',
    ...(file.actualSize === undefined ? {} : { 'actual-size': file.actualSize }),
    ...(h.cryptMethod === 0 ? {} : { encrypted: true }),
    ...backing(m, file.fullName),
    ...(m.snapshots.length === 0 ? {} : { snapshots: m.snapshots.map(snapshotJson) }),
    'format-specific': { type: 'qcow2', data: specificJson(facts) },
    'dirty-flag': h.incompatibleFeatures.dirty,
    features: featureJson(m),
    extensions: (m.extensions?.extensions ?? []).map(extensionJson),
    findings: m.issues.map(issueJson),
    verdict: verdictJson(verdict(m, file.length))
  }
}
