/** Whole images: valid ones, nearly valid ones, and hostile ones. */
import fc from 'fast-check'
import { replayedChoices } from '../../src/fuzz/choices.js'
import { type FuzzImage, imageOf } from '../../src/fuzz/image.js'

/** Most choices of an image: what more there would be is drawn as its simplest. */
const mostChoices = 160

/**
 * Whole images of up to 512 KiB, most of them under 10 KiB: a quarter of them valid, half of them with one fault, the others
 * with several. Each names the clauses of what it makes use of and of what is changed in it. They shrink to images without
 * clusters, snapshots, bitmaps and faults, of the most common geometry. A backing file or a data file that an image names is
 * in `companions`.
 *
 * @example
 * import fc from 'fast-check'
 * import { arbitraryImage } from 'qcow2-spec/arbitraries'
 * import { header } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(arbitraryImage, ({ kind, bytes }) => kind !== 'valid' || header.decode(bytes)._tag === 'Right'))
 */
export const arbitraryImage: fc.Arbitrary<FuzzImage> = fc
  .array(fc.nat({ max: 0xffff_ffff }), { maxLength: mostChoices, size: 'max' })
  .map((made) => imageOf(replayedChoices(made)))
