/** The three feature words of a version 3 header: known bits by name, unknown bits kept. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { type BitRow, bits, type BitsLeaf, flag } from '../bytes/bits.js'
import type { AutoclearFeatures, CompatibleFeatures, IncompatibleFeatures } from './header-values.js'

/** What a program must be able to do with an image in which a feature bit is set. */
export interface Duty {
  /** `apply`: the bit changes what is read; `ignore`: it does not; `refuse`: nothing can be read. */
  readonly reader: 'apply' | 'ignore' | 'refuse'
  /**
   * `apply`: the bit changes what is written; `keep`: it stays as it is; `clear`: it is cleared before anything is written;
   * `repair`: so it is, once the refcounts are rebuilt; `refuse`: nothing can be written.
   */
  readonly writer: 'apply' | 'keep' | 'clear' | 'repair' | 'refuse'
}

/** A known feature bit. */
export interface Feature extends BitRow<'Flag'>, Duty {
  /** What QEMU calls the bit. @see EXT-08 */
  readonly title: string
}

const feature = (bit: number, name: string, clause: ClauseId, doc: string, duty: Duty, title?: string): Feature => ({
  ...flag(bit, name, clause, doc),
  ...duty,
  title: title ?? name.replaceAll('_', ' ')
})

const incompatibleRows = {
  dirty: feature(
    0,
    'dirty',
    'FEAT-04',
    'refcounts may be wrong: rebuild them before writing; reading is safe',
    { reader: 'ignore', writer: 'repair' },
    'dirty bit'
  ),
  corrupt: feature(
    1,
    'corrupt',
    'FEAT-05',
    'any structure may be wrong: do not write',
    { reader: 'ignore', writer: 'refuse' },
    'corrupt bit'
  ),
  externalDataFile: feature(2, 'external_data_file', 'DATA-01', 'guest data lives in another file', {
    reader: 'apply',
    writer: 'apply'
  }),
  compressionType: feature(3, 'compression_type', 'HDR-04', 'the compression_type field is not zero', {
    reader: 'apply',
    writer: 'apply'
  }),
  extendedL2: feature(
    4,
    'extended_l2',
    'SUB-01',
    'L2 entries are 128 bits wide',
    { reader: 'apply', writer: 'apply' },
    'extended L2 entries'
  )
} as const

const compatibleRows = {
  lazyRefcounts: feature(0, 'lazy_refcounts', 'INT-01', 'refcount writes may be postponed under the dirty bit', {
    reader: 'ignore',
    writer: 'keep'
  })
} as const

const autoclearRows = {
  bitmaps: feature(0, 'bitmaps', 'BMP-11', 'the bitmaps extension is consistent', {
    reader: 'ignore',
    writer: 'apply'
  }),
  rawExternalData: feature(1, 'raw_external_data', 'FEAT-06', 'the external data file is the raw guest disk', {
    reader: 'ignore',
    writer: 'apply'
  })
} as const

const featureRows = {
  incompatible: incompatibleRows,
  compatible: compatibleRows,
  autoclear: autoclearRows
} as const

/** A word of feature bits. */
export type FeatureWord = keyof typeof featureRows

/** The words of feature bits, in the order of their numbers in the feature name table. @see EXT-07 */
export const featureWords = ['incompatible', 'compatible', 'autoclear'] as const satisfies readonly FeatureWord[]

/** Bits a reader must know: an unknown one that is set means the image must not be opened. @see FEAT-01 */
export const incompatibleFeatures: BitsLeaf<IncompatibleFeatures> = bits('incompatible features', incompatibleRows, {
  clause: 'FEAT-01',
  refusal: 'OPEN-09'
})
/** Bits a reader may ignore; a writer keeps them. @see FEAT-02 */
export const compatibleFeatures: BitsLeaf<CompatibleFeatures> = bits('compatible features', compatibleRows)
/** Bits a reader may ignore; a writer clears those it does not know before it writes. @see FEAT-03 */
export const autoclearFeatures: BitsLeaf<AutoclearFeatures> = bits('autoclear features', autoclearRows)

/** The duties towards bits that a program does not know. @see FEAT-01, FEAT-02 and FEAT-03 */
export const unknownDuties: Readonly<Record<FeatureWord, Duty>> = {
  incompatible: { reader: 'refuse', writer: 'refuse' },
  compatible: { reader: 'ignore', writer: 'keep' },
  autoclear: { reader: 'ignore', writer: 'clear' }
}

/**
 * The autoclear word a writer leaves when it opens an image: unknown bits cleared.
 *
 * @see FEAT-03
 * @example
 * import { clearUnknown } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const found = { bitmaps: true, rawExternalData: false, reserved: 1n << 63n }
 * assert.deepEqual(clearUnknown(found), { bitmaps: true, rawExternalData: false, reserved: 0n })
 */
export const clearUnknown = (features: AutoclearFeatures): AutoclearFeatures => ({ ...features, reserved: 0n })

/** Every known bit with its word (0 incompatible, 1 compatible, 2 autoclear) and its title, in QEMU's order. @see EXT-08 */
export const featureTitles: readonly { readonly type: number; readonly bit: number; readonly title: string }[] =
  featureWords.flatMap((word, type) =>
    Object.values<Feature>(featureRows[word]).map(({ lo, title }) => ({ type, bit: lo, title }))
  )
