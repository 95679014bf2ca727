/** Verdicts: what a host that imports an image must know of it before it opens the image. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { integerToJson, type JsonObject } from '../bytes/json.js'
import { label } from '../bytes/octets.js'
import { backingNamePlace } from '../format/backing.js'
import { extensionTypes } from '../format/extension-kinds.js'
import { type FeatureWord, featureWords } from '../format/feature.js'
import type { Header } from '../format/header.js'
import { presentedSize } from '../format/header-rules.js'
import { lastExtension } from '../format/extension-area.js'
import { type Metadata, refusal } from './metadata.js'
import { type NameKind, nameKind, pathKind } from './name-kind.js'

/** Another file that guest bytes come from. */
export interface Dependency {
  /** Absent where the image names none, or none that can be read. */
  readonly name?: Uint8Array
  readonly kind: NameKind
}

/** How guest data is encrypted; `unknown` is refused by every reader. @see LUKS-01, LUKS-05, LUKS-07 and OPEN-13 */
export type Encryption = 'none' | 'aes' | 'luks' | 'unknown'

/** What a host that imports an image must know of it. */
export interface Verdict {
  /** The check over which QEMU refuses to open it, if it does. @see OPEN-01 */
  readonly refused?: ClauseId
  /** Whether every guest byte comes from this file alone. */
  readonly selfContained: boolean
  /** The backing file, and its format, where that is named rather than to be guessed. @see BACK-04 and BACK-05 */
  readonly backing?: Dependency & { readonly format?: Uint8Array }
  /** The external data file. Its name is never more than a path. @see DATA-01 and DATA-09 */
  readonly dataFile?: Dependency
  /** Numbers of the bits that are set without having a meaning. @see FEAT-01, FEAT-02 and FEAT-03 */
  readonly unknownFeatures: Readonly<Record<FeatureWord, readonly number[]>>
  /** Types of the extensions that have no meaning, in their order. @see EXT-04 */
  readonly unknownExtensions: readonly number[]
  readonly encryption: Encryption
  /** Whether refcounts may be wrong. @see FEAT-04 */
  readonly dirty: boolean
  /** Whether anything may be wrong. @see FEAT-05 */
  readonly corrupt: boolean
  /** Bytes of the guest disk. @see HDR-08 */
  readonly virtualSize: bigint
  /** Bytes of the file. */
  readonly fileLength: number
  /** Internal snapshots: other states of the disk that go along with it. */
  readonly snapshots: number
  /** Bitmaps that are to be trusted. @see BMP-11 */
  readonly bitmaps: number
}

/** Numbers of the bits of a feature word that are set without having a meaning. */
export const unknownBits = (h: Header, word: FeatureWord): readonly number[] => {
  const { reserved } = h[`${word}Features`]
  return Array.from({ length: 64 }, (_, bit) => bit).filter((bit) => ((reserved >> BigInt(bit)) & 1n) === 1n)
}

const encryptions = ['none', 'aes', 'luks'] as const

const backingOf = (m: Metadata): Verdict['backing'] => {
  if (backingNamePlace(m.header) === undefined) return undefined
  const format = lastExtension(m.extensions, 'BackingFormat')?.data
  return {
    ...(m.backingName === undefined ? {} : { name: m.backingName }),
    kind: m.backingName === undefined ? 'unreadable' : nameKind(m.backingName),
    ...(format === undefined || format.length === 0 ? {} : { format })
  }
}

const dataFileOf = (m: Metadata): Verdict['dataFile'] => {
  if (!m.header.incompatibleFeatures.externalDataFile) return undefined
  const name = lastExtension(m.extensions, 'DataFile')?.data
  return name === undefined
    ? { kind: m.extensions === undefined ? 'unreadable' : 'empty' }
    : { name, kind: pathKind(name) }
}

const knownTypes: readonly number[] = Object.values(extensionTypes)

/**
 * The verdict on an image whose file has `fileLength` bytes. It judges nothing that only a check can know.
 *
 * @example
 * import { readMetadata, runSync, verdict } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * assert.ok(m !== undefined && verdict(m, 196616).selfContained)
 */
export const verdict = (m: Metadata, fileLength: number): Verdict => {
  const refused = refusal(m.issues)
  const backing = backingOf(m)
  const dataFile = dataFileOf(m)
  const others = (m.extensions?.extensions ?? []).flatMap((e) => (e._tag === 'Other' ? [e.type] : []))
  return {
    ...(refused === undefined ? {} : { refused: refused.clause }),
    selfContained: backing === undefined && dataFile === undefined,
    ...(backing === undefined ? {} : { backing }),
    ...(dataFile === undefined ? {} : { dataFile }),
    unknownFeatures: {
      incompatible: unknownBits(m.header, 'incompatible'),
      compatible: unknownBits(m.header, 'compatible'),
      autoclear: unknownBits(m.header, 'autoclear')
    },
    unknownExtensions: others.filter((type) => !knownTypes.includes(type)),
    encryption: encryptions[m.header.cryptMethod] ?? 'unknown',
    dirty: m.header.incompatibleFeatures.dirty,
    corrupt: m.header.incompatibleFeatures.corrupt,
    virtualSize: presentedSize(m.header),
    fileLength,
    snapshots: m.header.nbSnapshots,
    bitmaps: m.bitmaps.length
  }
}

/** The bits that are set without having a meaning, such as `compatible: bit 7`. */
export const unknownFeatureNames = ({ unknownFeatures }: Verdict): readonly string[] =>
  featureWords.flatMap((word) => unknownFeatures[word].map((bit) => `${word}: bit ${bit}`))

/** The types of the extensions that have no meaning, in hexadecimal. */
export const unknownExtensionNames = ({ unknownExtensions }: Verdict): readonly string[] =>
  unknownExtensions.map((type) => `0x${type.toString(16).padStart(8, '0')}`)

const dependencyJson = (d: Dependency): JsonObject => ({
  name: d.name === undefined ? null : label(d.name),
  kind: d.kind
})

/**
 * A verdict as JSON: names as text, or in hexadecimal where they are none; `null` for what is not named.
 *
 * @example
 * import { readMetadata, runSync, verdict, verdictJson } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * assert.equal(m === undefined ? m : verdictJson(verdict(m, 196616))['encryption'], 'none')
 */
export const verdictJson = (v: Verdict): JsonObject => ({
  refused: v.refused ?? null,
  'self-contained': v.selfContained,
  ...(v.backing === undefined
    ? {}
    : {
        backing: {
          ...dependencyJson(v.backing),
          format: v.backing.format === undefined ? null : label(v.backing.format)
        }
      }),
  ...(v.dataFile === undefined ? {} : { 'data-file': dependencyJson(v.dataFile) }),
  'unknown-features': unknownFeatureNames(v),
  'unknown-extensions': unknownExtensionNames(v),
  encryption: v.encryption,
  dirty: v.dirty,
  corrupt: v.corrupt,
  'virtual-size': integerToJson(v.virtualSize),
  'file-length': v.fileLength,
  snapshots: v.snapshots,
  bitmaps: v.bitmaps
})
