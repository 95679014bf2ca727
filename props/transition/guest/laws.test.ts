/** Laws of guest writes that need no oracle: the same bytes by other ways make the same disk. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Command } from '../../../src/transition/command.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'
import { advance, begin, commandOf, marked, newImages, ops } from '../model/follow.js'
import { guestOf, type Machine, newMachine, perhaps } from '../model/machine.js'

const test = suite('laws')

/** An image that has been written to. */
const images = fc
  .tuple(newImages('plain', 'v2', 'extended', 'data', 'raw'), ops('Write', 'Write', 'SnapshotCreate', 'Resize'))
  .map(([start, script]) => script.reduce((at, op) => advance(at, commandOf(op, at.disk)), begin(start)).machine)

/** Places on a disk as parts of it, in order. */
const places = fc.tuple(fc.nat(999), fc.nat(999), fc.nat(999), fc.nat(999))

const placed = (m: Machine, parts: readonly number[]): readonly number[] =>
  parts.map((part) => Math.floor((part / 1000) * Number(m.opened.metadata.header.size))).toSorted((a, b) => a - b)

/** The image after the commands; nothing is said of one that has no room for their counts. */
const after = (m: Machine, ...commands: readonly Command[]): Machine =>
  commands.reduce((at, command) => {
    const done = perhaps(at, command)
    if (E.isRight(done)) return done.right
    fc.pre(done.left[0]?.clause !== 'REF-07')
    throw new Error(done.left[0]?.message)
  }, m)

const write = (from: number, to: number): Command => ({ _tag: 'Write', at: from, bytes: marked(from, to - from) })

const sameDisk = (a: Machine, b: Machine): void => {
  assert.is(Buffer.compare(guestOf(a.files), guestOf(b.files)), 0)
}

test('a write split in two equals the whole write', () => {
  holds(
    fc.property(images, places, (m, parts) => {
      const [from = 0, between = 0, to = 0] = placed(m, parts)
      const bytes = marked(from, to - from)
      const first: Command = { _tag: 'Write', at: from, bytes: bytes.subarray(0, between - from) }
      const second: Command = { _tag: 'Write', at: between, bytes: bytes.subarray(between - from) }
      const whole = after(m, { _tag: 'Write', at: from, bytes })
      sameDisk(after(m, first, second), whole)
      sameDisk(after(m, second, first), whole)
    })
  )
})

test('writes of disjoint ranges commute', () => {
  holds(
    fc.property(images, places, (m, parts) => {
      const [a = 0, b = 0, c = 0, d = 0] = placed(m, parts)
      sameDisk(after(m, write(a, b), write(c, d)), after(m, write(c, d), write(a, b)))
    })
  )
})

test('writing, zeroing and discarding are idempotent', () => {
  holds(
    fc.property(images, places, (m, parts) => {
      const [from = 0, to = 0] = placed(m, parts)
      const range = { at: from, length: to - from }
      const commands: readonly Command[] = [
        write(from, to),
        { _tag: 'WriteZeroes', ...range, unmap: false },
        { _tag: 'WriteZeroes', ...range, unmap: true },
        { _tag: 'Discard', ...range }
      ]
      for (const command of commands) sameDisk(after(m, command, command), after(m, command))
    })
  )
})

test('a disk that is written into an image of another geometry is the same', () => {
  const others = fc.record({
    clusterBits: fc.integer({ min: 9, max: 16 }),
    version: fc.constantFrom(2 as const, 3 as const)
  })
  holds(
    fc.property(images, others, (m, options) => {
      const bytes = guestOf(m.files)
      const empty = newMachine({ size: bytes.length, ...options })
      sameDisk(after(empty, { _tag: 'Write', at: 0, bytes }), m)
    })
  )
})

test.run()
