/** The options of a new image: their defaults, what forbids them, and the first cluster that they make. */
import * as E from 'fp-ts/lib/Either.js'
import type { Preallocation } from '../../../spec/disk.js'
import { type Issue, issue } from '../../bytes/issue.js'
import { empty, fromText } from '../../bytes/octets.js'
import type { Extension } from '../../format/extension.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from '../../format/feature.js'
import { type Header, magic } from '../../format/header.js'
import { sectorSize } from '../../format/limits.js'
import { featureNames, firstCluster } from './first-cluster.js'

/** The options of a new image. The defaults are QEMU's. @see CR-06 */
export interface CreateOptions {
  /** Bytes of the guest disk; rounded up to whole sectors. */
  readonly size: number
  readonly version?: 2 | 3
  /** 9 to 21. */
  readonly clusterBits?: number
  /** 0 to 6. */
  readonly refcountOrder?: number
  readonly extendedL2?: boolean
  readonly lazyRefcounts?: boolean
  readonly compressionType?: 'zlib' | 'zstd'
  readonly backing?: { readonly name: string; readonly format: string }
  /** With a backing file only under extended L2. Raw external data has metadata at least. */
  readonly preallocation?: Preallocation
  /** The name of the external data file, and whether it is the raw disk. */
  readonly dataFile?: { readonly name: string; readonly raw: boolean }
}

const defaults = {
  version: 3,
  clusterBits: 16,
  refcountOrder: 4,
  extendedL2: false,
  lazyRefcounts: false,
  compressionType: 'zlib',
  preallocation: 'off'
} as const

/** Options without defaults left, which an image can have. The size is whole sectors. */
export type CompleteOptions = CreateOptions & Required<Omit<CreateOptions, 'backing' | 'dataFile'>>

const refused = (clause: Issue['clause'], found: string, expected: string): Issue =>
  issue({ clause, phase: 'invalid', source: 'both', structure: 'image', field: '', at: 0, size: 0, found, expected })

/** The issues of options that no image can have. @see OPEN-03, OPEN-11, BACK-07 and SW-06 */
const forbidden = (o: CompleteOptions): readonly Issue[] => {
  const rules: readonly (readonly [boolean, Issue['clause'], string, string])[] = [
    [o.clusterBits < 9 || o.clusterBits > 21, 'OPEN-03', `cluster_bits ${o.clusterBits}`, '9 to 21'],
    [o.refcountOrder < 0 || o.refcountOrder > 6, 'REF-02', `refcount_order ${o.refcountOrder}`, '0 to 6'],
    [o.extendedL2 && o.clusterBits < 14, 'OPEN-11', `cluster_bits ${o.clusterBits}`, 'at least 14 with extended L2'],
    [o.size < 0 || !Number.isSafeInteger(o.size), 'HDR-08', `a size of ${o.size}`, 'a number of bytes'],
    [o.version === 2 && o.refcountOrder !== 4, 'HDR-01', `refcount_order ${o.refcountOrder}`, '4 in version 2'],
    [o.version === 2 && o.lazyRefcounts, 'OPEN-24', 'lazy refcounts in version 2', 'version 3'],
    [o.version === 2 && o.extendedL2, 'HDR-01', 'extended L2 in version 2', 'version 3'],
    [o.version === 2 && o.dataFile !== undefined, 'HDR-01', 'an external data file in version 2', 'version 3'],
    [o.version === 2 && o.compressionType === 'zstd', 'HDR-01', 'zstd in version 2', 'version 3'],
    [
      o.backing !== undefined && o.dataFile?.raw === true,
      'BACK-07',
      'a backing file and raw external data',
      'one of them'
    ],
    [
      o.backing !== undefined && o.preallocation !== 'off' && !o.extendedL2,
      'SW-06',
      `preallocation ${o.preallocation} over a backing file`,
      'extended L2, or off'
    ]
  ]
  return rules.filter(([broken]) => broken).map(([, clause, found, expected]) => refused(clause, found, expected))
}

/** The size of a new image, and where its tables are. */
type Tables = Pick<Header, 'size' | 'l1Size' | 'l1TableOffset' | 'refcountTableOffset' | 'refcountTableClusters'>

const headerOf = (o: CompleteOptions, tables: Tables): Header => {
  const v3 = o.version === 3
  return {
    magic,
    version: o.version,
    backingFileOffset: 0n,
    backingFileSize: 0,
    clusterBits: o.clusterBits,
    ...tables,
    cryptMethod: 0,
    nbSnapshots: 0,
    snapshotsOffset: 0n,
    incompatibleFeatures: {
      ...incompatibleFeatures.ofWord(0n),
      externalDataFile: o.dataFile !== undefined,
      compressionType: o.compressionType === 'zstd',
      extendedL2: o.extendedL2
    },
    compatibleFeatures: { ...compatibleFeatures.ofWord(0n), lazyRefcounts: o.lazyRefcounts },
    autoclearFeatures: { ...autoclearFeatures.ofWord(0n), rawExternalData: o.dataFile?.raw === true },
    refcountOrder: o.refcountOrder,
    headerLength: v3 ? 112 : 72,
    additional: v3
      ? { compressionType: o.compressionType === 'zstd' ? 1 : 0, padding: new Uint8Array(7), rest: empty }
      : { rest: empty }
  }
}

const extensionsOf = (o: CompleteOptions): readonly Extension[] => [
  ...(o.backing === undefined
    ? []
    : [{ _tag: 'BackingFormat' as const, data: fromText(o.backing.format), padding: empty }]),
  ...(o.dataFile === undefined ? [] : [{ _tag: 'DataFile' as const, data: fromText(o.dataFile.name), padding: empty }]),
  ...(o.version === 3 ? featureNames(o.clusterBits) : [])
]

/** The first cluster of a new image; refused where it has no room for the names. @see HDR-12 and CR-03 */
export const firstClusterOf = (o: CompleteOptions, tables: Tables): E.Either<readonly Issue[], Uint8Array> =>
  firstCluster(headerOf(o, tables), extensionsOf(o), o.backing === undefined ? empty : fromText(o.backing.name))

/** The options with their defaults, or what forbids them. */
export const complete = (options: CreateOptions): E.Either<readonly Issue[], CompleteOptions> => {
  const o = { ...defaults, ...options, size: Math.ceil(options.size / sectorSize) * sectorSize }
  const issues = forbidden(o)
  return issues.length > 0 ? E.left(issues) : E.right(o)
}
