/** The first cluster: header, extensions in QEMU's order, and the name of the backing file. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issue } from '../../bytes/issue.js'
import { concat, empty, fromText } from '../../bytes/octets.js'
import type { Extension } from '../../format/extension.js'
import { extensionTags, extensionTypes } from '../../format/extension-kinds.js'
import { extensionArea } from '../../format/extension-area.js'
import { featureTitles } from '../../format/feature.js'
import { type Header, header } from '../../format/header.js'

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

const noRoom = (size: number, room: number): Issue =>
  issue({
    clause: 'CR-03',
    phase: 'limit',
    source: 'both',
    structure: 'header',
    field: '',
    at: 0,
    size: room,
    found: `${size} bytes of header, extensions and backing file name`,
    expected: `at most the ${room} bytes of a cluster`
  })

/** An extension whose record is filled up with zeros. */
const padded = (e: Extension): Extension => {
  const bare = extensionArea.sizeOf({ extensions: [{ ...e, padding: empty }], rest: empty })
  return { ...e, padding: new Uint8Array((8 - (bare % 8)) % 8) }
}

/**
 * The bytes of the first cluster: the extensions of a known type in {@link extensionTags}, unknown ones as they stand, an end
 * marker, and the backing file name right behind it. Refused where they do not fit.
 *
 * @see HDR-12 and CR-03
 */
export const firstCluster = (
  h: Header,
  extensions: readonly Extension[],
  backingName: Uint8Array
): E.Either<readonly Issue[], Uint8Array> => {
  const sorted = [...extensions]
    .sort((a, b) => extensionTags.indexOf(a._tag) - extensionTags.indexOf(b._tag))
    .map(padded)
  const area = extensionArea.encode({ extensions: sorted, end: extensionTypes.end, rest: empty })
  const named = backingName.length > 0
  const at = header.sizeOf(h) + area.length
  const bytes = concat([
    header.encode({ ...h, backingFileOffset: named ? BigInt(at) : 0n, backingFileSize: backingName.length }),
    area,
    backingName
  ])
  const room = 2 ** h.clusterBits
  if (bytes.length > room) return E.left([noRoom(bytes.length, room)])
  const cluster = new Uint8Array(room)
  cluster.set(bytes)
  return E.right(cluster)
}
