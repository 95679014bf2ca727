/** Crashes: at every point where the power may fail, and whatever reaches the disk, the image keeps its promises. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { crashStates, type Effort, type Model } from '../../../src/store/crash.js'
import { epochsOf } from '../../../src/store/epoch.js'
import { flushesOf } from '../../../src/store/reorder.js'
import { arbitraryScript } from '../../arbitrary/script.js'
import { minimalShapes } from '../../arbitrary/shape.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { both, crashes, nobody, type Seen, stretchesOf } from './crash.js'
import { judge, judging } from '../../../src/crash/judge.js'
import { record } from '../model/recording.js'

const test = suite('crashes')

/** Scripts that are explored in each model, and how far. */
const plans: readonly (readonly [model: Model, scripts: number, effort: Effort])[] = [
  ['P0', 160, { exhaustive: 4096, sample: 256, seed: 1 }],
  ['P1', 160, { exhaustive: 512, sample: 64, seed: 2 }],
  ['P2', 160, { exhaustive: 512, sample: 64, seed: 3 }],
  ['P3', 600, { exhaustive: 1024, sample: 64, seed: 4 }]
]

const line = (model: Model, scripts: number, s: Seen): string =>
  `${model}: ${scripts} scripts, ${s.epochs} epochs, ${s.states} distinct states, ${s.leaking} with leaks, ${s.repaired} repaired, ${s.referred} by the reference too, ${s.violations} violations`

for (const [model, scripts, effort] of plans)
  test(`${model}: no state breaks a promise`, () => {
    const all = { seen: nobody }
    const start = performance.now()
    holds(
      fc.property(fc.constantFrom(...minimalShapes), arbitraryScript(4, 10), (shape, moves) => {
        const seen = crashes(model, record(shape, moves), effort)
        all.seen = both(all.seen, seen)
        assert.is(seen.first, undefined)
      }),
      { runs: scripts }
    )
    const seconds = (performance.now() - start) / 1000
    note(`${line(model, scripts, all.seen)}, ${Math.round(all.seen.states / seconds)} states a second`)
  })

test('P2: no state breaks a promise where writes become durable in groups', () => {
  const all = { seen: nobody, flushes: 0, grouped: 0 }
  holds(
    fc.property(fc.constantFrom(...minimalShapes), arbitraryScript(4, 10), (shape, moves) => {
      const recording = record(shape, moves, { grouped: true })
      const seen = crashes('P2', recording, { exhaustive: 512, sample: 64, seed: 6 })
      all.flushes += flushesOf(record(shape, moves).writes).length
      all.grouped += flushesOf(recording.writes).length
      all.seen = both(all.seen, seen)
      assert.is(seen.first, undefined)
    }),
    { runs: 160 }
  )
  note(`grouped, ${all.grouped} flushes for ${all.flushes}: ${line('P2', 160, all.seen)}`)
})

test('the verdict on a crash state does not depend on the states judged before', () => {
  const seen = { states: 0, broken: 0 }
  holds(
    fc.property(fc.constantFrom(...minimalShapes), arbitraryScript(4, 10), (shape, moves) => {
      const recording = record(shape, moves)
      for (const model of ['P3', 'P4'] as const)
        for (const { epoch, promised } of stretchesOf(model, recording)) {
          const together = judging(promised)
          for (const { files } of crashStates(model, epoch, { exhaustive: 16, sample: 4, seed: 7 })) {
            const alone = judge(files, promised)
            assert.equal(together(files), alone)
            seen.states++
            if (alone.broken !== undefined) seen.broken++
          }
        }
    }),
    { runs: 10 }
  )
  note(`${seen.states} states judged twice, ${seen.broken} of them broken`)
})

test('P4: without flushes, promises are broken', () => {
  const scripts = fc.sample(fc.tuple(fc.constantFrom(...minimalShapes), arbitraryScript(6, 10)), {
    numRuns: 40,
    seed: 1
  })
  const found = scripts.map(([shape, moves]) => {
    const recording = record(shape, moves)
    return { recording, seen: crashes('P4', recording, { exhaustive: 4096, sample: 512, seed: 5 }) }
  })
  const several = found.filter(
    ({ recording: { before, writes } }) => epochsOf(before, writes).filter((e) => e.cells.length > 0).length > 1
  )
  const broken = several.filter(({ seen }) => seen.violations > 0)
  note(
    `${line(
      'P4',
      several.length,
      several.reduce((s, f) => both(s, f.seen), nobody)
    )}, in ${broken.length} scripts`
  )
  assert.is(broken.length, several.length)
})

test.run()
