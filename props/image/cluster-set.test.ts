/** A cluster set has the numbers that a Set has, wherever they lie: around the boundaries of its chunks, and far apart. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { ClusterSet } from '../../src/image/cluster-set.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('cluster set')

/** Numbers whose bits are in the same place of different words and chunks, up to the last cluster of the largest file. */
const numbers = fc
  .tuple(
    fc.constantFrom(0, 32, 2 ** 15, 2 ** 16, 3 * 2 ** 15, 2 ** 31, 2 ** 32, 2 ** 54 / 512),
    fc.integer({ min: -2, max: 2 })
  )
  .map(([boundary, past]) => Math.max(0, boundary + past))

test('a number is in the set once it was added, and is new only then', () => {
  holds(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom('add', 'has'), numbers), { minLength: 20, maxLength: 60, size: 'max' }),
      (steps) => {
        const [set, model] = [new ClusterSet(), new Set<number>()]
        for (const [what, n] of steps) {
          const [found, expected] = [what === 'add' ? !set.add(n) : set.has(n), model.has(n)]
          assert.is(found, expected, `${what} ${n}`)
          if (what === 'add') model.add(n)
        }
      }
    ),
    { runs: 300 }
  )
})

test.run()
