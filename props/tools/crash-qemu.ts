/**
 * `npm run crash:qemu [-- --scripts N] [--seed S]`: explores the crash states of QEMU.
 *
 * qemu-io and qemu-img perform random scripts with a log of every write and flush; then the power fails at every point.
 * Prints the states and their violations, and the shortest script for each kind of violation.
 */
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import type { Effort, Model } from '../../src/store/crash.js'
import { arbitraryScript, type Move } from '../arbitrary/script.js'
import { minimalShapes, type Shape } from '../arbitrary/shape.js'
import { qemu } from '../run/qemu.js'
import { linesOf } from '../qemu-crash/report.js'
import { Disagreement, recordQemu } from '../qemu-crash/record.js'
import { exploreIn, type Found, kindOf, shortest, type Tally, violationIn } from '../qemu-crash/search.js'
import type { Recording } from '../transition/model/recording.js'

const { values } = parseArgs({ options: { scripts: { type: 'string' }, seed: { type: 'string' } } })
const [wanted, seed] = [Number(values.scripts ?? 200), Number(values.seed ?? 1)]

const effort: Effort = { exhaustive: 512, sample: 64, seed: 1 }

/** Images by qemu-img's defaults, with lazy refcounts, and of version 2 with a backing file. */
const usual: readonly Shape[] = [
  { options: { size: 2 ** 19 }, backing: 0 },
  { options: { size: 2 ** 19, lazyRefcounts: true }, backing: 0 },
  { options: { size: 2 ** 19, version: 2 }, backing: 300_000 }
]

const scripts = fc.sample(
  fc.tuple(
    fc.constantFrom(...minimalShapes.filter(({ options }) => options.dataFile === undefined), ...usual),
    arbitraryScript(4, 12).map((moves) => moves.filter(({ kind }) => !kind.startsWith('Bitmap')))
  ),
  { numRuns: wanted, seed }
)

const recorded = (shape: Shape, moves: readonly Move[]): Recording | undefined => {
  try {
    return recordQemu(shape, moves)
  } catch (error) {
    if (error instanceof Disagreement) return undefined
    throw error
  }
}

interface Sum extends Tally {
  readonly scripts: number
  readonly breaking: number
}

const none: Sum = { scripts: 0, breaking: 0, epochs: 0, states: 0, leaking: 0, repaired: 0, violations: 0 }

const plus = (sum: Sum, t: Tally): Sum => ({
  scripts: sum.scripts + 1,
  breaking: sum.breaking + (t.violations > 0 ? 1 : 0),
  epochs: sum.epochs + t.epochs,
  states: sum.states + t.states,
  leaking: sum.leaking + t.leaking,
  repaired: sum.repaired + t.repaired,
  violations: sum.violations + t.violations
})

const sumText = (model: Model, s: Sum): string =>
  `${model}: ${s.scripts} scripts, ${s.epochs} epochs, ${s.states} distinct states, ${s.leaking} with leaks, ${s.repaired} dirty ones repaired by qemu-img, ${s.violations} violations in ${s.breaking} scripts`

const explored = (): number => {
  const sums = { P2: none, P4: none }
  const kinds = new Map<string, { readonly count: number; readonly found: Found }>()
  let left = 0
  for (const [shape, moves] of scripts) {
    const recording = recorded(shape, moves)
    if (recording === undefined) {
      left++
      continue
    }
    for (const model of ['P2', 'P4'] as const)
      sums[model] = plus(sums[model], exploreIn(model, recording, effort, false).tally)
    const violation = violationIn(recording, effort)
    if (violation === undefined) continue
    const found = shortest({ shape, moves, recording, violation }, effort)
    const kind = kindOf(found)
    const known = kinds.get(kind)
    const better = known === undefined || found.moves.length < known.found.moves.length
    kinds.set(kind, { count: (known?.count ?? 0) + 1, found: better ? found : known.found })
  }
  console.log(
    `${qemu ?? ''}\n${sumText('P2', sums.P2)}\n${sumText('P4', sums.P4)}, the control, in which flushes are ignored`
  )
  console.log(`${left} scripts left out: QEMU and the abstract disk differ`)
  for (const [kind, { count, found }] of [...kinds].toSorted(([, a], [, b]) => b.count - a.count))
    console.log(`\n${kind}, scripts with it: ${count}; the shortest:\n${linesOf(found).join('\n')}`)
  return 0
}

if (qemu === undefined) console.error('there is no qemu-img on the PATH')
process.exitCode = qemu === undefined ? 1 : explored()
