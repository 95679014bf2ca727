/**
 * `npm run crash -- --minutes 10 [--scripts N] [--seed N]`: explores the crash states of random scripts until the time is up, or
 * so many have been explored. Takes `--shard k/n`, `--output json` and `--merge FILE...`.
 *
 * Each script runs under every model, on any geometry with clusters of up to 16 KiB, and without its flushes as control. At
 * the first violation it prints the command that replays it and ends with exit code 1.
 */
import fc from 'fast-check'
import type { Effort } from '../../src/store/crash.js'
import { numbersOf } from '../../src/node/fuzz/shard.js'
import { arbitraryScript } from '../arbitrary/script.js'
import { arbitraryShape, minimalShapes } from '../arbitrary/shape.js'
import { added, commandLine, type Counts, type Find, type Outcome, wholeNumber } from '../run/campaign.js'
import { crashes, type Seen } from '../transition/crash/crash.js'
import { promiseOf } from '../../src/crash/explore.js'
import { inWords } from '../transition/model/script-text.js'
import { record } from '../transition/model/recording.js'

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

const countsOf = ({ first: _, ...seen }: Seen): Readonly<Record<string, number>> => ({ scripts: 1, ...seen })

/** Explores the script of a seed. */
const explore = (seed: number): { readonly counts: Counts; readonly finds: readonly Find[] } => {
  const effort: Effort = { exhaustive: 1024, sample: 64, seed }
  const [[shape, moves] = [{ options: { size: 512 }, backing: 0 }, []]] = fc.sample(scripts, { numRuns: 1, seed })
  const recording = record(shape, moves, { grouped: seed % 4 === 0 })
  const seen = models.map((model) => [model, crashes(model, recording, effort)] as const)
  const control = crashes('P4', recording, { exhaustive: 64, sample: 16, seed }, true)
  return {
    counts: Object.fromEntries([...seen, ['P4', control] as const].map(([model, one]) => [model, countsOf(one)])),
    finds: seen.flatMap(([model, { first }]) =>
      first === undefined
        ? []
        : [
            {
              kind: `${model}: ${promiseOf(first)}`,
              count: 1,
              size: moves.length,
              lines: [
                first,
                JSON.stringify(shape),
                ...recording.commands.map(inWords),
                `replay: npm run crash -- --scripts 1 --seed ${seed}`
              ]
            }
          ]
    )
  }
}

const text = ({ counts }: Outcome): readonly string[] => {
  const { time, ...byModel } = counts
  const states = models.reduce((sum, model) => sum + (byModel[model]?.['states'] ?? 0), 0)
  const seconds = (time?.['milliseconds'] ?? 0) / 1000
  return [
    ...Object.entries(byModel).map(([model, s]) =>
      model === 'P4'
        ? `${model}, the control: ${s['violations'] ?? 0} of ${s['scripts'] ?? 0} scripts break without their flushes`
        : `${model}: ${s['scripts'] ?? 0} scripts, ${s['epochs'] ?? 0} epochs, ${s['states'] ?? 0} distinct states, ${s['leaking'] ?? 0} with leaks, ${s['repaired'] ?? 0} repaired, ${s['referred'] ?? 0} by the reference too, ${s['violations'] ?? 0} violations`
    ),
    `${states} states in ${Math.round(seconds)} s, ${Math.round(states / Math.max(seconds, 0.001))} a second`
  ]
}

process.exitCode = await commandLine(
  {
    name: 'crash',
    options: { minutes: undefined, scripts: undefined, seed: '1' },
    fails: true,
    text,
    run: (shard, { minutes, scripts: most, seed }) => {
      const start = performance.now()
      const end = start + 60_000 * (minutes === undefined ? (most === undefined ? 1 : Infinity) : Number(minutes))
      const count = most === undefined ? Infinity : wholeNumber('scripts', most, 1)
      let counts: Counts = {}
      let finds: readonly Find[] = []
      for (const number of numbersOf(shard, count)) {
        const one = explore(wholeNumber('seed', seed, 0) + number)
        counts = added(counts, one.counts)
        finds = one.finds
        if (finds.length > 0 || performance.now() > end) break
      }
      const time = { milliseconds: Math.round(performance.now() - start) }
      return Promise.resolve({ counts: { ...counts, time }, finds })
    }
  },
  process.argv.slice(2)
)
