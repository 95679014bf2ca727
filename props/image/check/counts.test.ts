/** Counts by host cluster are those of a plain map, however they came in. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { blockEntries } from '../../../src/format/geometry.js'
import { refcountBlock } from '../../../src/format/refcount.js'
import { RefcountView } from '../../../src/format/views.js'
import { Counts, pageSize } from '../../../src/image/check/counts.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'

const test = suite('counts')

const clusters = fc.oneof(
  fc.nat(20),
  fc.integer({ min: pageSize - 20, max: pageSize + 20 }),
  fc.integer({ min: 2 ** 31 - 20, max: 2 ** 31 + 20 })
)
const numbers = fc.oneof({ weight: 4, arbitrary: fc.nat(3) }, fc.integer({ min: 0xfffd, max: 0x1_0002 }))

const g = { clusterBits: 9, refcountOrder: 5 }
/** A block that starts with these counts; the others are 0. */
const block = (counts: readonly number[]): RefcountView =>
  new RefcountView(
    refcountBlock(g).encode(Array.from({ length: blockEntries(g) }, (_, i) => BigInt(counts[i] ?? 0))),
    g.refcountOrder
  )

type Step =
  | { readonly op: 'add'; readonly first: number; readonly n: number; readonly more: number }
  | { readonly op: 'set'; readonly cluster: number; readonly count: number }
  | { readonly op: 'load'; readonly first: number; readonly counts: readonly number[] }

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ op: fc.constant('add'), first: clusters, n: fc.nat(30), more: numbers }),
    fc.record({ op: fc.constant('set'), cluster: clusters, count: numbers }),
    fc.record({ op: fc.constant('load'), first: clusters, counts: fc.array(numbers, { minLength: 1, maxLength: 30 }) })
  )
)

const counted = (all: readonly Step[]): { readonly counts: Counts; readonly model: ReadonlyMap<number, number> } => {
  const counts = new Counts()
  const model = new Map<number, number>()
  const untouched = (s: Step): boolean =>
    s.op !== 'load' || Array.from({ length: blockEntries(g) }, (_, i) => s.first + i).every((c) => !model.has(c))
  for (const s of all) {
    if (!untouched(s)) continue
    if (s.op === 'add') {
      counts.add(s.first, s.n, s.more)
      for (let c = s.first; c < s.first + s.n; c++) model.set(c, (model.get(c) ?? 0) + s.more)
    } else if (s.op === 'set') {
      counts.set(s.cluster, s.count)
      model.set(s.cluster, s.count)
    } else {
      counts.load(s.first, block(s.counts))
      s.counts.forEach((count, i) => model.set(s.first + i, count))
    }
  }
  return { counts, model }
}

test('every cluster has the refcount of a Map, whether refcounts are set, added or loaded from a refcount block', () => {
  holds(
    fc.property(steps, (all) => {
      const { counts, model } = counted(all)
      for (const [cluster, count] of model) assert.is(counts.get(cluster), count, String(cluster))
      assert.is(counts.get(40_000), 0)
      const highest = Math.max(-1, ...[...model].filter(([, n]) => n > 0).map(([cluster]) => cluster))
      assert.ok(counts.length > highest)
    })
  )
})

test('the ones of a run are its clusters with count 1', () => {
  holds(
    fc.property(steps, clusters, fc.nat(50), (all, first, n) => {
      const { counts, model } = counted(all)
      const ones = [...model].filter(([cluster, count]) => cluster >= first && cluster < first + n && count === 1)
      assert.is(counts.ones(first, n), ones.length)
    })
  )
})

test('pages agree only where every count is equal and fits in 16 bits', () => {
  holds(
    fc.property(steps, clusters, numbers, (all, cluster, count) => {
      const { counts: a, model } = counted(all)
      const { counts: b } = counted(all)
      const small = [...model.values()].every((n) => n < 0xffff)
      const p = Math.floor(cluster / pageSize)
      if (small || a.page(p) === undefined) assert.ok(a.agrees(b, p))
      b.set(cluster, count)
      if (a.get(cluster) !== count) assert.not.ok(a.agrees(b, p))
      if (!small && a.page(p) !== undefined) assert.not.ok(a.agrees(b, p))
    })
  )
})

test.run()
