/** Reads through windows return the bytes of the file and ask it for whole windows. */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import * as assert from 'uvu/assert'
import { fromMemory, type FileRange } from '../../src/bytes/plan.js'
import { readInWindows, readInWindowsAsync } from '../../src/bytes/window.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('windows')

/** Bytes that depend on their offset. */
const fileOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff)

const anyRange = fc.record({ at: fc.nat(3000), length: fc.nat(700) })
const anyWindow = fc.record({ size: fc.integer({ min: 1, max: 300 }), kept: fc.integer({ min: 1, max: 4 }) })
const anyFile = fc.nat(2500)

/** A file that records its reads. */
const watched = (file: Uint8Array) => {
  const asked: FileRange[] = []
  const ask = (range: FileRange): Uint8Array => {
    asked.push(range)
    return file.slice(range.at, range.at + range.length)
  }
  return { asked, ask }
}

test('every read returns the bytes of the file, and zeros past its end', () => {
  holds(
    fc.property(anyFile, anyWindow, fc.array(anyRange, { maxLength: 30 }), (length, window, ranges) => {
      const file = fileOf(length)
      const read = readInWindows(length, window, watched(file).ask)
      for (const range of ranges) assert.equal(read(range), fromMemory(file)(range))
    }),
    { runs: 1000 }
  )
})

test('a small read asks for its whole window, a large one for its own range, and none past the end of the file', () => {
  holds(
    fc.property(anyFile, anyWindow, fc.array(anyRange, { maxLength: 30 }), (length, window, ranges) => {
      const { asked, ask } = watched(fileOf(length))
      const read = readInWindows(length, window, ask)
      for (const range of ranges) {
        const before = asked.length
        read(range)
        for (const { at, length: n } of asked.slice(before)) {
          assert.ok(n > 0 && at + n <= length)
          if (range.length >= window.size) assert.is(at, range.at)
          else {
            assert.is(at % window.size, 0)
            assert.ok(n <= 2 * window.size)
          }
        }
      }
    }),
    { runs: 1000 }
  )
})

test('small sequential reads ask once for each window, and a cached window is not read again', () => {
  const { asked, ask } = watched(fileOf(1000))
  const read = readInWindows(1000, { size: 100, kept: 2 }, ask)
  for (let at = 0; at < 1000; at += 10) read({ at, length: 10 })
  assert.is(asked.length, 10)
  for (const at of [950, 850, 955, 855]) read({ at, length: 5 })
  assert.is(asked.length, 10)
  read({ at: 0, length: 5 })
  assert.is(asked.length, 11)
})

test('a small read that begins in a cached window asks for the windows after it alone', () => {
  const file = fileOf(1000)
  const { asked, ask } = watched(file)
  const read = readInWindows(1000, { size: 100, kept: 2 }, ask)
  for (let at = 5; at < 1000; at += 90) assert.equal(read({ at, length: 90 }), fromMemory(file)({ at, length: 90 }))
  assert.equal(
    asked.map(({ at, length }) => [at, length]),
    Array.from({ length: 10 }, (_, i) => [100 * i, 100])
  )
})

test('an asynchronous file gets the same requests and gives the same bytes', async () => {
  const file = fileOf(2500)
  const ranges = fc.sample(anyRange, { numRuns: 300, seed: 1 })
  const [now, later] = [watched(file), watched(file)]
  const read = readInWindows(2500, { size: 128, kept: 3 }, now.ask)
  const readLater = readInWindowsAsync(2500, { size: 128, kept: 3 }, (range) => TE.right(later.ask(range)))
  for (const range of ranges) assert.equal(await readLater(range)(), E.right(read(range)))
  assert.equal(later.asked, now.asked)
})

test.run()
