/** Compressed clusters decompress to their bytes, and deflate uses no distance beyond QEMU's window. */
import { createInflateRaw, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { portableCompressor } from '../../src/compression/compress.js'
import { portable } from '../../src/compression/decompress.js'
import { noise } from '../../src/fuzz/noise.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'

const test = suite('compress')

/** Clusters that repeat with a period, with a few other bytes. */
const clusters = fc
  .record({
    bits: fc.constantFrom(9, 10, 12, 13, 14, 16, 17),
    period: fc.oneof(fc.constantFrom(1, 2, 3, 4095, 4096, 4097, 8192), fc.integer({ min: 1, max: 70_000 })),
    seed: fc.nat({ max: 0xffff }),
    strangers: fc.array(fc.nat({ max: 2 ** 17 }), { maxLength: 5 })
  })
  .map(({ bits, period, seed, strangers }) => {
    const size = 2 ** bits
    const piece = noise(seed, Math.min(period, size))
    const cluster = Uint8Array.from({ length: size }, (_, i) => piece[i % piece.length] ?? 0)
    for (const at of strangers) cluster[at % size] = seed & 0xff
    return cluster
  })

/** The distances in a deflate stream of one block with the fixed codes, which must be marked as the last. */
const distancesIn = (stream: Uint8Array): readonly number[] => {
  let at = 0
  const bit = (): number => ((stream[at >> 3] ?? 0) >> (at++ & 7)) & 1
  const number = (n: number): number => Array.from({ length: n }, bit).reduce((sum, b, i) => sum + b * 2 ** i, 0)
  const code = (n: number): number => Array.from({ length: n }, bit).reduce((sum, b) => 2 * sum + b, 0)
  const symbol = (): number => {
    const seven = code(7)
    if (seven < 0x18) return 256 + seven
    const eight = 2 * seven + bit()
    if (eight < 0xc0) return eight - 0x30
    return eight < 0xc8 ? 280 + eight - 0xc0 : 2 * eight + bit() - 0x190 + 144
  }
  assert.equal([bit(), number(2)], [1, 1], 'a final block with the fixed codes')
  const found: number[] = []
  for (let next = symbol(); next !== 256; next = symbol()) {
    if (next < 256) continue
    number(next < 265 || next === 285 ? 0 : (next - 261) >> 2)
    const distance = code(5)
    const extra = Math.max(0, (distance >> 1) - 1)
    const base = distance < 4 ? distance + 1 : (2 + (distance & 1)) * 2 ** extra + 1
    found.push(base + number(extra))
  }
  return found
}

const bothWays = (codec: 'deflate' | 'zstd', cluster: Uint8Array): Uint8Array | undefined => {
  const payload = portableCompressor[codec](cluster)
  if (payload === undefined) return undefined
  assert.ok(payload.length < cluster.length)
  // A payload is followed by its neighbour's bytes.
  const behind = Buffer.concat([payload, noise(3, 40)])
  const back = portable[codec](behind, cluster.length)
  assert.is(E.isRight(back) && Buffer.compare(back.right, cluster), 0)
  return payload
}

test('a deflated cluster is inflated by the portable decoder and by zlib, and no distance is above 4096', () =>
  holds(
    fc.property(clusters, (cluster) => {
      const payload = bothWays('deflate', cluster)
      if (payload === undefined) return
      assert.is(Buffer.compare(inflateRawSync(payload), cluster), 0)
      assert.ok(distancesIn(payload).every((distance) => distance <= 4096))
    })
  ))

test('bytes that repeat at a distance of 4096 are matched, at 4097 not', () => {
  const repeated = (period: number): Uint8Array => {
    const piece = noise(1, period)
    return Uint8Array.from({ length: 2 ** 14 }, (_, i) => piece[i % period] ?? 0)
  }
  const near = portableCompressor.deflate(repeated(4096))
  assert.is(Math.max(...distancesIn(near ?? new Uint8Array())), 4096)
  assert.ok((near?.length ?? 0) < 6000)
  assert.is(portableCompressor.deflate(repeated(4097)), undefined)
})

test('an inflater with a window of 4 KiB that outputs a few bytes at a time inflates a cluster', async () => {
  const piece = noise(2, 4096)
  const cluster = Uint8Array.from({ length: 2 ** 16 }, (_, i) => piece[i % 4096] ?? 0)
  const inflater = createInflateRaw({ windowBits: 12, chunkSize: 64 })
  inflater.end(portableCompressor.deflate(cluster))
  const parts: Buffer[] = []
  for await (const part of inflater) if (Buffer.isBuffer(part)) parts.push(part)
  assert.is(Buffer.compare(Buffer.concat(parts), cluster), 0)
})

test('a cluster in a zstd frame decompresses to its bytes', () =>
  holds(
    fc.property(clusters, (cluster) => {
      bothWays('zstd', cluster)
    })
  ))

test('a cluster of equal bytes shrinks, and one of random bytes does not', () => {
  for (let bits = 9; bits <= 21; bits++) {
    assert.ok((portableCompressor.deflate(new Uint8Array(2 ** bits).fill(7))?.length ?? Infinity) <= 2 ** (bits - 6))
    assert.ok((portableCompressor.zstd(new Uint8Array(2 ** bits).fill(7))?.length ?? Infinity) < 80)
  }
  assert.is(portableCompressor.deflate(noise(1, 4096)), undefined)
  assert.is(portableCompressor.zstd(noise(1, 4096)), undefined)
})

test.run()
