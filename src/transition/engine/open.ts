/** Opening an image for writing: what forbids it, and what it obliges to first. */
import { failWith, orFail, type Plan } from '../../bytes/plan.js'
import { type Compressor, portableCompressor } from '../../compression/compress.js'
import type { Decompressor } from '../../compression/decompress.js'
import { clearUnknown } from '../../format/feature.js'
import type { Geometry } from '../../format/geometry.js'
import type { Layer } from '../../image/guest/chain.js'
import { type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import { finish, type Step } from './finish.js'
import { knownOf, type Opened, refuse, Work } from './work.js'
import { readThrough } from './transaction.js'

/** What an image is opened with beside its own bytes. */
export interface Surroundings {
  /** The layers below the image, from the top down; none without a backing file. */
  readonly backing: readonly Layer[]
  readonly decompressor: Decompressor
  /** {@link portableCompressor} unless it is given. */
  readonly compressor?: Compressor
}

/** An image of which nothing is known but its metadata. */
export const openedAs = (around: Surroundings, metadata: Metadata, g: Geometry): Opened => ({
  compressor: portableCompressor,
  ...around,
  ...knownOf(metadata, g),
  firstFree: 0,
  compressedCursor: 0
})

/** Clears the autoclear bits that nobody here knows, before anything else is written. @see FEAT-03 */
function* obligations(w: Work): Plan<Step> {
  const { autoclearFeatures } = w.header
  if (autoclearFeatures.reserved !== 0n)
    yield* w.changeHeader('prepare', { autoclearFeatures: clearUnknown(autoclearFeatures) })
  return yield* finish(w)
}

/**
 * Opens an image for writing. Refused where QEMU refuses to open it, where it is marked corrupt, and where it is dirty,
 * since its counts are to be repaired first. The writes are what has to be done before any command.
 *
 * @see OPEN-40, FEAT-03, FEAT-04 and FEAT-05
 */
export function* open(around: Surroundings): Plan<Step> {
  const metadata = yield* orFail<Metadata>(yield* readMetadata())
  const refused = refusal(metadata.issues)
  const g = metadata.geometry
  if (refused !== undefined || g === undefined)
    return yield* failWith<Step>(refused === undefined ? metadata.issues : [refused])
  const { corrupt, dirty } = metadata.header.incompatibleFeatures
  const spot = { structure: 'header', field: 'incompatible_features', at: 72, size: 8 }
  if (corrupt) return yield* refuse<Step>('FEAT-05', 'an image marked corrupt', 'one that may be written', spot)
  if (dirty) return yield* refuse<Step>('FEAT-04', 'a dirty image', 'one whose counts have been repaired', spot)
  const w = new Work(openedAs(around, metadata, g))
  return yield* readThrough(w.tx, obligations(w))
}
