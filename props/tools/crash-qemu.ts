/**
 * `npm run crash:qemu [-- --scripts N] [--seed S]`: explores the crash states of QEMU. Takes `--shard k/n`, `--output json` and
 * `--merge FILE...`.
 *
 * qemu-io and qemu-img perform random scripts with a log of every write and flush; then the power fails at every point.
 * Prints the states and their violations, and the shortest script for each kind of violation.
 */
import fc from 'fast-check'
import type { Effort, Model } from '../../src/store/crash.js'
import { arbitraryScript, type Move } from '../arbitrary/script.js'
import { minimalShapes, type Shape } from '../arbitrary/shape.js'
import { qemu } from '../run/qemu.js'
import { added, commandLine, type Outcome, ownOf, wholeNumber } from '../run/campaign.js'
import { linesOf } from '../qemu-crash/report.js'
import { Disagreement, recordQemu } from '../qemu-crash/record.js'
import { exploreIn, kindOf, shortest, type Tally, violationIn } from '../qemu-crash/search.js'
import type { Recording } from '../transition/model/recording.js'

const models = ['P2', 'P4'] as const
const effort: Effort = { exhaustive: 512, sample: 64, seed: 1 }

/** Images by qemu-img's defaults, with lazy refcounts, and of version 2 with a backing file. */
const usual: readonly Shape[] = [
  { options: { size: 2 ** 19 }, backing: 0 },
  { options: { size: 2 ** 19, lazyRefcounts: true }, backing: 0 },
  { options: { size: 2 ** 19, version: 2 }, backing: 300_000 }
]

const scripts = (numRuns: number, seed: number) =>
  fc.sample(
    fc.tuple(
      fc.constantFrom(...minimalShapes.filter(({ options }) => options.dataFile === undefined), ...usual),
      arbitraryScript(4, 12).map((moves) => moves.filter(({ kind }) => !kind.startsWith('Bitmap')))
    ),
    { numRuns, seed }
  )

const recorded = (shape: Shape, moves: readonly Move[]): Recording | undefined => {
  try {
    return recordQemu(shape, moves)
  } catch (error) {
    if (error instanceof Disagreement) return undefined
    throw error
  }
}

const countsOf = (tally: Tally): Readonly<Record<string, number>> => ({
  scripts: 1,
  breaking: tally.violations > 0 ? 1 : 0,
  ...tally
})

/** Explores a script: its figures, and the shortest one of the kind of violation that it shows. */
const explore = ([shape, moves]: readonly [Shape, readonly Move[]]): Outcome => {
  const recording = recorded(shape, moves)
  if (recording === undefined) return { counts: { all: { left: 1 } }, finds: [] }
  const counts = Object.fromEntries(
    models.map((model) => [model, countsOf(exploreIn(model, recording, effort, false).tally)])
  )
  const violation = violationIn(recording, effort)
  if (violation === undefined) return { counts, finds: [] }
  const found = shortest({ shape, moves, recording, violation }, effort)
  return { counts, finds: [{ kind: kindOf(found), count: 1, size: found.moves.length, lines: linesOf(found) }] }
}

const sumText = (model: Model, s: Readonly<Record<string, number>> = {}): string =>
  `${model}: ${s['scripts'] ?? 0} scripts, ${s['epochs'] ?? 0} epochs, ${s['states'] ?? 0} distinct states, ${s['leaking'] ?? 0} with leaks, ${s['repaired'] ?? 0} dirty ones repaired by qemu-img, ${s['violations'] ?? 0} violations in ${s['breaking'] ?? 0} scripts`

process.exitCode = await commandLine(
  {
    name: 'crash:qemu',
    options: { scripts: '200', seed: '1' },
    fails: false,
    run: (shard, { scripts: wanted, seed }) => {
      if (qemu === undefined) throw new Error('there is no qemu-img on the PATH')
      const all = scripts(wholeNumber('scripts', wanted, 1), wholeNumber('seed', seed, 0))
      const own = ownOf(all, shard).map(explore)
      const counts = own.map((one) => one.counts).reduce(added, {})
      return Promise.resolve({ counts, finds: own.flatMap(({ finds }) => finds) })
    },
    text: ({ counts }) => [
      qemu ?? '',
      sumText('P2', counts['P2']),
      `${sumText('P4', counts['P4'])}, the control, in which flushes are ignored`,
      `${counts['all']?.['left'] ?? 0} scripts left out: QEMU and the abstract disk differ`
    ]
  },
  process.argv.slice(2)
)
