/** Views of tables equal the entry codecs at every index, and their numbers are those of the entries. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { concat, packBits } from '../../src/bytes/octets.js'
import { type Halves, Words } from '../../src/bytes/words.js'
import { bitmapCluster, bitmapTableEntry, bitmapTableFaults, bitmapTableRules } from '../../src/format/bitmap.js'
import { availableBytes } from '../../src/format/compressed.js'
import { blockEntries } from '../../src/format/geometry.js'
import { l1Entry, l1Faults, l1Rules } from '../../src/format/l1.js'
import { l2Faults, l2Rules, l2Sound } from '../../src/format/l2-rules.js'
import { l2Entry } from '../../src/format/l2-entry.js'
import { type L2Context, wordOfCluster } from '../../src/format/l2.js'
import { maxClusterBits, minClusterBits } from '../../src/format/limits.js'
import {
  refcountBlock,
  refcountTableEntry,
  refcountTableFaults,
  refcountTableRules
} from '../../src/format/refcount.js'
import {
  BitmapTableView,
  BitmapView,
  clusterKind,
  clusterKinds,
  L1View,
  L2View,
  RefcountTableView,
  RefcountView
} from '../../src/format/views.js'
import { anyBytes, l1Entries, l2Contexts, l2EntriesOf, type Structure } from '../arbitrary/index.js'
import { contextName } from '../arbitrary/l2.js'
import { noise } from '../../src/fuzz/noise.js'
import { octets } from '../arbitrary/octets.js'
import { bitmapTableEntries, refcountTableEntries } from '../arbitrary/index.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { same, valueOf } from './laws.js'
import { bytesOfWords } from './words.js'

const test = suite('views')

/** Tables of whole entries: of values, damaged or not, and of noise. */
const tableOf = <A>(s: Structure<A>, size: number): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.oneof(
        s.anyValue.map((a) => s.type.encode(a)),
        anyBytes(s)
      ),
      { minLength: 1, maxLength: 8 }
    )
    .map((parts) => concat([...parts.filter((part) => part.length === size), noise(parts.length, size)]))

/** The table where it does not start at the start of its buffer. */
const displaced = (bytes: Uint8Array): Uint8Array => concat([new Uint8Array(3), bytes]).subarray(3)

test('words are read as two halves or as a whole, and an odd tail is left out', () => {
  holds(
    fc.property(octets(44), (bytes) => {
      const words = new Words(displaced(bytes))
      assert.is(words.length, 5)
      for (let i = 0; i < 5; i++) {
        const word = bytes.subarray(8 * i, 8 * i + 8).reduce((n, b) => n * 256n + BigInt(b), 0n)
        assert.is(words.at(i), word)
        same([BigInt(words.hi(i)), BigInt(words.lo(i))], [word >> 32n, word & 0xffff_ffffn])
      }
    })
  )
})

test('steps count the words that go on by one step in the same upper half', () => {
  const start = fc.constantFrom(0n, 0x8000_0000_0001_0000n, 0x1_ffff_8000n, 0x1_ffff_fe00n)
  const moves = fc.array(fc.constantFrom(0n, 512n, 512n, 512n, 65_536n, 0x1_0000_0200n), { maxLength: 20 })
  holds(
    fc.property(start, moves, fc.constantFrom(0, 512, 65_536), fc.nat(21), (first, by, step, end) => {
      const all = by.reduce<readonly bigint[]>((done, move) => [...done, (done.at(-1) ?? 0n) + move], [first])
      const words = new Words(bytesOfWords(all))
      const last = Math.min(all.length, Math.max(1, end))
      const goesOn = (word: bigint, n: number): boolean =>
        word === first + BigInt(n * step) && word >> 32n === first >> 32n
      const stop = all.slice(0, last).findIndex((word, n) => !goesOn(word, n))
      assert.is(words.steps(0, last, step), stop < 0 ? last : stop)
    })
  )
})

