/** Lists of writes without a flush, or with a change moved across it. */
import * as assert from 'uvu/assert'
import { flush, type HostWrite } from '../../src/bytes/host-write.js'
import { flushesOf, swappedAcrossFlush, withoutFlush, withoutFlushes } from '../../src/store/reorder.js'
import { suite } from '../run/suite.js'
import { image } from './changes.js'

const test = suite('reordered writes')

const write = (at: number): HostWrite => ({ _tag: 'Write', file: image, at, bytes: Uint8Array.of(1) })

test('each flush is dropped alone, and all together', () => {
  const list = [write(0), flush, write(1), write(2), flush]
  assert.equal(flushesOf(list), [1, 4])
  assert.equal(withoutFlush(list, 1), [write(0), write(1), write(2), flush])
  assert.equal(withoutFlush(list, 4), list.slice(0, 4))
  assert.equal(withoutFlushes(list), [write(0), write(1), write(2)])
})

test('two changes with one flush between them are swapped', () => {
  const at = (...places: readonly number[]): readonly HostWrite[] =>
    places.map((place) => (place < 0 ? flush : write(place)))
  const list = at(0, -1, 1, 2, -1, 3, 4, -1, 5)
  assert.equal(swappedAcrossFlush(list, 4), [
    at(0, -1, 3, 2, -1, 1, 4, -1, 5),
    at(0, -1, 4, 2, -1, 3, 1, -1, 5),
    at(0, -1, 1, 3, -1, 2, 4, -1, 5),
    at(0, -1, 1, 4, -1, 3, 2, -1, 5)
  ])
  assert.equal(swappedAcrossFlush(list, 7), [at(0, -1, 1, 2, -1, 5, 4, -1, 3), at(0, -1, 1, 2, -1, 3, 5, -1, 4)])
  assert.equal(swappedAcrossFlush(at(0, -1), 1), [])
})

test.run()
