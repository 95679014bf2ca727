/** The sector store holds what an array of bytes would, and shares every sector that was not written. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { fromMemory } from '../../src/bytes/plan.js'
import { type FileChange, changed } from '../../src/store/files.js'
import {
  differing,
  emptyStore,
  equals,
  fromBytes,
  punch,
  read,
  sector,
  type Store,
  toBytes,
  truncate,
  write
} from '../../src/store/store.js'
import { noise } from '../../src/fuzz/noise.js'
import { holds } from '../run/holds.js'
import { note, suite } from '../run/suite.js'
import { changes, contents, extents, image, offsets } from './changes.js'
import { changedBytes } from './naive.js'

const test = suite('store')

const scripts = fc.record({ before: contents(36), done: fc.array(changes([image], 44, 4), { size: '+1' }) })
const run = (before: Store, done: readonly FileChange[]): Store => done.reduce(changed, before)
const sameBytes = (found: Uint8Array, wanted: Uint8Array): void => {
  assert.is(found.length, wanted.length)
  assert.is(Buffer.compare(found, wanted), 0)
}

test('a store equals an array of bytes after the same writes, truncations and punched ranges', () => {
  holds(
    fc.property(scripts, ({ before, done }) => {
      let bytes = before
      let store = fromBytes(before)
      for (const each of done) {
        bytes = changedBytes(bytes, each)
        store = changed(store, each)
        assert.is(store.length, bytes.length)
      }
      sameBytes(toBytes(store), bytes)
    }),
    { runs: 500 }
  )
})

test('any range reads as in memory, with zeros past the end', () => {
  holds(
    fc.property(scripts, offsets(50), extents(9), ({ before, done }, at, length) => {
      const store = run(fromBytes(before), done)
      sameBytes(read(store, at, length), fromMemory(toBytes(store))({ at, length }))
    }),
    { runs: 500 }
  )
})

test('stores are equal by their bytes, whatever their history', () => {
  holds(
    fc.property(scripts, ({ before, done }) => {
      const store = run(fromBytes(before), done)
      const fresh = fromBytes(toBytes(store))
      assert.ok(equals(store, fresh))
      assert.equal(differing(store, fresh), [])
      const nonZero = differing(emptyStore, store)
      for (let i = 0; i * 512 < store.length; i++) assert.is(sector(store, i) !== undefined, nonZero.includes(i))
    })
  )
})

test('stores are equal with the same length and bytes, and differing lists exactly the sectors that differ', () => {
  const pairs = fc.record({
    before: contents(40),
    a: fc.array(changes([image], 45, 2)),
    b: fc.array(changes([image], 45, 2))
  })
  holds(
    fc.property(pairs, ({ before, a, b }) => {
      const base = fromBytes(before)
      const [one, other] = [run(base, a), run(base, b)]
      const differ = Array.from({ length: 60 }, (_, i) => i).filter(
        (i) => Buffer.compare(read(one, 512 * i, 512), read(other, 512 * i, 512)) !== 0
      )
      assert.equal(differing(one, other), differ)
      assert.is(equals(one, other), one.length === other.length && differ.length === 0)
    }),
    { runs: 300 }
  )
})

test('a change that changes nothing returns the same store', () => {
  holds(
    fc.property(scripts, changes([image], 44, 4), ({ before, done }, last) => {
      const store = run(fromBytes(before), done)
      const after = changed(store, last)
      assert.is(after === store, equals(after, store))
      assert.is(changed(after, last), after)
    }),
    { runs: 500 }
  )
})

test('a store is immutable: neither changes of it nor of the bytes written to it alter it', () => {
  holds(
    fc.property(scripts, ({ before, done }) => {
      const given = done.map((each) => (each._tag === 'Write' ? { ...each, bytes: Uint8Array.from(each.bytes) } : each))
      const base = fromBytes(before)
      const store = run(base, given)
      const after = toBytes(store)
      for (const each of given) if (each._tag === 'Write') each.bytes.fill(0xee)
      toBytes(store).fill(0xee)
      sameBytes(toBytes(store), after)
      sameBytes(toBytes(base), before)
    })
  )
})

test('unwritten sectors are shared, and reading a whole sector copies nothing', () => {
  const base = fromBytes(noise(1, 3000 * 512))
  const after = write(base, 1500 * 512 + 500, noise(2, 20))
  assert.equal(differing(base, after), [1500, 1501])
  for (let i = 0; i < 3000; i++)
    assert.is(read(base, 512 * i, 512) === read(after, 512 * i, 512), i !== 1500 && i !== 1501)
  assert.is(read(base, 512 * 7 + 3, 9).buffer, read(base, 512 * 7, 512).buffer)
})

test('truncated bytes are zeros when the file grows again', () => {
  const base = fromBytes(noise(1, 5 * 512))
  const again = truncate(truncate(base, 700), 5 * 512)
  sameBytes(read(again, 0, 700), noise(1, 700))
  sameBytes(read(again, 700, 5 * 512 - 700), new Uint8Array(5 * 512 - 700))
  assert.is(toBytes(truncate(base, 700)).length, 700)
})

test('sectors at large offsets cost no more than others', () => {
  const far = 2 ** 52
  const store = write(fromBytes(noise(1, 600)), far + 3, noise(2, 600))
  assert.is(store.length, far + 603)
  sameBytes(read(store, far + 3, 600), noise(2, 600))
  sameBytes(read(store, 2 ** 40 - 300, 600), new Uint8Array(600))
  assert.equal(differing(store, emptyStore), [0, 1, far / 512, far / 512 + 1])
  const less = punch(store, 512, far)
  assert.is(less.length, store.length)
  assert.equal(differing(less, store), [1, far / 512])
  assert.ok(equals(truncate(store, 600), fromBytes(noise(1, 600))))
})

test('speed of writes and reads', () => {
  const base = fromBytes(noise(1, 60 * 1024))
  const bytes = noise(2, 512)
  const count = 20_000
  let store = base
  const begun = performance.now()
  for (let i = 0; i < count; i++) store = write(store, ((i * 37) % 120) * 512 + 8 * (i % 64), bytes.subarray(0, 8))
  const written = performance.now()
  for (let i = 0; i < count; i++) read(store, ((i * 37) % 120) * 512 + 8 * (i % 64), 8)
  const done = performance.now()
  const each = (time: number): string => `${((1000 * time) / count).toFixed(2)} microseconds`
  note(`60 KiB: ${each(written - begun)} to write 8 bytes, ${each(done - written)} to read them`)
  assert.is.not(store, base)
})

test.run()
