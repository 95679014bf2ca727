/** The first cluster of a new image: header, extensions in QEMU's order, and backing file name. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { concat, empty, fromText, padded } from '../../bytes/octets.js'
import type { Extension } from '../../format/extension.js'
import { autoclearFeatures, compatibleFeatures, featureTitles, incompatibleFeatures } from '../../format/feature.js'
import { clusterSize } from '../../format/geometry.js'
import { additionalFields, beyondV2, type Header, headerFields, header, magic } from '../../format/header.js'
import { judgeHeader } from '../../format/header-rules.js'
import { areaBytes, tooLong } from '../engine/extension-area.js'
import type { CompleteOptions } from './options.js'

/** The names of the feature bits, which are left out where a cluster has no room to spare. @see EXT-08 */
export const featureNames = (clusterBits: number): readonly Extension[] =>
  clusterBits <= 12
    ? []
    : [
        {
          _tag: 'FeatureNames',
          data: {
            names: featureTitles.map(({ type, bit, title }) => {
              const name = new Uint8Array(46)
              name.set(fromText(title))
              return { type, bit, name }
            }),
            rest: empty
          },
          padding: empty
        }
      ]

/** The size of a new image, and where its tables are. */
type Tables = Pick<Header, 'size' | 'l1Size' | 'l1TableOffset' | 'refcountTableOffset' | 'refcountTableClusters'>

/** What QEMU writes into a version 3 header past its fixed fields. @see HDR-05 */
export const newAdditional = (compressionType: CompleteOptions['compressionType']) => {
  const additional = { compressionType: compressionType === 'zstd' ? 1 : 0, padding: new Uint8Array(7), rest: empty }
  return { headerLength: headerFields.size + additionalFields.sizeOf(additional), additional }
}

const headerOf = (o: CompleteOptions, tables: Tables): Header => ({
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
  ...(o.version === 3 ? newAdditional(o.compressionType) : beyondV2)
})

const extensionsOf = (o: CompleteOptions): readonly Extension[] => [
  ...(o.backing === undefined
    ? []
    : [{ _tag: 'BackingFormat' as const, data: fromText(o.backing.format), padding: empty }]),
  ...(o.dataFile === undefined ? [] : [{ _tag: 'DataFile' as const, data: fromText(o.dataFile.name), padding: empty }]),
  ...(o.version === 3 ? featureNames(o.clusterBits) : [])
]

/**
 * The first cluster of a new image: the header, extensions in QEMU's order, an end marker, and
 * the backing file name. Refused where they do not fit, and where the header would break a rule.
 *
 * @see HDR-12, EXT-20 and CR-03
 */
export const firstCluster = (o: CompleteOptions, tables: Tables): E.Either<readonly Issue[], Uint8Array> => {
  const name = fromText(o.backing?.name ?? '')
  const area = areaBytes(extensionsOf(o))
  const bare = headerOf(o, tables)
  const end = header.sizeOf(bare) + area.length
  const h = o.backing === undefined ? bare : { ...bare, backingFileOffset: BigInt(end), backingFileSize: name.length }
  const issues = [...tooLong(end + name.length, 2 ** h.clusterBits), ...judgeHeader(h)]
  return issues.length > 0 ? E.left(issues) : E.right(padded(concat([header.encode(h), area, name]), clusterSize(h)))
}
