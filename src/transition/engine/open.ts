/** Opening an image for writing: what forbids it, and what a writer has to do first. */
import { failOn, failWith, orFail, type Plan } from '../../bytes/plan.js'
import { type Compressor, portableCompressor } from '../../compression/compress.js'
import type { Decompressor } from '../../compression/decompress.js'
import { autocleared } from '../../format/feature.js'
import type { Geometry } from '../../format/geometry.js'
import { writableRules } from '../../format/header-rules.js'
import type { Layer } from '../../image/guest/chain.js'
import type { Decryption } from '../../image/guest/extents.js'
import { type Metadata, readMetadata, writeRefusal } from '../../image/metadata.js'
import { type CommandState, fromMetadata, type WritableImage } from './command-state.js'
import { carryOut, type Step } from './finish.js'

/** What an image is opened with. */
export interface OpenOptions {
  /** The layers below the image, from the top down; none without a backing file. */
  readonly backing: readonly Layer[]
  readonly decompressor: Decompressor
  /** Decrypts the guest data of the image, where its key is known: then they are read, and still not written. @see LUKS-08 */
  readonly decryption?: Decryption | undefined
  /** {@link portableCompressor} unless given. */
  readonly compressor?: Compressor
}

/** An image of which a writer knows the metadata only. */
export const writableImage = (options: OpenOptions, metadata: Metadata, g: Geometry): WritableImage => ({
  compressor: portableCompressor,
  ...options,
  ...fromMetadata(metadata, g),
  firstFree: 0,
  compressedCursor: 0
})

/** Clears the autoclear bits that this writer does not keep true. @see FEAT-03 */
function* clearAutoclear(w: CommandState): Plan<void> {
  const autoclearFeatures = autocleared(w.header.autoclearFeatures)
  if (autoclearFeatures !== w.header.autoclearFeatures) yield* w.changeHeader('prepare', { autoclearFeatures })
}

/**
 * Opens an image for writing. The writes of the step come before those of any command. Refused where QEMU refuses to open
 * the image, where it is marked corrupt, and where it is dirty: its refcounts have to be repaired first.
 *
 * @see OPEN-40, OPEN-42, FEAT-03, FEAT-04 and FEAT-05
 * @example
 * import { fromMemory, portable, runSync } from 'qcow2-spec/image'
 * import { create, open } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 0, clusterBits: 9 })
 * const [first] = created._tag === 'Right' ? created.right : []
 * const image = first?._tag === 'Write' ? first.bytes : new Uint8Array(0)
 * const opened = runSync(open({ backing: [], decompressor: portable }), { read: fromMemory(image) })
 * assert.deepEqual(opened._tag === 'Right' && opened.right.writes, [])
 */
export function* open(options: OpenOptions): Plan<Step> {
  const metadata = yield* orFail<Metadata>(yield* readMetadata())
  const refused = writeRefusal(metadata)
  const g = metadata.geometry
  if (refused !== undefined || g === undefined)
    return yield* failWith<Step>(refused === undefined ? metadata.issues : [refused])
  yield* failOn(writableRules.judge(metadata.header, undefined))
  return yield* carryOut(writableImage(options, metadata, g), clearAutoclear)
}
