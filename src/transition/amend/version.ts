/** The version of an image: from 2 to 3 and back. The word that holds it shares its sector with nothing else that changes. */
import { toEight } from '../../bytes/entry.js'
import { concat, empty } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { type Header, header, headerV2, v2Defaults } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import {
  snapshotDiskSize,
  type SnapshotEntry,
  snapshotEntry,
  snapshotExtra,
  snapshotTable,
  vmStateSize
} from '../../format/snapshot.js'
import { lastExtension, snapshotTablePlace } from '../../image/metadata.js'
import { allocateBytes } from '../engine/allocate.js'
import { dropBitmaps } from '../bitmaps/bitmaps.js'
import { expandZeros } from './expand.js'
import {
  areaBytes,
  areaNow,
  changeExtensions,
  endMarker,
  fits,
  hole,
  inOrder,
  withExtension,
  withoutTypes,
  withRoom
} from '../engine/extensions.js'
import { endRound } from '../engine/finish.js'
import { featureNames } from '../create/first-cluster.js'
import { releaseTable } from '../engine/l1-table.js'
import { refuse, type Work } from '../engine/work.js'

/** The header that QEMU writes in version 3, in bytes. @see HDR-05 */
const length = 112

const third = (h: Header): Header => ({
  ...h,
  version: 3,
  headerLength: length,
  additional: { compressionType: 0, padding: new Uint8Array(7), rest: empty }
})

/** The word of magic and version, as a patch. */
const versionWord = (h: Header): readonly [number, Uint8Array] => [0, header.encode(h).subarray(0, 8)]

/** A snapshot entry with the extra data that version 3 asks for. @see SNAP-02 */
const extended = (s: SnapshotEntry, size: bigint): SnapshotEntry => {
  if (snapshotExtra.sizeOf(s.extra) >= 16) return s
  const extra = { vmStateSize: vmStateSize(s), diskSize: size, icount: 2n ** 64n - 1n, rest: empty }
  const bare = { ...s, extra, padding: empty }
  return { ...bare, padding: new Uint8Array(toEight(snapshotEntry.sizeOf(bare))) }
}

/** Gives every snapshot the extra data that version 3 asks for: a new table, and the word that points to it. @see AM-02 */
function* extendSnapshots(w: Work): Plan<void> {
  const { snapshots } = w.opened.metadata
  const size = presentedSize(w.header)
  if (snapshots.every((s) => extended(s, size) === s)) return
  const table = snapshots.map((s, i) => ({
    ...extended(s, size),
    ...(i === snapshots.length - 1 ? { padding: empty } : {})
  }))
  const bytes = snapshotTable(table.length).encode(table)
  const at = yield* allocateBytes(w, bytes.length)
  yield* w.tx.put('snapshot table', 'prepare', at, bytes)
  yield* w.changeHeader('expose', { snapshotsOffset: BigInt(at) })
  const old = snapshotTablePlace(w.opened.metadata)
  releaseTable(w, old.at, old.size)
  yield* endRound(w)
}

/**
 * Makes a version 2 image one of version 3. Bytes 72 to 79 are the first word of the extensions in one and the
 * incompatible features in the other, and must be 0 when the version changes: a crash right before that leaves a version 2
 * image without its extensions, that is without the format of its backing file. An image without extensions changes at
 * once. Refused where an extension is needed to open the image.
 *
 * @see AM-02 and HDR-01
 */
export function* upgrade(w: Work): Plan<void> {
  if (lastExtension(w.opened.metadata.extensions, 'Encryption') !== undefined)
    yield* refuse('LUKS-02', 'a full disk encryption pointer in version 2', 'a version that may change without it')
  yield* extendSnapshots(w)
  const { from, bytes, extensions } = yield* areaNow(w)
  const area = areaBytes(extensions)
  const at = Math.max(length, from + bytes.length)
  yield* fits(w, at + area.length, 0)
  yield* fits(w, length + area.length, w.header.backingFileSize)
  yield* withRoom(w, at + area.length, function* () {
    const next = third(w.header)
    const fields = header.encode(next).subarray(headerV2.size + 8)
    yield* inOrder(w, [
      [at, area],
      [headerV2.size, extensions.length === 0 ? endMarker : hole(at - headerV2.size - 8)],
      [headerV2.size + 8, at === length ? fields : concat([fields, hole(at - length - 8)])],
      [headerV2.size, endMarker],
      versionWord(next)
    ])
    w.become(next, { ...w.g, version: 3 })
  })
  yield* changeExtensions(w, (list) => featureNames(w.g.clusterBits).reduce(withExtension, list))
}

/** Refuses what version 2 cannot say. @see AM-03 */
function* mayDowngrade(w: Work): Plan<void> {
  const size = presentedSize(w.header)
  const rules: readonly (readonly [boolean, string, string])[] = [
    [w.g.refcountOrder !== 4, `refcounts of ${2 ** w.g.refcountOrder} bits`, '16 bits'],
    [w.g.externalDataFile, 'an external data file', 'none'],
    [w.g.extendedL2, 'extended L2 entries', 'none'],
    [
      w.opened.metadata.snapshots.some((s) => snapshotDiskSize(s, size) !== size),
      'a snapshot of another disk size',
      `${size} bytes`
    ],
    [w.opened.metadata.snapshots.some((s) => vmStateSize(s) >= 2n ** 32n), 'a VM state of 4 GiB or more', 'less']
  ]
  for (const [broken, found, expected] of rules) if (broken) yield* refuse('AM-03', found, expected)
  if (w.disk.encrypted) yield* refuse('LUKS-08', 'an encrypted disk', 'one that can be written without a key')
}

/**
 * Makes a version 3 image one of version 2: without zero flags, bitmaps, feature bits and names. A crash right after the
 * version has changed leaves an image without its extensions, that is without the format of its backing file.
 *
 * @see AM-03, AM-04 and AM-05
 */
export function* downgrade(w: Work): Plan<void> {
  yield* mayDowngrade(w)
  yield* expandZeros(w)
  yield* dropBitmaps(w)
  yield* endRound(w)
  const { extensions } = yield* areaNow(w)
  const next: Header = { ...w.header, ...v2Defaults, version: 2, additional: { rest: empty } }
  yield* inOrder(w, [versionWord(next)])
  w.become(next, { ...w.g, version: 2 })
  const { FeatureNames, Bitmaps, DataFile } = extensionTypes
  yield* changeExtensions(w, () => withoutTypes(extensions, [FeatureNames, Bitmaps, DataFile]))
}