test('an L1 view is the entry codec at every index', () => {
  holds(
    fc.property(tableOf(l1Entries, 8), (bytes) => {
      const view = new L1View(displaced(bytes))
      assert.is(view.length, bytes.length / 8)
      for (let i = 0; i < view.length; i++) {
        const entry = valueOf(l1Entry, bytes.subarray(8 * i))
        same(view.entry(i), entry)
        assert.is(BigInt(view.l2TableOffset(i)), entry.l2TableOffset)
        assert.is(view.copied(i), entry.copied)
        assert.is(view.isZero(i), view.words.at(i) === 0n)
      }
    })
  )
})

test('an L2 view is the entry codec at every index, in every context', () => {
  for (const ctx of l2Contexts) {
    const size = ctx.extendedL2 ? 16 : 8
    holds(
      fc.property(fc.constant(contextName(ctx)), tableOf(l2EntriesOf(ctx), size), (_, bytes) => {
        const view = new L2View(displaced(bytes), ctx)
        assert.is(view.length, bytes.length / size)
        for (let i = 0; i < view.length; i++) {
          const entry = valueOf(l2Entry(ctx), bytes.subarray(size * i))
          same(view.entry(i), entry)
          assert.is(clusterKinds[view.kind(i)], entry._tag)
          assert.is(view.copied(i), entry.copied)
          assert.is(
            view.isZero(i),
            bytes.subarray(size * i, size * (i + 1)).every((b) => b === 0)
          )
          if (entry._tag === 'Compressed') {
            assert.is(view.additionalSectors(i), entry.additionalSectors)
            assert.is(view.availableBytes(i), availableBytes(entry))
            if (entry.hostOffset < 2n ** 53n) assert.is(BigInt(view.hostOffset(i)), entry.hostOffset)
            else assert.ok(view.hostOffset(i) >= 2 ** 53)
          } else {
            const offset = 'hostClusterOffset' in entry ? entry.hostClusterOffset : 0n
            assert.is(BigInt(view.hostClusterOffset(i)), offset)
          }
          if (entry.subclusters !== undefined)
            same(entry.subclusters, { allocated: view.allocated(i), zeros: view.zeros(i) })
        }
      }),
      { runs: 25 }
    )
  }
})

/** Whether a word has none of these bits. */
const clear = (words: Words, i: number, mask: Halves): boolean =>
  (words.hi(i) & mask.hi) === 0 && (words.lo(i) & mask.lo) === 0

const sizes = fc.integer({ min: minClusterBits, max: maxClusterBits })

test('the fault mask of a table entry has a bit in common with it if and only if the entry breaks a rule', () => {
  holds(
    fc.property(tableOf(l1Entries, 8), sizes, (bytes, clusterBits) => {
      const view = new L1View(bytes)
      for (let i = 0; i < view.length; i++)
        assert.is(
          clear(view.words, i, l1Faults(clusterBits)),
          l1Rules.judge(view.entry(i), { clusterBits }).length === 0
        )
    })
  )
  holds(
    fc.property(tableOf(refcountTableEntries, 8), sizes, (bytes, clusterBits) => {
      const view = new RefcountTableView(bytes)
      for (let i = 0; i < view.length; i++)
        assert.is(
          clear(view.words, i, refcountTableFaults(clusterBits)),
          refcountTableRules.judge(view.entry(i), { clusterBits }).length === 0
        )
    })
  )
  holds(
    fc.property(tableOf(bitmapTableEntries, 8), sizes, (bytes, clusterBits) => {
      const view = new BitmapTableView(bytes)
      for (let i = 0; i < view.length; i++) {
        const sound = clear(view.words, i, bitmapTableFaults(clusterBits))
        const one = view.clusterOffset(i) === 0 || !view.allOnes(i)
        assert.is(sound && one, bitmapTableRules.judge(view.entry(i), { clusterBits }).length === 0)
      }
    })
  )
})

test('an L2 entry with an offset has no bit of the fault mask if and only if it is normal and its descriptor breaks no rule', () => {
  for (const ctx of l2Contexts) {
    const size = ctx.extendedL2 ? 16 : 8
    holds(
      fc.property(fc.constant(contextName(ctx)), tableOf(l2EntriesOf(ctx), size), (_, bytes) => {
        const view = new L2View(bytes, ctx)
        for (let i = 0; i < view.length; i++) {
          if (view.hostClusterOffset(i) === 0) continue
          const { subclusters: _bitmap, ...entry } = view.entry(i)
          assert.is(
            clear(view.words, (i * size) / 8, l2Faults(ctx.clusterBits)),
            entry._tag === 'Normal' && l2Rules.judge(entry, ctx).length === 0
          )
        }
      }),
      { runs: 25 }
    )
  }
})

