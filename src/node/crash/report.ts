/** Reports of a crash exploration, as text and as JSON. */
import type { JsonObject } from '../../bytes/json.js'
import type { Bounds, Expected, Kind, Tally, Violation } from '../../crash/explore.js'
import { changeText, fateText } from '../../crash/fate.js'
import type { Recorded } from '../../crash/recorded.js'
import type { End } from '../conform/execute.js'

/** What was explored. */
export interface Explored {
  readonly words: readonly string[]
  readonly end: End
  readonly recorded: readonly Recorded[]
  readonly expected: Expected
  readonly bounds: Bounds
  readonly tallies: readonly Tally[]
}

const ofDisk: Readonly<Record<Expected, string>> = {
  old: 'The guest disk must stay as it was before the program.',
  'old-or-new':
    'Every guest sector must be as at the flush before or after: give --expect any if one is written twice between.',
  any: 'The guest disk must be readable, whatever it holds.'
}

/** What the promises C1 to C9 mean for a program whose guest is not known. */
const scope =
  'Judged: C1 it opens, C2 no refcount too low, C3 and C4 the guest disk, C5 snapshots, C8 the dirty bit, C9 bitmaps. Not judged: what the program acknowledges to its guest without a flush of the files; C6 and C7, repairs.'

const endText = (end: End): string => {
  switch (end._tag) {
    case 'Exit':
      return `exit code ${end.code}`
    case 'Signal':
      return `signal ${end.signal}`
    case 'Limit':
    case 'NotStarted':
      return 'not run to its end'
  }
}

const countsOf = (recorded: readonly Recorded[]) => {
  const of = (tag: Recorded['_tag']): number => recorded.filter(({ _tag }) => _tag === tag).length
  return { writes: of('Write'), punches: of('Punch'), truncations: of('Truncate'), flushes: of('Sync') }
}

/** The kinds of all models, each with the state that takes the least: of an earlier model, then with the fewest changes. */
export const kindsOf = (tallies: readonly Tally[]): readonly Kind[] => {
  const all = new Map<string, Kind>()
  for (const kind of tallies.flatMap(({ kinds }) => kinds)) if (!all.has(kind.promise)) all.set(kind.promise, kind)
  return [...all.values()]
}

const tallyText = ({ model, epochs, whole, states, leaking, violations }: Tally): string =>
  `${model}: ${epochs} epochs, ${whole} of them whole, ${states} states, ${leaking} with leaks, ${violations} violations`

const kindText = ({ promise, smallest }: Kind): readonly string[] => [
  '',
  `${promise}, in ${smallest.model}${smallest.depth === 0 ? '' : `, of backing file ${smallest.depth}`}:`,
  `  the power fails after ${smallest.prefix} durable changes, and of those since the last flush`,
  ...smallest.fates.map(fateText),
  `  ${smallest.why}`
]

/** The report for a reader. */
export const reportLines = ({ words, end, recorded, expected, bounds, tallies }: Explored): readonly string[] => {
  const { writes, punches, truncations, flushes } = countsOf(recorded)
  return [
    `${words.join(' ')}: ${endText(end)}; ${writes} writes, ${punches} punched ranges, ${truncations} truncations, ${flushes} flushes`,
    scope,
    ofDisk[expected],
    `At most ${bounds.most} states of an epoch under each model, seed ${bounds.seed}`,
    ...tallies.map(tallyText),
    ...kindsOf(tallies).flatMap(kindText)
  ]
}

const violationJson = ({ model, why, depth, prefix, fates }: Violation): JsonObject => ({
  model,
  why,
  depth,
  'durable-changes': prefix,
  'changes-since-flush': fates.map(({ change, durable }) => ({
    durable,
    part: change.file.part,
    depth: change.file.depth,
    change: changeText(change)
  }))
})

/** The report for a machine. */
export const reportJson = ({ words, end, recorded, expected, bounds, tallies }: Explored): JsonObject => ({
  command: [...words],
  end: endText(end),
  ...countsOf(recorded),
  expect: expected,
  states: bounds.most,
  seed: bounds.seed,
  models: tallies.map(({ model, epochs, whole, states, leaking, violations, kinds }) => ({
    model,
    epochs,
    whole,
    states,
    leaking,
    violations,
    promises: kinds.map(({ promise, states: broken }) => ({ promise, states: broken }))
  })),
  violations: kindsOf(tallies).map(({ smallest }) => violationJson(smallest))
})
