/** The inflaters agree with zlib on valid and damaged deflate streams, and need little memory for many that are damaged. */
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { equal, padded } from '../../src/bytes/octets.js'
import { portable } from '../../src/compression/decompress.js'
import { native } from '../../src/node/compression/native.js'
import { noise } from '../../src/fuzz/noise.js'
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
    /** Whether it has a final block, and whether zeros follow it. */
    ends: fc.boolean(),
    followed: fc.boolean(),
    kept: fc.oneof(fc.constant(1), fc.double({ min: 0, max: 1, noNaN: true }))
  })
  .map(({ data: bytes, level, changes, ends, followed, kept }) => {
    const finishFlush = ends ? constants.Z_FINISH : constants.Z_SYNC_FLUSH
    const stream = new Uint8Array(deflateRawSync(bytes, { level, finishFlush }))
    for (const [at, flip] of changes) stream[at % stream.length] = (stream[at % stream.length] ?? 0) ^ flip
    const part = stream.subarray(0, Math.ceil(kept * stream.length))
    return followed ? padded(part, Math.ceil((stream.length + 1) / 512) * 512) : part
  })

/** Whether zlib fills a cluster from a payload, and finds no fault before it asks for more room. @see CMP-09 */
const zlibTakes = (payload: Uint8Array): boolean => {
  try {
    inflateRawSync(payload, { chunkSize: cluster, maxOutputLength: cluster - 1 })
    return false
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
  }
}

/** Bytes that begin a block of fixed or of dynamic codes, and mean nothing. */
const nonsense = fc.tuple(fc.nat(), fc.constantFrom(3, 5)).map(([seed, type]) => {
  const bytes = noise(seed, 64)
  bytes[0] = ((bytes[0] ?? 0) & ~7) | type
  return bytes
})

test('the portable decoder accepts what zlib accepts, and so does that of Node', () => {
  const seen = { taken: 0, refused: 0 }
  holds(
    fc.property(fc.oneof({ weight: 3, arbitrary: payloads }, nonsense), (payload) => {
      const taken = zlibTakes(payload)
      for (const decoder of [portable, native]) assert.is(E.isRight(decoder.deflate(payload, cluster)), taken)
      seen[taken ? 'taken' : 'refused']++
    }),
    { runs: 500 }
  )
  note(`${seen.taken} payloads accepted, ${seen.refused} rejected`)
})

test('both decoders yield the cluster that a stream begins with', () =>
  holds(
    fc.property(data, fc.constantFrom(0, 1, 9), (bytes, level) => {
      const stream = deflateRawSync(bytes, { level })
      for (const decoder of [portable, native]) {
        const decoded = decoder.deflate(stream, cluster)
        if (bytes.length < cluster) assert.ok(E.isLeft(decoded))
        else assert.ok(E.isRight(decoded) && equal(decoded.right, bytes.subarray(0, cluster)))
      }
    })
  ))

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

test('hundreds of streams that zlib refuses take no more memory than some of them', () => {
  const size = 2 ** 21
  const whole = deflateRawSync(noise(1, size))
  const cut = whole.subarray(0, whole.length / 2)
  const before = process.memoryUsage().arrayBuffers
  for (let i = 0; i < 256; i++) assert.ok(E.isLeft(native.deflate(cut, size)))
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 28)
})

test.run()
