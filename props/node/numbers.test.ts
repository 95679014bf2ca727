/** Human-readable sizes have the digits that C prints: of two that are as near, the even one. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { decimals, humanSize, ioSize, threeDigits } from '../../src/node/text/numbers.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('human-readable sizes')

test('a number halfway between two is rounded to the even one', () => {
  assert.equal(
    [3.125, 9.375, 0.625, 50].map((x) => decimals(x, 2)),
    ['3.12', '9.38', '0.62', '50.00']
  )
  assert.equal([1088, 1091, 1600 * 1024, 512].map(ioSize), ['1.062 KiB', '1.065 KiB', '1.562 MiB', '512 bytes'])
  assert.equal([0, 1000, 1152, 1179648, 999.5 * 1024, 10905600].map(humanSize), [
    '0 B',
    '0.977 KiB',
    '1.12 KiB',
    '1.12 MiB',
    '1e+03 KiB',
    '10.4 MiB'
  ])
})

test('a human-readable size has at most three significant digits', () => {
  holds(
    fc.property(fc.double({ min: 0.1, max: 999, noNaN: true }), (x) => {
      const text = threeDigits(x)
      assert.ok(text.replace(/^0\.0*/, '').replace('.', '').length <= 3)
      assert.ok(Math.abs(Number(text) - x) <= 0.0051 * x)
    })
  )
})

test.run()
