/** Feature words: known bits by name, unknown bits kept. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Bits, BitsLeaf } from '../../src/bytes/bits.js'
import {
  autoclearFeatures,
  clearUnknown,
  compatibleFeatures,
  incompatibleFeatures,
  unknownDuties
} from '../../src/format/feature.js'
import { bitmapFlags } from '../../src/format/bitmap-directory.js'
import { numbers } from '../arbitrary/number.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { same } from './laws.js'

const test = suite('feature bits')

const word = <A extends Bits>(name: string, leaf: BitsLeaf<A>, ...flags: readonly (keyof A)[]): void => {
  test(`${name}: each known bit is the flag of its name, and every other one is reserved`, () => {
    for (let bit = 0; bit < 8 * leaf.size; bit++) {
      const { reserved, ...set } = leaf.ofWord(1n << BigInt(bit))
      const names = Object.entries(set).flatMap(([key, value]) => (value === true ? [key] : []))
      same([names, reserved], bit < flags.length ? [[flags[bit]], 0n] : [[], 1n << BigInt(bit)])
    }
  })

  test(`${name}: a word keeps every bit`, () => {
    holds(fc.property(numbers(0n, 2n ** BigInt(8 * leaf.size) - 1n), (bits) => leaf.toWord(leaf.ofWord(bits)) === bits))
  })
}

word('incompatible', incompatibleFeatures, 'dirty', 'corrupt', 'externalDataFile', 'compressionType', 'extendedL2')
word('compatible', compatibleFeatures, 'lazyRefcounts')
word('autoclear', autoclearFeatures, 'bitmaps', 'rawExternalData')
word('bitmap', bitmapFlags, 'inUse', 'auto', 'extraDataCompatible')

test('an unknown bit makes a reader refuse, is kept by a writer, or is cleared by it, as its word says', () => {
  same(unknownDuties, {
    incompatible: { reader: 'refuse', writer: 'refuse' },
    compatible: { reader: 'ignore', writer: 'keep' },
    autoclear: { reader: 'ignore', writer: 'clear' }
  })
  const broken = <A>(leaf: BitsLeaf<A>): number =>
    leaf.rules.filter((rule) => rule.broken(leaf.ofWord(2n ** 63n), undefined)).length
  same([broken(incompatibleFeatures), broken(compatibleFeatures), broken(autoclearFeatures)], [1, 0, 0])
})

test('a writer that opens an image leaves the known autoclear bits and no others', () => {
  holds(
    fc.property(numbers(0n, 2n ** 64n - 1n), (word) => {
      assert.is(autoclearFeatures.toWord(clearUnknown(autoclearFeatures.ofWord(word))), word & 3n)
    })
  )
})

test.run()
