/** The deep check decodes every compressed cluster, and finds those that QEMU cannot read. */
import { constants, deflateRawSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { fromMemory, type Read, runSync } from '../../../src/bytes/plan.js'
import { type Decompressor, portable } from '../../../src/compression/decompress.js'
import { deflateFacts } from '../../../src/compression/deflate-facts.js'
import { check } from '../../../src/image/check/check.js'
import { type CheckReport, exitCode } from '../../../src/image/check/report.js'
import type { Finding } from '../../../src/image/check/findings.js'
import { native } from '../../../src/node/compression/native.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { runOn } from '../world.js'

const test = suite('deep check')

const deep = (image: Uint8Array, decompressor: Decompressor): CheckReport | undefined =>
  E.toUnion(E.mapLeft(() => undefined)(E.flatten(runOn(image, check(image.length, { deep: decompressor })))))

const decoding = ({ findings }: CheckReport): readonly Finding[] =>
  findings.filter((f) => f.clause === 'CMP-09' || f.clause === 'CMP-10')

/** Decoders that count their calls. */
const counting = (): { readonly decompressor: Decompressor; readonly calls: () => number } => {
  const seen = { calls: 0 }
  const decoder = (kind: keyof Decompressor) => (payload: Uint8Array, size: number) => {
    seen.calls += 1
    return native[kind](payload, size)
  }
  return { decompressor: { deflate: decoder('deflate'), zstd: decoder('zstd') }, calls: () => seen.calls }
}

/** Images with a payload that does not decode, and the clause it breaks. */
const undecodable: Readonly<Record<string, string>> = {
  'broken-compressed-at-zero': 'CMP-09',
  'broken-deflate-garbage': 'CMP-09',
  'broken-deflate-zlib': 'CMP-09',
  'broken-deflate-short': 'CMP-09',
  'broken-deflate-unfinished': 'CMP-09',
  'broken-zstd-garbage': 'CMP-10',
  'broken-zstd-short': 'CMP-10',
  'broken-zstd-long': 'CMP-10',
  'broken-zstd-checksum': 'CMP-10'
}

test('a payload that does not decode is found exactly in the images that QEMU cannot read', () => {
  let clusters = 0
  for (const name of names()) {
    const { image, expect } = load(name)
    const { decompressor, calls } = counting()
    const r = deep(image, decompressor)
    if (r === undefined) continue
    const flaws = decoding(r)
    assert.equal(
      flaws.map((f) => f.clause),
      undecodable[name] === undefined ? [] : [undecodable[name]],
      name
    )
    if (flaws.length > 0) assert.is.not(expect.guest.active.exit, 0, name)
    if (r.metadata.snapshots.length === 0 && r.corruptions === 0) assert.is(calls(), r.compressedClusters, name)
    clusters += calls()
  }
  assert.ok(clusters > 1000, String(clusters))
  note(`${clusters} compressed clusters decoded`)
})

test('a payload that does not decode is a flaw with host and guest bytes, and an error with --strict only', () => {
  for (const decompressor of [native, portable]) {
    const r = deep(load('broken-deflate-short').image, decompressor)
    const [found] = r === undefined ? [] : decoding(r)
    assert.equal(
      [found?.structure, found?.at, found?.size, found?.guest, found?.found],
      ['compressed cluster', 0x5000, 512, { at: 0, size: 4096 }, 'a deflate stream of 1 bytes']
    )
    assert.equal(r === undefined ? [] : [exitCode(r), exitCode(r, true)], [0, 2])
  }
})

test('without decoders no payload is read', () => {
  const { image } = load('case-29-deflate')
  const l2 = place(image)
  const reads: Read[] = []
  const read = (request: Read): Uint8Array => {
    reads.push(request)
    return fromMemory(image)(request)
  }
  const beyond = (): number => reads.filter(({ at }) => at > l2).length
  runSync(check(image.length), { read, emit: () => undefined })
  assert.is(beyond(), 0)
  runSync(check(image.length, { deep: native }), { read, emit: () => undefined })
  assert.ok(beyond() > 0)
})

/** Byte offset of the L2 table behind the first L1 entry. */
const place = (image: Uint8Array): number => {
  const view = new DataView(image.buffer, image.byteOffset)
  return view.getUint32(Number(view.getBigUint64(40)) + 4) & 0xffff_fe00
}

const clusterSize = 65_536

/** The image of two payloads, which compressed entries 0 and 1 find in clusters of their own behind the file. */
const withPayloads = (...payloads: readonly Uint8Array[]): Uint8Array => {
  const { image } = load('case-29-deflate')
  const end = Math.ceil(image.length / clusterSize) * clusterSize
  const out = new Uint8Array(end + payloads.length * 2 * clusterSize)
  out.set(image)
  const view = new DataView(out.buffer)
  payloads.forEach((payload, i) => {
    const at = end + i * 2 * clusterSize
    out.set(payload, at)
    const sectors = BigInt(Math.ceil(payload.length / 512) - 1)
    view.setBigUint64(place(image) + 8 * i, (1n << 62n) | (sectors << 54n) | BigInt(at))
  })
  return out
}

const noise = (length: number): Uint8Array => {
  const out = new Uint8Array(length)
  for (let i = 0, n = 1; i < length; i++) out[i] = (n = (Math.imul(n, 1_664_525) + 1_013_904_223) >>> 0) >>> 24
  return out
}

/** Bytes that repeat themselves after `period` bytes and no sooner. */
const periodic = (period: number, length: number): Uint8Array => {
  const once = noise(period)
  return new Uint8Array(length).map((_, i) => once[i % period] ?? 0)
}

test('a window over 4 KiB and a stream of more than a cluster are noted, since other readers may fail on them', () => {
  const far = periodic(8192, clusterSize)
  const image = withPayloads(
    deflateRawSync(far, { windowBits: 15 }),
    deflateRawSync(periodic(100, clusterSize + 1), { windowBits: 12 })
  )
  const r = deep(image, native)
  assert.equal(
    r?.findings.filter((f) => f.clause === 'CMP-08').map((f) => [f.severity, f.guest?.at, f.found]),
    [
      ['note', 0, 'a match that reaches 8192 bytes back, beyond a window of 4096'],
      ['note', clusterSize, 'a deflate stream of more than a cluster']
    ]
  )
  const near = deep(withPayloads(deflateRawSync(far, { windowBits: 12 })), native)
  assert.equal(
    near?.findings.filter((f) => f.clause === 'CMP-08'),
    []
  )
})

test('the finding of a deflate stream without a final block names it', () => {
  const whole = deflateRawSync(periodic(100, clusterSize), { finishFlush: constants.Z_SYNC_FLUSH })
  const [found] = deep(withPayloads(whole), native)?.findings.filter((f) => f.clause === 'CMP-09') ?? []
  assert.is(found?.found, 'a deflate stream without a final block')
})

/** Pieces of few kinds, so that matches of every distance and length come about. */
const content = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 3000 })), { minLength: 1, maxLength: 8 })
  .map((pieces) => new Uint8Array(pieces.flatMap(([period, length]) => [...periodic(period, length)])))

