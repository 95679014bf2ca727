/** The work queue: every share is claimed by exactly one thread, in whatever order the threads ask. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { WorkQueue } from '../../src/node/convert/to-raw.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('work queue')

/** The shares that threads claim which ask for one after the other, in the order of `turns`. */
const claimedBy = (threads: number, shares: number, turns: readonly number[]) => {
  const first = new WorkQueue()
  const all = [first, ...Array.from({ length: threads - 1 }, () => new WorkQueue(first.memory))]
  const next = all.map(() => 0)
  const claimed: number[] = []
  const ask = (thread: number): void => {
    const n = next[thread] ?? 0
    if (n >= shares) return
    if (all[thread]?.claim(n) === true) claimed.push(n)
    next[thread] = n + 1
  }
  turns.forEach((turn) => {
    ask(turn % threads)
  })
  for (let n = 0; n < shares; n++) for (let thread = 0; thread < threads; thread++) ask(thread)
  return claimed
}

test('of all threads that ask for every share in order, exactly one claims each', () => {
  holds(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(30), fc.array(fc.nat(3)), (threads, shares, turns) => {
      const claimed = claimedBy(threads, shares, turns)
      assert.equal(
        claimed.toSorted((a, b) => a - b),
        Array.from({ length: shares }, (_, n) => n)
      )
    })
  )
})

test('a thread may ask for a share repeatedly, or never', () => {
  const queue = new WorkQueue()
  const other = new WorkQueue(queue.memory)
  assert.equal(
    [0, 0, 1, 5, 5].map((n) => queue.claim(n)),
    [true, true, true, true, true]
  )
  assert.equal(
    [0, 5, 6, 6].map((n) => other.claim(n)),
    [false, false, true, true]
  )
  assert.not.ok(queue.claim(6))
  assert.is(queue.at, 6)
  assert.not.ok(queue.own)
})

test('after a stop the shares that are claimed stay claimed, and no other can be', () => {
  const queue = new WorkQueue()
  const other = new WorkQueue(queue.memory)
  assert.ok(queue.claim(0))
  assert.not.ok(other.claim(0))
  queue.stop()
  assert.ok(other.claim(1))
  assert.not.ok(queue.claim(2))
  assert.not.ok(other.claim(2))
})

test.run()
