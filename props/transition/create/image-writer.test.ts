/** Filling: what comes in order becomes an image that reads as what came, with nothing wrong with it. */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { exitCode } from '../../../spec/reference/check.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import { fromMemory, runSync } from '../../../src/bytes/plan.js'
import { portableCompressor } from '../../../src/compression/compress.js'
import { readMetadata } from '../../../src/image/metadata.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { SequentialImageWriter } from '../../../src/transition/create/image-writer.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'
import { marked } from '../model/follow.js'
import { traits } from '../engine/heads.js'
import { abstraction, countsOf, type Files, machineOf, perform, right } from '../model/machine.js'

const test = suite('fill')

const nothing = new Uint8Array(0)

/** What comes: so many clusters of a kind. */
interface Part {
  readonly kind: 'data' | 'payload' | 'zeros' | 'left'
  readonly n: number
  readonly mark: number
}

const part: fc.Arbitrary<Part> = fc.record({
  kind: fc.constantFrom('data', 'payload', 'zeros', 'left'),
  n: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 300 })),
  mark: fc.integer({ min: 1, max: 255 })
})

/** Bytes of a cluster that shrink, those of each 2 KiB apart, some of them zeros. */
const content = (size: number, guest: number, mark: number): Uint8Array => {
  const bytes = new Uint8Array(size)
  for (let at = 0; at < size; at += 512)
    if (((guest / 512 + at / 512) & mark) % 3 !== 0 || at === 0)
      bytes.fill((guest / 512 + at / 512 + mark) % 256, at, at + 500)
  return bytes
}

const geometry: fc.Arbitrary<Omit<CreateOptions, 'size'>> = fc
  .tuple(
    fc.constantFrom(9, 10, 12),
    fc.integer({ min: 0, max: 6 }),
    fc.constantFrom('plain', 'v2', 'extended', 'data', 'raw')
  )
  .map(([clusterBits, refcountOrder, kind]) => {
    switch (kind) {
      case 'v2':
        return { clusterBits, version: 2 }
      case 'extended':
        return { clusterBits: 14, refcountOrder, extendedL2: true }
      case 'data':
      case 'raw':
        return { clusterBits, refcountOrder, dataFile: { name: 'data.raw', raw: kind === 'raw' } }
      default:
        return { clusterBits, refcountOrder, compressionType: refcountOrder % 2 === 0 ? 'zlib' : 'zstd' }
    }
  })

interface Filled {
  readonly writes: readonly HostWrite[]
  readonly files: Files
  readonly wanted: Uint8Array
}

/** An image of these parts, and what it is to read as. */
const filled = (
  geometry: Omit<CreateOptions, 'size'>,
  parts: readonly Part[],
  odd: boolean,
  backing: Uint8Array
): Filled => {
  const size = 2 ** (geometry.clusterBits ?? 16)
  const total = parts.reduce((n, p) => n + p.n * size, 0) - (odd ? 512 * Math.floor(size / 1024) : 0)
  const over = backing.length > 0 && geometry.dataFile?.raw !== true
  const named = over ? { backing: { name: 'backing.raw', format: 'raw' } } : {}
  const fill = right(SequentialImageWriter.of({ ...geometry, ...named, size: total }))
  const writes: HostWrite[] = []
  const wanted = new Uint8Array(total)
  if (over) wanted.set(backing.subarray(0, total))
  let guest = 0
  for (const { kind, n, mark } of parts)
    for (const end = guest + n * size; guest < end;) {
      // Runs of clusters, or one where each is a payload of its own.
      const some = kind === 'payload' ? size : Math.min(end - guest, 8 * size)
      const length = Math.min(some, total - guest)
      if (length <= 0) break
      const bytes = new Uint8Array(some)
      for (let at = 0; at < some; at += size) bytes.set(content(size, guest + at, mark), at)
      const encode = portableCompressor[geometry.compressionType === 'zstd' ? 'zstd' : 'deflate']
      const payload =
        kind === 'payload' && geometry.dataFile === undefined ? encode(bytes.fill(mark, 0, size >> 1)) : undefined
      if (kind === 'left' || kind === 'zeros') {
        if (kind === 'zeros' || geometry.dataFile?.raw === true) {
          writes.push(...fill.writeZeros(guest, length))
          wanted.fill(0, guest, guest + length)
        }
      } else {
        writes.push(
          ...(payload === undefined
            ? fill.writeData(guest, bytes.subarray(0, length))
            : fill.writePayload(guest, payload))
        )
        wanted.set(bytes.subarray(0, length), guest)
      }
      guest += some
    }
  const last = fill.finish()
  for (let step = last.next(); ; step = last.next()) {
    if (step.done === true) {
      right(step.value)
      break
    }
    writes.push(step.value)
  }
  const behind = over ? backing : nothing
  return { writes, files: perform({ image: nothing, data: nothing, backing: behind }, writes), wanted }
}