test('an L2 entry with an offset is sound if and only if it is normal and breaks no rule', () => {
  for (const ctx of l2Contexts) {
    const isSound = l2Sound(ctx)
    holds(
      fc.property(fc.constant(contextName(ctx)), tableOf(l2EntriesOf(ctx), ctx.extendedL2 ? 16 : 8), (_, bytes) => {
        const view = new L2View(bytes, ctx)
        for (let i = 0; i < view.length; i++) {
          const entry = view.entry(i)
          const isPlaced = entry._tag === 'Normal' && entry.hostClusterOffset !== 0n
          assert.is(isSound(view, i), isPlaced && l2Rules.allows(entry, ctx))
        }
      }),
      { runs: 25 }
    )
  }
})

/** Bitmaps of subclusters that are alike, and others. */
const bitmapWords = fc.constantFrom(0n, 0xffff_ffffn, 0xffff_ffff_0000_0000n, 0xffff_ffff_ffff_ffffn, 1n, 0x0fff_ffffn)

/**
 * Tables that go on as they began: a descriptor, then as many more as are drawn, each a step further on or not, and the
 * bitmap of all of them.
 */
const steady = (ctx: L2Context): fc.Arbitrary<Uint8Array> =>
  fc
    .array(
      fc.tuple(l2EntriesOf({ ...ctx, extendedL2: false }).anyValue, fc.nat({ max: 3 }), fc.boolean(), bitmapWords),
      { maxLength: 4 }
    )
    .map((parts) =>
      bytesOfWords(
        parts.flatMap(([entry, more, moves, bitmap]) => {
          const step = moves ? 2n ** BigInt(ctx.clusterBits) : 0n
          const first = wordOfCluster(entry, ctx)
          const words = Array.from({ length: 1 + more }, (_, k) => BigInt.asUintN(64, first + BigInt(k) * step))
          return ctx.extendedL2 ? words.flatMap((word) => [word, bitmap]) : words
        })
      )
    )

test('a run goes on as its first entry does: of the same kind, without a host cluster or with the next one', () => {
  for (const ctx of l2Contexts) {
    const type = l2Entry(ctx)
    holds(
      fc.property(fc.constant(contextName(ctx)), steady(ctx), (_, bytes) => {
        const view = new L2View(bytes, ctx)
        for (let i = 0; i < view.length; i++) {
          const n = view.run(i, view.length)
          const first = view.entry(i)
          assert.ok(n >= 1 && n <= view.length - i)
          assert.is(view.run(i, i + 1), 1)
          for (let k = 1; k < n; k++) {
            const expected =
              'hostClusterOffset' in first
                ? { ...first, hostClusterOffset: first.hostClusterOffset + BigInt(k) * 2n ** BigInt(ctx.clusterBits) }
                : first
            same(valueOf(type, bytes.subarray((ctx.extendedL2 ? 16 : 8) * (i + k))), expected)
          }
        }
      }),
      { runs: 15 }
    )
  }
})

test('a run is as long as it can be', () => {
  const ctx = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false }
  const words = [0x50000n, 0x60000n, 0x70000n, 0x90000n, 1n, 1n, 0n, 0n, 0n, 0x50001n, 0x60001n, 0x70000n]
  const view = new L2View(bytesOfWords(words), ctx)
  same(
    words.map((_, i) => view.run(i, words.length)),
    [3, 2, 1, 1, 2, 1, 3, 2, 1, 2, 1, 1]
  )
  assert.is(view.run(6, 8), 2)
})

