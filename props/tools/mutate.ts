/**
 * `npm run mutate`: generates mutants of src by the standard operators, and finds those that no test notices.
 *
 *     npm run mutate [-- --since REV]                 the lines that differ from REV, by default the commit in .mutate-base
 *     npm run mutate -- PATH...                       all mutants of these files or folders of src
 *     npm run mutate -- --sample N [--seed S] [PATH...]
 *     npm run mutate -- --again REPORT                those that a report has as survived or unreached
 *     npm run mutate -- --merge REPORT...             prints the report of several runs, such as shards
 *
 * --shard K/N        every N-th of them, from the K-th on
 * --at-most N        so many of them, drawn by the seed; the others are counted
 * --minutes M        begins no further mutant after this time; the others are counted
 * --cpu S            CPU time for the trials of one mutant, 120 s by default
 * --jobs N           so many at a time
 * --operators A,B    others than the standard ones
 * --json FILE        appends a line of JSON for each mutant
 *
 * The compiler rejects mutants in batches. Test files that load the changed file and reach the changed code run in one process
 * until a test fails: the nearest and fastest first, with a tenth of the cases, then with all, then with QEMU. What they cost
 * and reach is kept in dist/.mutate. The exit code is 1 if a mutant survived or no test reaches it, 2 if the run itself failed. A
 * whole run of changed lines with exit code 0 writes HEAD to .mutate-base.
 */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { campaign } from '../mutants/campaign.js'
import type { GeneratedMutant } from '../mutants/generated.js'
import { type OperatorName, operators } from '../mutants/operators.js'
import { isHole, type MutantRecord, recordsOf, report } from '../mutants/score.js'
import { changedSince, mutantsAt, sample } from '../mutants/selection.js'
import { ownOf, shardOf } from '../run/campaign.js'
import { say } from '../run/print.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    since: { type: 'string' },
    sample: { type: 'string' },
    seed: { type: 'string', default: '1' },
    again: { type: 'string' },
    merge: { type: 'boolean', default: false },
    shard: { type: 'string', default: '1/1' },
    'at-most': { type: 'string', default: 'Infinity' },
    minutes: { type: 'string', default: 'Infinity' },
    cpu: { type: 'string', default: '120' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    operators: { type: 'string' },
    json: { type: 'string' }
  }
})
const root = fileURLToPath(new URL('../../..', import.meta.url))
const basePath = join(root, '.mutate-base')

/** The value of an option that is a number of at least `min`. */
const number = (name: keyof typeof values, min: number): number => {
  const value = Number(values[name])
  if (!(value >= min)) throw new Error(`--${name} is no number from ${min} on: ${String(values[name])}`)
  return value
}

const isOperator = (name: string): name is OperatorName => name in operators
const chosenOperators = (): readonly OperatorName[] | undefined => {
  const names = values.operators?.split(',')
  const unknown = names?.find((name) => !isOperator(name))
  if (unknown !== undefined)
    throw new Error(`${unknown} is no operator; there are ${Object.keys(operators).join(', ')}`)
  return names?.filter(isOperator)
}

/** Whether this run is about changed lines. */
const ofChanges = values.sample === undefined && values.again === undefined && positionals.length === 0

/** The mutants that the command line asks for. */
const wanted = (): readonly GeneratedMutant[] => {
  const all = mutantsAt(root, positionals, chosenOperators())
  if (all.length === 0) throw new Error(`there is no source of src at ${positionals.join(', ')}`)
  if (values.again !== undefined) {
    const keys = new Set(
      recordsOf(readFileSync(values.again, 'utf8'))
        .filter(isHole)
        .map(({ key }) => key)
    )
    return all.filter(({ key }) => keys.has(key))
  }
  if (values.sample !== undefined) return sample(all, number('sample', 1), number('seed', 0))
  return ofChanges ? changedSince(root, values.since ?? readFileSync(basePath, 'utf8').trim(), all) : all
}

const ending = (record: MutantRecord): string =>
  `${record.outcome.padEnd(10)} ${record.cpu.toFixed(1).padStart(6)} s  ${record.key}`

const run = async (): Promise<boolean> => {
  const all = wanted()
  const atMost = number('at-most', 1)
  const drawn = all.length > atMost ? sample(all, atMost, number('seed', 0)) : all
  const mutants = ownOf(drawn, shardOf(values.shard))
  const end = performance.now() + 60_000 * number('minutes', 0)
  const records: MutantRecord[] = []
  say(`${all.length} mutants, of which this run tries ${mutants.length}`)
  const late = await campaign({
    root,
    mutants,
    jobs: number('jobs', 1),
    budget: number('cpu', 1),
    isOver: () => performance.now() > end,
    onRecord: (record) => {
      records.push(record)
      if (record.outcome !== 'types') say(ending(record))
      if (values.json !== undefined) appendFileSync(values.json, `${JSON.stringify(record)}\n`)
    }
  })
  say(report(records).join('\n'))
  const untried = all.length - mutants.length + late
  if (untried > 0) say(`${untried} were not tried`)
  const isClean = !records.some(isHole)
  if (ofChanges && isClean && untried === 0 && values.operators === undefined) advance()
  return isClean
}

/** Writes HEAD to .mutate-base, unless there are changes in src that HEAD does not have. */
const advance = (): void => {
  const git = (...args: readonly string[]): string => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
  if (git('status', '--porcelain', '--', 'src') !== '') return
  const head = git('rev-parse', 'HEAD')
  if (existsSync(basePath) && readFileSync(basePath, 'utf8').trim() === head) return
  writeFileSync(basePath, `${head}\n`)
  say(`.mutate-base is ${head}`)
}

const merge = (): boolean => {
  const records = positionals.flatMap((path) => recordsOf(readFileSync(path, 'utf8')))
  say(report(records).join('\n'))
  return !records.some(isHole)
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(2))
try {
  process.exitCode = (values.merge ? merge() : await run()) ? 0 : 1
} catch (error) {
  say(`mutate: ${error instanceof Error ? error.message : String(error)}`)
  // Other jobs may still wait for their trials.
  process.exit(2)
}
