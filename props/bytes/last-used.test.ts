/** A cache holds the values that were used last. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { LastUsed } from '../../src/bytes/last-used.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('values used last')

test('a cache answers with the values used last, as many as it may have, and with no other', () => {
  const used = fc.array(fc.nat(6), { maxLength: 60 })
  const property = fc.property(fc.nat(5), used, (most, keys) => {
    const cache = new LastUsed<string>(most)
    let last: readonly number[] = []
    for (const key of keys) {
      assert.is(cache.get(key), last.includes(key) ? `value ${key}` : undefined)
      if (!last.includes(key)) cache.add(key, `value ${key}`)
      last = [key, ...last.filter((other) => other !== key)].slice(0, Math.max(1, most))
    }
  })
  holds(property, { runs: 1000 })
})

test.run()
