/**
 * `npm run crash -- --minutes 10 [--seed N]`: explores the crash states of random scripts until the time is up.
 *
 * Each script runs under every model, on any geometry with clusters of up to 16 KiB, and without its flushes as control. At
 * the first violation it prints the command that replays it and ends with exit code 1.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import type { Effort, Model } from '../../src/store/crash.js'
import { arbitraryScript } from '../arbitrary/script.js'
import { arbitraryShape, minimalShapes } from '../arbitrary/shape.js'
import { both, crashes, nobody, type Seen } from '../transition/crash/crash.js'
import { inWords } from '../transition/model/script-text.js'
import { record } from '../transition/model/recording.js'

const { values } = parseArgs({ options: { minutes: { type: 'string' }, seed: { type: 'string' } } })
const minutes = Number(values.minutes ?? 1)
const start = performance.now()
/** Larger clusters are slower and reach nothing more. */
const mostBits = 14
const models = ['P0', 'P1', 'P2', 'P3'] as const
const scripts = fc.tuple(
  fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom(...minimalShapes) },
    arbitraryShape.filter(({ options }) => (options.clusterBits ?? 16) <= mostBits)
  ),
  arbitraryScript(2, 14)
)

const seen = new Map<Model, { scripts: number; seen: Seen }>()
const add = (model: Model, one: Seen): void => {
  const sum = seen.get(model) ?? { scripts: 0, seen: nobody }
  seen.set(model, { scripts: sum.scripts + 1, seen: both(sum.seen, one) })
}

const explore = (seed: number): void => {
  const effort: Effort = { exhaustive: 1024, sample: 64, seed }
  for (const [shape, moves] of fc.sample(scripts, { numRuns: 1, seed })) {
    const recording = record(shape, moves, { grouped: seed % 4 === 0 })
    for (const model of models) {
      const one = crashes(model, recording, effort)
      add(model, one)
      if (one.first === undefined) continue
      console.log(`${model}: ${one.first}\n${JSON.stringify(shape)}\n${recording.commands.map(inWords).join('\n')}`)
      console.log(`replay: npm run crash -- --minutes 0 --seed ${seed}`)
      process.exitCode = 1
    }
    add('P4', crashes('P4', recording, { exhaustive: 64, sample: 16, seed }, true))
  }
}

let seed = Number(values.seed ?? 1)
do explore(seed++)
while (process.exitCode !== 1 && performance.now() - start < minutes * 60_000)

const seconds = (performance.now() - start) / 1000
for (const [model, { scripts: n, seen: s }] of seen)
  console.log(
    model === 'P4'
      ? `${model}, the control: ${s.violations} of ${n} scripts break without their flushes`
      : `${model}: ${n} scripts, ${s.epochs} epochs, ${s.states} distinct states, ${s.leaking} with leaks, ${s.repaired} repaired, ${s.referred} by the reference too, ${s.violations} violations`
  )
const states = models.reduce((sum, model) => sum + (seen.get(model)?.seen.states ?? 0), 0)
console.log(`${states} states in ${Math.round(seconds)} s, ${Math.round(states / seconds)} a second`)
