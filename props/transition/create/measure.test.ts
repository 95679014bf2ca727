/** Sizes of new images: those that qemu-img 7.2 measures. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { measure } from '../../../src/transition/create/measure.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { suite } from '../../run/suite.js'

const test = suite('measure')

const cases: readonly (readonly [options: CreateOptions, required: number, fullyAllocated: number])[] = [
  [{ size: 2 ** 23, clusterBits: 9, refcountOrder: 6 }, 271_872, 8_660_480],
  [{ size: 3 * 2 ** 30, clusterBits: 21, extendedL2: true }, 10_485_760, 3_231_711_232],
  [{ size: 1e9, version: 2 }, 393_216, 1_000_407_040],
  [{ size: 2 ** 20, clusterBits: 12, preallocation: 'full' }, 1_069_056, 1_069_056],
  [{ size: 2047 * 2 ** 40 }, 343_482_105_856, 2_251_043_784_163_328]
]

test('refcount blocks cover themselves, and data that are stored are added', () => {
  for (const [options, required, fullyAllocated] of cases) {
    assert.equal(measure(options), E.right({ required, fullyAllocated }))
    if (options.preallocation === undefined)
      assert.equal(measure(options, 2 ** 21), E.right({ required: required + 2 ** 21, fullyAllocated }))
  }
})

test('options that no image can have are refused with their clause', () => {
  const clauseOf = (options: CreateOptions): unknown => {
    const refused = measure(options)
    return E.isLeft(refused) ? refused.left[0]?.clause : undefined
  }
  assert.is(clauseOf({ size: 2 ** 20, clusterBits: 8 }), 'OPEN-03')
  assert.is(clauseOf({ size: 2 ** 40, clusterBits: 9 }), 'OPEN-19')
})

test.run()
