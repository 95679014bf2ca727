/** The three feature words of a version 3 header: known bits by name, unknown bits kept. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { type BitRow, type BitRows, type Bits, bits, type BitsLeaf, flag, maskOf } from '../bytes/bits.js'
import type { Rule } from '../bytes/judgement.js'
import { hex } from '../bytes/octets.js'
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

/** The rows of a word of feature bits whose value is an `A`, by the names that the bits have here. */
type FeatureRows<A> = Readonly<Record<Exclude<keyof A, 'reserved'>, Feature>>

const feature = <const D extends Duty>(
  bit: number,
  name: string,
  clause: ClauseId,
  doc: string,
  duty: D,
  title?: string
): Feature & D => ({
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
} satisfies FeatureRows<IncompatibleFeatures>

const compatibleRows = {
  lazyRefcounts: feature(0, 'lazy_refcounts', 'INT-01', 'refcount writes may be postponed under the dirty bit', {
    reader: 'ignore',
    writer: 'keep'
  })
} satisfies FeatureRows<CompatibleFeatures>

/** What raw external data depends on is the bit of the external data file. @see FEAT-08 */
const autoclearRows = {
  bitmaps: feature(0, 'bitmaps', 'BMP-11', 'the bitmaps extension is consistent', {
    reader: 'ignore',
    writer: 'apply'
  }),
  rawExternalData: feature(1, 'raw_external_data', 'FEAT-06', 'the external data file is the raw guest disk', {
    reader: 'ignore',
    writer: 'apply'
  })
} satisfies FeatureRows<AutoclearFeatures>

const featureRows = {
  incompatible: incompatibleRows,
  compatible: compatibleRows,
  autoclear: autoclearRows
} as const

/** A word of feature bits. */
export type FeatureWord = keyof typeof featureRows

/** The words of feature bits, in the order of their numbers in the feature name table. @see EXT-07 */
export const featureWords = ['incompatible', 'compatible', 'autoclear'] as const satisfies readonly FeatureWord[]

/** The bits of a word that a reader, or a writer, has to apply: each is answered in a record with its key. */
export type Applied<Word extends FeatureWord, Who extends keyof Duty> = {
  [K in keyof Rows[Word]]: Rows[Word][K] extends Readonly<Record<Who, 'apply'>> ? K : never
}[keyof Rows[Word]]

type Rows = typeof featureRows

/** The duties towards bits that a program does not know. @see FEAT-01, FEAT-02 and FEAT-03 */
export const unknownDuties: Readonly<Record<FeatureWord, Duty>> = {
  incompatible: { reader: 'refuse', writer: 'refuse' },
  compatible: { reader: 'ignore', writer: 'keep' },
  autoclear: { reader: 'ignore', writer: 'clear' }
}

/** A word of feature bits. Its rules, and what a writer must do first, follow from the duties of its rows. */
export interface FeatureLeaf<A> extends BitsLeaf<A> {
  /** What the word must satisfy before a writer may change the image. @see FEAT-04 and FEAT-05 */
  readonly writable: readonly Rule<A>[]
  /** The bits that a writer clears. @see FEAT-03 */
  readonly cleared: bigint
}

/** What is expected of a bit that keeps writers out, by the duty of the writer, and the opening check that refuses it. */
const keepingOut = {
  repair: { expected: 'clear, once refcounts are rebuilt' },
  refuse: { expected: 'clear, once the image is consistent', refusal: 'OPEN-10' }
} as const

/** The leaf of a word of feature bits, from its rows. */
export const featureLeaf = <A extends Bits>(word: FeatureWord, rows: BitRows<A> & FeatureRows<A>): FeatureLeaf<A> => {
  const leaf = bits<A>(`${word} features`, rows)
  const known = Object.values<Feature>(rows)
  const bitsWith = (has: (duty: Duty) => boolean): bigint =>
    known.filter(has).reduce((mask, row) => mask | maskOf(row), has(unknownDuties[word]) ? leaf.reservedMask : 0n)
  const refused = bitsWith(({ reader }) => reader === 'refuse')
  const refusal: Rule<A> = {
    clause: 'FEAT-01',
    refusal: 'OPEN-09',
    part: 'reserved',
    broken: (a) => (leaf.toWord(a) & refused) !== 0n,
    found: (a) => hex(leaf.toWord(a) & refused),
    expected: 'reserved bits zero'
  }
  const writable = known.flatMap(({ writer, clause, title, ...row }): readonly Rule<A>[] =>
    writer === 'repair' || writer === 'refuse'
      ? [
          {
            clause,
            phase: 'inconsistent',
            broken: (a) => (leaf.toWord(a) & maskOf(row)) !== 0n,
            found: () => `the ${title}`,
            ...keepingOut[writer]
          }
        ]
      : []
  )
  return {
    ...leaf,
    rules: refused === 0n ? [] : [refusal],
    writable,
    cleared: bitsWith(({ writer }) => writer === 'clear')
  }
}

/** Bits a reader must know: an unknown one that is set means the image must not be opened. @see FEAT-01 */
export const incompatibleFeatures: FeatureLeaf<IncompatibleFeatures> = featureLeaf('incompatible', incompatibleRows)
/** Bits a reader may ignore; a writer keeps them. @see FEAT-02 */
export const compatibleFeatures: FeatureLeaf<CompatibleFeatures> = featureLeaf('compatible', compatibleRows)
/** Bits a reader may ignore; a writer clears those it does not know before it writes. @see FEAT-03 */
export const autoclearFeatures: FeatureLeaf<AutoclearFeatures> = featureLeaf('autoclear', autoclearRows)

/**
 * The autoclear word a writer leaves when it opens an image: unknown bits cleared, and known ones whose duty it is. The
 * same value where there is nothing to clear.
 *
 * @see FEAT-03
 * @example
 * import { autocleared } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const found = { bitmaps: true, rawExternalData: false, reserved: 1n << 63n }
 * assert.deepEqual(autocleared(found), { bitmaps: true, rawExternalData: false, reserved: 0n })
 */
export const autocleared = (features: AutoclearFeatures): AutoclearFeatures => {
  const word = autoclearFeatures.toWord(features)
  const { cleared } = autoclearFeatures
  return (word & cleared) === 0n ? features : autoclearFeatures.ofWord(word & ~cleared)
}

/** Every known bit with its word (0 incompatible, 1 compatible, 2 autoclear) and its title, in QEMU's order. @see EXT-08 */
export const featureTitles: readonly { readonly type: number; readonly bit: number; readonly title: string }[] =
  featureWords.flatMap((word, type) =>
    Object.values<Feature>(featureRows[word]).map(({ lo, title }) => ({ type, bit: lo, title }))
  )
