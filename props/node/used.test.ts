/** Where disks have bytes: what several have is told once, in order, and left out nowhere. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { Used, usedIn } from '../../src/node/images/used.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('used')

/** Which of a few bytes a disk has. */
const disks = fc.array(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), { maxLength: 3 })

const usedOf = (bytes: readonly boolean[]): Used => {
  const used = new Used()
  bytes.forEach((there, at) => {
    if (there) used.add(at, at + 1)
  })
  return used
}

test('a byte lies in exactly one of the ranges that are told if a disk has it, else in none', () => {
  holds(
    fc.property(disks, fc.nat(40), fc.nat(40), (all, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const told = [...usedIn(all.map(usedOf), from, to)].flatMap(([start, end]) =>
        Array.from({ length: end - start }, (_, i) => start + i)
      )
      const there = Array.from({ length: to - from }, (_, i) => from + i)
      assert.equal(
        told,
        there.filter((at) => all.some((bytes) => bytes[at] === true))
      )
    })
  )
})

test.run()