const strategies = [constants.Z_DEFAULT_STRATEGY, constants.Z_HUFFMAN_ONLY, constants.Z_RLE, constants.Z_FIXED]

test('length, farthest match and end of a deflate stream are those it was made with, and a truncated one does not end', () => {
  holds(
    fc.property(
      content,
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 9, max: 15 }),
      fc.constantFrom(...strategies),
      fc.nat(),
      (bytes, level, windowBits, strategy, cut) => {
        const stream = deflateRawSync(bytes, { level, windowBits, strategy })
        const { length, distance, finished } = deflateFacts(stream, bytes.length)
        assert.equal([length, finished], [bytes.length, true])
        assert.ok(distance <= 2 ** windowBits)
        assert.is(deflateFacts(stream.subarray(0, cut % stream.length), bytes.length).finished, false)
      }
    ),
    { runs: 200 }
  )
})

test('the farthest match of a deflate stream is exact', () => {
  for (const period of [1, 257, 4096, 4097, 20_000, 32_000]) {
    const near = new Uint8Array(300)
    const bytes = new Uint8Array([...periodic(period, period + 300), ...near])
    const stream = deflateRawSync(bytes, { windowBits: 15, level: 9 })
    assert.is(deflateFacts(stream, 65_536).distance, period)
  }
})

test('a match that reaches back before the first byte breaks the stream', () => {
  assert.equal(deflateFacts(new Uint8Array([0x03, 0x02, 0x00]), 4096), {
    length: 0,
    distance: 0,
    finished: false,
    cut: false
  })
})

test('any bytes are followed as a deflate stream, no further than the limit', () => {
  holds(
    fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
      assert.ok(deflateFacts(bytes, 4096).length <= 4096 + 65_535)
    }),
    { runs: 500 }
  )
  assert.ok(deflateFacts(deflateRawSync(new Uint8Array(2 ** 24)), 65_536).length <= 65_536 + 258)
})

test.run()
