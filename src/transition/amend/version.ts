/** The version of an image: from 2 to 3 and back. Nothing else changes in a sector together with the word that holds it. */
import { lastExtension } from '../../format/extension-area.js'
import { concat } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { type Header, beyondV2, header, headerV2 } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import { snapshotDiskSize, vmStateSize } from '../../format/snapshot.js'
import { dropBitmaps } from '../bitmaps/bitmaps.js'
import { expandZeros } from './expand.js'
import type { CommandState } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'
import { areaBytes, areaNow, endMarker, hole, withExtension, withoutTypes } from '../engine/extension-area.js'
import { changeExtensions, type HeaderWrite, mayExtend, withRoom, writeInOrder } from '../engine/extensions.js'
import { endRound } from '../engine/finish.js'
import { mayEncode } from '../guest/write.js'
import { beyondVersion2 } from '../create/options.js'
import { featureNames, newAdditional } from '../create/first-cluster.js'
import { extendSnapshots } from '../snapshots/snapshot-table.js'

/** The write of the word with magic and version. */
const versionWord = (h: Header): HeaderWrite => [0, header.encode(h).subarray(0, 8)]

/**
 * Makes a version 2 image one of version 3. Bytes 72 to 79 are the first word of the extensions in version 2 and the
 * incompatible features in version 3, and must be 0 when the version changes: a crash right before that leaves a version 2
 * image without its extensions, so without the format of its backing file. An image without extensions changes at once.
 * Refused where an extension is needed to open the image.
 *
 * @see AM-02 and HDR-01
 */
export function* upgrade(w: CommandState): Plan<void> {
  if (lastExtension(w.image.metadata.extensions, 'Encryption') !== undefined)
    yield* refuse('LUKS-02', 'a full disk encryption pointer in version 2', 'a version that may change without it')
  const additional = newAdditional('zlib')
  const length = additional.headerLength
  yield* extendSnapshots(w)
  const { from, bytes, extensions } = yield* areaNow(w)
  const area = areaBytes(extensions)
  const at = Math.max(length, from + bytes.length)
  yield* mayExtend(w, at + area.length, 0)
  yield* mayExtend(w, length + area.length, w.header.backingFileSize)
  yield* withRoom(w, at + area.length, function* () {
    const next: Header = { ...w.header, version: 3, ...additional }
    const fields = header.encode(next).subarray(headerV2.size + 8)
    yield* writeInOrder(w, [
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

/** Refuses an image that version 2 cannot express. @see AM-03 */
function* mayDowngrade(w: CommandState): Plan<void> {
  const size = presentedSize(w.header)
  const { snapshots } = w.image.metadata
  const { refcountOrder, extendedL2, externalDataFile } = w.g
  for (const key of beyondVersion2({ refcountOrder, extendedL2, dataFile: externalDataFile || undefined }))
    yield* refuse('AM-03', `an image with ${key}`, 'one without, as version 2 is')
  if (snapshots.some((s) => snapshotDiskSize(s, size) !== size))
    yield* refuse('AM-03', 'a snapshot of another disk size', `${size} bytes`)
  if (snapshots.some((s) => vmStateSize(s) >= 2n ** 32n)) yield* refuse('AM-03', 'a VM state of 4 GiB or more', 'less')
  yield* mayEncode(w)
}

/**
 * Makes a version 3 image one of version 2: without zero flags, bitmaps, feature bits and feature names. A crash right after
 * the version has changed leaves an image without its extensions, so without the format of its backing file.
 *
 * @see AM-03, AM-04 and AM-05
 */
export function* downgrade(w: CommandState): Plan<void> {
  yield* mayDowngrade(w)
  yield* expandZeros(w)
  yield* dropBitmaps(w)
  yield* endRound(w)
  const { extensions } = yield* areaNow(w)
  const next: Header = { ...w.header, ...beyondV2, version: 2 }
  yield* writeInOrder(w, [versionWord(next)])
  w.become(next, { ...w.g, version: 2 })
  const { FeatureNames, Bitmaps, DataFile } = extensionTypes
  yield* changeExtensions(w, () => withoutTypes(extensions, [FeatureNames, Bitmaps, DataFile]))
}
