/** The summary of an image: what it is, as soon as its metadata was read. */
import * as E from 'fp-ts/lib/Either.js'
import { label } from '../bytes/octets.js'
import type { Plan } from '../bytes/plan.js'
import { clusterSize } from '../format/geometry.js'
import { compressionType } from '../format/header.js'
import { presentedSize } from '../format/header-rules.js'
import { readFileKind } from '../image/file-kind.js'
import { type Metadata, readMetadata } from '../image/metadata.js'
import { type Node, outline } from './outline.js'

/** What an image is, as soon as its metadata was read. */
export interface Summary {
  readonly name: string
  readonly fileLength: number
  /** Bytes of a cluster; 0 where the header does not say. */
  readonly clusterSize: number
  /** Bytes of the guest disk. */
  readonly diskSize: number
  readonly version: number
  /** What distinguishes the image, in words: `zstd`, `extended L2`. */
  readonly features: readonly string[]
  readonly isEncrypted: boolean
  readonly snapshots: readonly string[]
  readonly outline: readonly Node[]
  /** Why there is no header, or what the file is instead. */
  readonly unreadable?: string
}

/** What distinguishes an image, in the words of its users. */
const featuresOf = (m: Metadata): readonly string[] => {
  const { incompatibleFeatures: i, compatibleFeatures: c, autoclearFeatures: a, cryptMethod } = m.header
  const all: readonly (readonly [boolean, string])[] = [
    [compressionType(m.header) === 1, 'zstd'],
    [i.extendedL2, 'extended L2'],
    [i.externalDataFile, 'external data file'],
    [a.rawExternalData, 'raw'],
    [c.lazyRefcounts, 'lazy refcounts'],
    [i.dirty, 'dirty'],
    [i.corrupt, 'corrupt'],
    [cryptMethod === 1, 'AES'],
    [cryptMethod === 2, 'LUKS'],
    [m.backingName !== undefined, 'backing file']
  ]
  return all.filter(([is]) => is).map(([, name]) => name)
}

const summaryOf = (name: string, fileLength: number, m: Metadata): Summary => ({
  name,
  fileLength,
  clusterSize: m.geometry === undefined ? 0 : clusterSize(m.geometry),
  diskSize: Number(presentedSize(m.header)),
  version: m.header.version,
  features: featuresOf(m),
  isEncrypted: m.header.cryptMethod === 1 || m.header.cryptMethod === 2,
  snapshots: m.snapshots.map((s) => label(s.name)),
  outline: outline(m)
})

/** The summary of an image of `fileLength` bytes, from its metadata. A file without a header has its bytes alone. */
export function* summarize(name: string, fileLength: number): Plan<Summary> {
  const m = yield* readMetadata()
  if (E.isRight(m)) return summaryOf(name, fileLength, m.right)
  const kind = yield* readFileKind(fileLength)
  const why = m.left[0]?.message ?? 'there is no header'
  return {
    name,
    fileLength,
    clusterSize: 0,
    diskSize: 0,
    version: 0,
    features: [],
    isEncrypted: false,
    snapshots: [],
    outline: [],
    unreadable: kind === undefined ? why : `not a qcow2 image: ${kind}. ${why}`
  }
}
