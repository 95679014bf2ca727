/** Allocated ranges: bytes that several disks have are reported once, in order, and none is left out. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { allocatedIn, AllocatedRanges } from '../../src/node/images/allocated-ranges.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('allocated ranges')

/** Which of a few bytes a disk has. */
const disks = fc.array(fc.array(fc.boolean(), { minLength: 40, maxLength: 40 }), { maxLength: 3 })

const rangesOf = (bytes: readonly boolean[]): AllocatedRanges => {
  const ranges = new AllocatedRanges()
  bytes.forEach((there, at) => {
    if (there) ranges.add(at, at + 1)
  })
  return ranges
}

test('a byte lies in exactly one of the reported ranges if a disk has it, else in none', () => {
  holds(
    fc.property(disks, fc.nat(40), fc.nat(40), (all, a, b) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const reported = [...allocatedIn(all.map(rangesOf), from, to)].flatMap(([start, end]) =>
        Array.from({ length: end - start }, (_, i) => start + i)
      )
      const there = Array.from({ length: to - from }, (_, i) => from + i)
      assert.equal(
        reported,
        there.filter((at) => all.some((bytes) => bytes[at] === true))
      )
    })
  )
})

test.run()
