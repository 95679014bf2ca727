/** L2 entries: what each is, in every context. */
import { inspect } from 'node:util'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { compressedBits } from '../../src/format/compressed.js'
import { offsetBits } from '../../src/format/geometry.js'
import { l2Entry } from '../../src/format/l2-entry.js'
import { type Cluster, clusterOfWord, type L2Context, wordOfCluster } from '../../src/format/l2.js'
import { contextName } from '../arbitrary/l2.js'
import { l2Contexts, l2Entries } from '../arbitrary/index.js'
import { numbers } from '../arbitrary/number.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { laws, same, sameBytes, valueOf } from './laws.js'
import { bytesIn } from './notation.js'

const test = suite('l2')

laws(test, 'L2 entry', l2Entries, 10)

const words = numbers(0n, 2n ** 64n - 1n)
const bit = (n: number): bigint => 1n << BigInt(n)
const isSet = (word: bigint, n: number): boolean => (word & bit(n)) !== 0n

/** The type of an entry, by the table of the format read from top to bottom. */
const tagOf = (word: bigint, ctx: L2Context): Cluster['_tag'] => {
  const offset = word & 0x00ff_ffff_ffff_fe00n
  if (isSet(word, 62)) return 'Compressed'
  if (isSet(word, 0) && !ctx.extendedL2) return offset === 0n ? 'ZeroPlain' : 'ZeroAllocated'
  return offset === 0n && !(ctx.externalDataFile && isSet(word, 63)) ? 'Unallocated' : 'Normal'
}

/** Words in which each bit that a type depends on is as often set as not. */
const telling = fc.tuple(words, fc.boolean(), fc.subarray([0, 62, 63])).map(([word, placed, set]) => {
  const kept = word & ~(bit(0) | bit(62) | bit(63)) & (placed ? ~0n : ~0x00ff_ffff_ffff_fe00n)
  return set.reduce((out, n) => out | bit(n), kept)
})

test('the type of an entry is the first whose test holds: compressed, zero, unallocated, normal', () => {
  for (const ctx of l2Contexts)
    holds(
      fc.property(fc.constant(contextName(ctx)), telling, (_, word) => {
        const cluster = clusterOfWord(word, ctx)
        assert.is(cluster._tag, tagOf(word, ctx))
        if (cluster._tag !== 'Compressed') assert.is(cluster.copied, isSet(word, 63))
        if (cluster._tag === 'Normal' || cluster._tag === 'ZeroAllocated')
          assert.is(cluster.hostClusterOffset, word & 0x00ff_ffff_ffff_fe00n)
        assert.is(wordOfCluster(cluster, ctx), word)
      }),
      { runs: 20 }
    )
})

test('bit 0 of a compressed descriptor is an address bit, not the zero flag', () => {
  for (const ctx of l2Contexts)
    same(clusterOfWord(bit(62) | 1n, ctx), {
      _tag: 'Compressed',
      hostOffset: 1n,
      additionalSectors: 0,
      copied: false
    })
})

test('a compressed descriptor is cut at 70 - cluster_bits in every context', () => {
  for (const ctx of l2Contexts)
    holds(
      fc.property(fc.constant(contextName(ctx)), words, (_, word) => {
        const cluster = clusterOfWord(word | bit(62), ctx)
        const x = BigInt(70 - ctx.clusterBits)
        assert.is(offsetBits(ctx.clusterBits), Number(x))
        if (cluster._tag !== 'Compressed') throw new Error(`is ${cluster._tag}`)
        assert.is(cluster.hostOffset, word & ((1n << x) - 1n))
        assert.is(BigInt(cluster.additionalSectors), (word >> x) & (bit(ctx.clusterBits - 8) - 1n))
        assert.is(cluster.copied, isSet(word, 63))
        assert.is(compressedBits(ctx.clusterBits).reservedMask, 0n)
      }),
      { runs: 10 }
    )
})

test('offset 0 with COPIED is allocated in an external data file, and nowhere else', () => {
  for (const ctx of l2Contexts)
    assert.is(clusterOfWord(bit(63), ctx)._tag, ctx.externalDataFile ? 'Normal' : 'Unallocated', contextName(ctx))
})

test('reserved bits change nothing but themselves', () => {
  for (const ctx of l2Contexts)
    for (const n of [...(ctx.extendedL2 ? [0] : []), 1, 2, 3, 4, 5, 6, 7, 8, 56, 57, 58, 59, 60, 61])
      for (const word of [0n, 0x8000_0000_0020_0000n]) {
        const before = clusterOfWord(word, ctx)
        same(clusterOfWord(word | bit(n), ctx), { ...before, reserved: bit(n) }, contextName(ctx))
      }
})

test('the first four bytes of a subcluster bitmap are the zero half, the last four the allocation half', () => {
  const ctx: L2Context = { version: 3, clusterBits: 16, extendedL2: true, externalDataFile: false }
  const bytes = bytesIn('8000000000050000 0000003000000005')
  const entry = valueOf(l2Entry(ctx), bytes)
  same(entry.subclusters, { allocated: 0b101, zeros: 0b110000 })
  sameBytes(l2Entry(ctx).encode(entry), bytes)
})

test('an entry has subclusters if and only if its image has extended L2 entries', () => {
  for (const ctx of l2Contexts) {
    const other = { ...ctx, extendedL2: !ctx.extendedL2 }
    const entry = valueOf(l2Entry(ctx), new Uint8Array(16))
    assert.is(l2Entry(ctx).is(entry), true)
    assert.is(l2Entry(other).is(entry), false)
  }
})

test('a value that would need the bits of another kind of cluster is no entry', () => {
  const type = l2Entry({ version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false })
  const flags = { copied: false, reserved: 0n }
  assert.ok(type.is({ _tag: 'Normal', hostClusterOffset: 0x50000n, ...flags }))
  for (const u of [
    { _tag: 'Normal', hostClusterOffset: 0n, ...flags },
    { _tag: 'Normal', hostClusterOffset: 0x50001n, ...flags },
    { _tag: 'Normal', hostClusterOffset: bit(56), ...flags },
    { _tag: 'ZeroAllocated', hostClusterOffset: 0n, ...flags },
    { _tag: 'Unallocated', copied: false, reserved: 1n },
    { _tag: 'Unallocated', copied: false, reserved: bit(9) },
    { _tag: 'Unallocated', copied: false, reserved: bit(62) },
    { _tag: 'Unallocated', copied: false, reserved: bit(63) },
    { _tag: 'Compressed', hostOffset: bit(54), additionalSectors: 0, copied: false },
    { _tag: 'Compressed', hostOffset: 0n, additionalSectors: 256, copied: false },
    { _tag: 'Compressed', hostOffset: -1n, additionalSectors: 0, copied: false },
    { _tag: 'Other' },
    {},
    null,
    undefined,
    0
  ])
    assert.is(type.is(u), false, inspect(u))
})

test.run()