test('an image reads as its input, has exact refcounts, and can be written to', () => {
  holds(
    fc.property(
      geometry,
      fc.array(part, { minLength: 1, maxLength: 8 }),
      fc.boolean(),
      fc.constantFrom(0, 20_000, 100_000),
      (geometry, parts, odd, behind) => {
        const { files, wanted } = filled(geometry, parts, odd, marked(1, behind))
        assert.is(exitCode(countsOf(files)), 0)
        assert.is(Buffer.compare(abstraction(files, traits).content, wanted), 0)
        machineOf(files)
      }
    ),
    { runs: 60 }
  )
})

test('an image whose refcount table has several clusters reads as its input', () => {
  // With clusters of 512 bytes and refcounts of 64 bits a cluster of the refcount table covers 4096 clusters.
  for (const n of [3960, 3961, 4000, 4030, 4031, 4032, 4033, 4096, 8100]) {
    const { files, wanted } = filled(
      { clusterBits: 9, refcountOrder: 6 },
      [{ kind: 'data', n, mark: 3 }],
      false,
      nothing
    )
    assert.is(exitCode(countsOf(files)), 0, String(n))
    assert.is(Buffer.compare(abstraction(files, traits).content, wanted), 0, String(n))
  }
})

test('no host byte is written twice, and before the last write the file is no image', () => {
  holds(
    fc.property(geometry, fc.array(part, { minLength: 1, maxLength: 6 }), (geometry, parts) => {
      const { writes } = filled(geometry, parts, false, nothing)
      const own = writes.flatMap((w) => (w._tag === 'Write' && w.file.part === 'image' ? [w] : []))
      const sorted = own.toSorted((a, b) => a.at - b.at)
      for (const [i, w] of sorted.entries()) assert.ok(w.at + w.bytes.length <= (sorted[i + 1]?.at ?? Infinity))
      assert.is(own.at(-1)?.at, 0)
      assert.is(writes.at(-2)?._tag, 'Flush')
      const { image } = perform({ image: nothing, data: nothing, backing: nothing }, writes.slice(0, -1))
      const metadata = runSync(readMetadata(), { read: fromMemory(image) })
      assert.ok(E.isRight(metadata) && E.isLeft(metadata.right))
    }),
    { runs: 20 }
  )
})

test('preallocation gives every cluster a host cluster', () => {
  for (const preallocation of ['metadata', 'falloc', 'full'] as const)
    for (const geometry of [{ clusterBits: 9 }, { clusterBits: 14, extendedL2: true }]) {
      const parts: readonly Part[] = [
        { kind: 'zeros', n: 70, mark: 1 },
        { kind: 'data', n: 3, mark: 2 }
      ]
      const { files, wanted } = filled({ ...geometry, preallocation }, parts, false, nothing)
      assert.is(Buffer.compare(abstraction(files, traits).content, wanted), 0)
      assert.is(countsOf(files).allocatedClusters, 73)
    }
})

test('a disk without bytes has no L1 table', () => {
  for (const clusterBits of [9, 16]) {
    const { files } = filled({ clusterBits }, [], false, nothing)
    assert.is(exitCode(countsOf(files)), 0)
    assert.is(new DataView(files.image.buffer, files.image.byteOffset).getBigUint64(40), 0n)
  }
})

test('an impossible image is refused by its clause', () => {
  const clause = (options: CreateOptions): unknown => {
    const fill = SequentialImageWriter.of(options)
    return E.isLeft(fill) ? fill.left[0]?.clause : undefined
  }
  assert.is(clause({ size: 2 ** 40, clusterBits: 9 }), 'OPEN-19')
  assert.is(clause({ size: 512, clusterBits: 9, backing: { name: 'b'.repeat(500), format: 'raw' } }), 'CR-03')
  assert.is(clause({ size: 512, clusterBits: 8 }), 'OPEN-03')
})

test.run()
