/** The first cluster of a new image: header, extensions in QEMU's order, and backing file name. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { concat, empty, fromText } from '../../bytes/octets.js'
import type { Extension } from '../../format/extension.js'
import { extensionTags } from '../../format/extension-kinds.js'
import { featureTitles } from '../../format/feature.js'
import { type Header, header } from '../../format/header.js'
import { areaBytes, tooLong } from '../engine/extension-area.js'

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

/**
 * The bytes of the first cluster: the header, known extensions in the order of {@link extensionTags}, unknown ones as they
 * come, an end marker, and the backing file name. Refused where they do not fit.
 *
 * @see HDR-12, EXT-20 and CR-03
 */
export const firstCluster = (
  h: Header,
  extensions: readonly Extension[],
  backingName: Uint8Array
): E.Either<readonly Issue[], Uint8Array> => {
  const sorted = [...extensions].sort((a, b) => extensionTags.indexOf(a._tag) - extensionTags.indexOf(b._tag))
  const area = areaBytes(sorted)
  const named = backingName.length > 0
  const at = header.sizeOf(h) + area.length
  const bytes = concat([
    header.encode({ ...h, backingFileOffset: named ? BigInt(at) : 0n, backingFileSize: backingName.length }),
    area,
    backingName
  ])
  const issue = tooLong(bytes.length, 2 ** h.clusterBits)
  if (issue !== undefined) return E.left([issue])
  const cluster = new Uint8Array(2 ** h.clusterBits)
  cluster.set(bytes)
  return E.right(cluster)
}
