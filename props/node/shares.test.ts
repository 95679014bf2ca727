/** Shares of work: every one is done by exactly one thread, however the threads take turns. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { WorkQueue } from '../../src/node/convert/shares.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('shares')

/** Threads that ask for one share after the other, in the order of `turns`; what each is told. */
const asked = (threads: number, shares: number, turns: readonly number[]) => {
  const first = new WorkQueue()
  const all = [first, ...Array.from({ length: threads - 1 }, () => new WorkQueue(first.memory))]
  const next = all.map(() => 0)
  const taken: number[] = []
  const ask = (thread: number): void => {
    const n = next[thread] ?? 0
    if (n >= shares) return
    if (all[thread]?.claim(n) === true) taken.push(n)
    next[thread] = n + 1
  }
  turns.forEach((turn) => {
    ask(turn % threads)
  })
  for (let n = 0; n < shares; n++) for (let thread = 0; thread < threads; thread++) ask(thread)
  return taken
}

test('of all threads that ask for every share in order, exactly one is told to do it', () => {
  holds(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.nat(30), fc.array(fc.nat(3)), (threads, shares, turns) => {
      const taken = asked(threads, shares, turns)
      assert.equal(
        taken.toSorted((a, b) => a - b),
        Array.from({ length: shares }, (_, n) => n)
      )
    })
  )
})

test('a share may be asked for again and again, and some may never be asked for', () => {
  const shares = new WorkQueue()
  const other = new WorkQueue(shares.memory)
  assert.equal(
    [0, 0, 1, 5, 5].map((n) => shares.claim(n)),
    [true, true, true, true, true]
  )
  assert.equal(
    [0, 5, 6, 6].map((n) => other.claim(n)),
    [false, false, true, true]
  )
  assert.not.ok(shares.claim(6))
  assert.is(shares.at, 6)
  assert.not.ok(shares.own)
})

test('after a stop the shares that are taken are still done, and no other', () => {
  const shares = new WorkQueue()
  const other = new WorkQueue(shares.memory)
  assert.ok(shares.claim(0))
  assert.not.ok(other.claim(0))
  shares.stop()
  assert.ok(other.claim(1))
  assert.not.ok(shares.claim(2))
  assert.not.ok(other.claim(2))
})

test.run()
