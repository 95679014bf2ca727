/** The portable inflater agrees with zlib on valid and damaged deflate streams. */
import { constants, deflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { equal } from '../../src/bytes/octets.js'
import { portable } from '../../src/compression/decompress.js'
import { native } from '../../src/node/compression/native.js'
import { noise } from '../arbitrary/octets.js'
import { holds } from '../run/holds.js'
import { note, suite } from '../run/suite.js'

const test = suite('inflate')

const cluster = 4096

/** Data of more than a cluster, a cluster, or less: random, constant, or both in turns. */
const data = fc
  .tuple(
    fc.constantFrom(cluster, cluster, cluster + 1, 3 * cluster, 16 * cluster, cluster - 1),
    fc.nat(),
    fc.nat({ max: 2 })
  )
  .map(([length, seed, kind]) => {
    const bytes = noise(seed, length)
    return kind === 0 ? bytes : bytes.map((b, i) => (kind === 1 || i % 64 > 7 ? seed & 255 : b))
  })

/** A payload: a stream, perhaps with changed or missing bytes, and zeros after it. */
const payloads = fc
  .record({
    data,
    level: fc.constantFrom(0, 1, 9),
    changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })), { maxLength: 2 }),
    kept: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }))
  })
  .map(({ data: bytes, level, changes, kept }) => {
    const stream = new Uint8Array(deflateRawSync(bytes, { level }))
    for (const [at, flip] of changes) stream[at % stream.length] = (stream[at % stream.length] ?? 0) ^ flip
    const payload = new Uint8Array(Math.ceil(stream.length / 512) * 512)
    payload.set(stream.subarray(0, Math.ceil(kept * stream.length)))
    return payload
  })

test('the portable decoder accepts what zlib accepts and returns the same cluster', () => {
  const seen = { taken: 0, refused: 0, more: 0 }
  holds(
    fc.property(payloads, (payload) => {
      const [ours, zlib] = [portable.deflate(payload, cluster), native.deflate(payload, cluster)]
      if (E.isRight(zlib)) assert.ok(E.isRight(ours) && equal(ours.right, zlib.right))
      seen[E.isRight(zlib) ? 'taken' : E.isRight(ours) ? 'more' : 'refused']++
    }),
    { runs: 1000 }
  )
  note(`${seen.taken} payloads accepted, ${seen.refused} rejected by both, ${seen.more} rejected by zlib alone`)
})

/** A stream of `length` bytes that ends in bits of an invalid block. */
const broken = (length: number): Uint8Array => {
  const stream = deflateRawSync(new Uint8Array(length).fill(7), { finishFlush: constants.Z_SYNC_FLUSH })
  return new Uint8Array(512).fill(0xff).map((b, i) => stream[i] ?? b)
}

test('an error in a stream after more than a cluster is not reached, and one after a cluster is', () => {
  for (const decoder of [portable, native]) {
    const more = decoder.deflate(broken(cluster + 1), cluster)
    assert.ok(E.isRight(more) && more.right.length === cluster && more.right.every((b) => b === 7))
    assert.ok(E.isLeft(decoder.deflate(broken(cluster), cluster)))
  }
})

test.run()