test('a run of extended entries has subclusters that are all alike', () => {
  const ctx = { version: 3, clusterBits: 16, extendedL2: true, externalDataFile: false }
  const [data, zeros] = [0xffff_ffffn, 0xffff_ffff_0000_0000n]
  const mixed = [0x1_0000n, 1n, 0x2_0000n, 1n]
  const rows = [0x5_0000n, data, 0x6_0000n, data, 0x7_0000n, 0n, 0x8_0000n, 0n, 0n, zeros, 0n, zeros, 0n, 0n, ...mixed]
  const view = new L2View(bytesOfWords(rows), ctx)
  same(
    Array.from({ length: view.length }, (_, i) => view.run(i, view.length)),
    [2, 1, 2, 1, 2, 1, 1, 1, 1]
  )
})

test('in an external data file offset 0 is a host cluster, and the next one follows it', () => {
  const ctx = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: true }
  const copied = 1n << 63n
  const words = [0n, 0x10000n, 0x20000n, 0n, 0n].map((offset) => copied | offset)
  const view = new L2View(bytesOfWords(words), ctx)
  same(
    words.map((_, i) => view.run(i, words.length)),
    [3, 2, 1, 1, 1]
  )
})

test('the kinds of clusters are numbered in the order of their names', () => {
  same(
    Object.entries(clusterKind).map(([tag, n]) => clusterKinds[n] === tag),
    clusterKinds.map(() => true)
  )
})

test('a view of a refcount table is the entry codec at every index', () => {
  holds(
    fc.property(tableOf(refcountTableEntries, 8), (bytes) => {
      const view = new RefcountTableView(displaced(bytes))
      assert.is(view.length, bytes.length / 8)
      for (let i = 0; i < view.length; i++) {
        const entry = valueOf(refcountTableEntry, bytes.subarray(8 * i))
        same(view.entry(i), entry)
        assert.is(view.refcountBlockOffset(i), Number(entry.refcountBlockOffset))
        assert.is(view.refcountBlockOffset(i) === 0, entry.refcountBlockOffset === 0n)
      }
    })
  )
})

test('a view of a refcount block is the block codec at every index, in every width', () => {
  for (let refcountOrder = 0; refcountOrder <= 6; refcountOrder++) {
    const g = { clusterBits: 9, refcountOrder }
    holds(
      fc.property(octets(512), (bytes) => {
        const view = new RefcountView(displaced(bytes), refcountOrder)
        assert.is(view.length, blockEntries(g))
        for (const [i, count] of valueOf(refcountBlock(g), bytes).entries()) {
          assert.is(view.entry(i), count)
          if (count < 2n ** 53n) assert.is(BigInt(view.count(i)), count)
          else assert.ok(view.count(i) >= 2 ** 53)
        }
      }),
      { runs: 10 }
    )
  }
})

test('a view of a bitmap table is the entry codec at every index', () => {
  holds(
    fc.property(tableOf(bitmapTableEntries, 8), (bytes) => {
      const view = new BitmapTableView(displaced(bytes))
      assert.is(view.length, bytes.length / 8)
      for (let i = 0; i < view.length; i++) {
        const entry = valueOf(bitmapTableEntry, bytes.subarray(8 * i))
        same(view.entry(i), entry)
        same([BigInt(view.clusterOffset(i)), view.allOnes(i)], [entry.clusterOffset, entry.allOnes])
      }
    })
  )
})

test('a view of bitmap data is the cluster codec at every bit', () => {
  holds(
    fc.property(octets(512), (bytes) => {
      const view = new BitmapView(displaced(bytes))
      const bits = valueOf(bitmapCluster(9), bytes)
      assert.is(view.length, bits.length)
      for (const [i, bit] of bits.entries()) assert.is(view.bit(i), bit)
    }),
    { runs: 10 }
  )
})

test('a run of bitmap data goes on as long as the bits are alike, from any bit to any end', () => {
  const stretches = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 12 })
  holds(
    fc.property(stretches, fc.nat(), fc.nat(), (drawn, from, to) => {
      const bits = drawn.flatMap(([bit, n]) => Array.from({ length: n }, () => bit))
      const view = new BitmapView(packBits(bits))
      const i = from % bits.length
      const end = i + 1 + (to % (bits.length - i))
      const other = bits.findIndex((bit, k) => k > i && bit !== bits[i])
      assert.is(view.run(i, end), Math.min(other < 0 ? end : other, end) - i)
    }),
    { runs: 1000 }
  )
})

test.run()
