/** The three feature words of a version 3 header: known bits by name, unknown bits kept. */
import { bits, type BitsOf, flag } from '../bytes/bits.js'

const incompatibleRows = {
  dirty: flag(0, 'dirty', 'FEAT-04', 'refcounts may be wrong: rebuild them before writing; reading is safe'),
  corrupt: flag(1, 'corrupt', 'FEAT-05', 'any structure may be wrong: do not write'),
  externalDataFile: flag(2, 'external_data_file', 'DATA-01', 'guest data lives in another file'),
  compressionType: flag(3, 'compression_type', 'HDR-04', 'the compression_type field is not zero'),
  extendedL2: flag(4, 'extended_l2', 'SUB-01', 'L2 entries are 128 bits wide')
} as const

const compatibleRows = {
  lazyRefcounts: flag(0, 'lazy_refcounts', 'INT-01', 'refcount writes may be postponed under the dirty bit')
} as const

const autoclearRows = {
  bitmaps: flag(0, 'bitmaps', 'BMP-11', 'the bitmaps extension is consistent'),
  rawExternalData: flag(1, 'raw_external_data', 'FEAT-06', 'the external data file is the raw guest disk')
} as const

/** Bits a reader must know: an unknown one that is set means the image must not be opened. @see FEAT-01 */
export const incompatibleFeatures = bits('incompatible features', incompatibleRows, {
  clause: 'FEAT-01',
  refusal: 'OPEN-09'
})
/** Bits a reader may ignore; a writer keeps them. @see FEAT-02 */
export const compatibleFeatures = bits('compatible features', compatibleRows)
/** Bits a reader may ignore; a writer clears those it does not know before it writes. @see FEAT-03 */
export const autoclearFeatures = bits('autoclear features', autoclearRows)

export type IncompatibleFeatures = BitsOf<typeof incompatibleRows>
export type CompatibleFeatures = BitsOf<typeof compatibleRows>
export type AutoclearFeatures = BitsOf<typeof autoclearRows>

/** What a program owes a feature bit it does not know. */
export interface Duty {
  readonly reader: 'refuse' | 'ignore'
  readonly writer: 'refuse' | 'keep' | 'clear'
}

/** The duties towards unknown bits of each word. @see FEAT-01, FEAT-02 and FEAT-03 */
export const duties: Readonly<Record<'incompatible' | 'compatible' | 'autoclear', Duty>> = {
  incompatible: { reader: 'refuse', writer: 'refuse' },
  compatible: { reader: 'ignore', writer: 'keep' },
  autoclear: { reader: 'ignore', writer: 'clear' }
}

/** The autoclear word a writer leaves behind when it opens an image: unknown bits cleared. @see FEAT-03 */
export const clearUnknown = (features: AutoclearFeatures): AutoclearFeatures => ({ ...features, reserved: 0n })

/** What QEMU calls a bit where that is more than its name. */
const titles: Readonly<Record<string, string>> = {
  dirty: 'dirty bit',
  corrupt: 'corrupt bit',
  extended_l2: 'extended L2 entries'
}

/** Every known bit with its word (0 incompatible, 1 compatible, 2 autoclear) and its title, in QEMU's order. @see EXT-08 */
export const featureTitles: readonly { readonly type: number; readonly bit: number; readonly title: string }[] = [
  incompatibleRows,
  compatibleRows,
  autoclearRows
].flatMap((rows, type) =>
  Object.values(rows).map(({ lo, name }) => ({ type, bit: lo, title: titles[name] ?? name.replaceAll('_', ' ') }))
)
