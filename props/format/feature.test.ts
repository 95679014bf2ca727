/** Feature words: known bits by name, unknown bits kept. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Bits, BitsLeaf } from '../../src/bytes/bits.js'
import type { Rule } from '../../src/bytes/judgement.js'
import {
  autoclearFeatures,
  autocleared,
  compatibleFeatures,
  type Duty,
  type Feature,
  featureLeaf,
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

test('a known bit is refused, kept, cleared, or keeps writers out, as its row says', () => {
  const row = (lo: number, duty: Duty): Feature => ({
    ...{ _tag: 'Flag', lo, hi: lo, clause: 'FEAT-01', doc: '', ...duty },
    ...{ name: `bit ${lo}`, title: `bit ${lo}` }
  })
  const leaf = featureLeaf<Bits & Readonly<Record<'refused' | 'dirty' | 'locked' | 'cleared' | 'kept', boolean>>>(
    'compatible',
    {
      refused: row(0, { reader: 'refuse', writer: 'refuse' }),
      dirty: row(1, { reader: 'ignore', writer: 'repair' }),
      locked: row(2, { reader: 'ignore', writer: 'refuse' }),
      cleared: row(3, { reader: 'ignore', writer: 'clear' }),
      kept: row(4, { reader: 'ignore', writer: 'keep' })
    }
  )
  const bitsThat = (rules: readonly Rule<ReturnType<typeof leaf.ofWord>>[]): readonly number[] =>
    [0, 1, 2, 3, 4, 5].filter((bit) => rules.some((rule) => rule.broken(leaf.ofWord(1n << BigInt(bit)), undefined)))
  same([bitsThat(leaf.rules), bitsThat(leaf.writable), leaf.cleared], [[0], [0, 1, 2], 1n << 3n])
})

test('an open for writing names the bit that keeps it out, and the check that refuses an image marked corrupt', () => {
  const named = (word: bigint) =>
    incompatibleFeatures.writable
      .filter((rule) => rule.broken(incompatibleFeatures.ofWord(word), undefined))
      .map((rule) => [rule.clause, rule.refusal])
  same([named(0n), named(1n), named(2n)], [[], [['FEAT-04', undefined]], [['FEAT-05', 'OPEN-10']]])
})

test('a writer that opens an image leaves the known autoclear bits and no others', () => {
  holds(
    fc.property(numbers(0n, 2n ** 64n - 1n), (word) => {
      assert.is(autoclearFeatures.toWord(autocleared(autoclearFeatures.ofWord(word))), word & 3n)
    })
  )
})

test.run()
