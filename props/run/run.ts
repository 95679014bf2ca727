/**
 * The test runner. uvu runs the tests of a suite; beyond it, and beyond node:test, this one
 *
 * - fails where a test, a suite or a file never ran, had no test or had two of one title. node:test passes an empty file,
 *   and a file that calls `process.exit(0)` in its second test;
 * - gives each file a process, so that a crash, a hang or a late exit code is a failure of that file alone;
 * - draws every generated case from one seed, counts the cases, and prints the command that replays a failure;
 * - ends in one line, `N passed, N failed`.
 *
 *     node dist/props/run/run.js [PATH...] [--grep TEXT]... [--seed N] [--runs FACTOR] [--path PATH] [--jobs N] [--limit SECONDS]
 *                                [--grace SECONDS]
 *
 * A PATH, or any part of one, selects the test files that have it in theirs; `--grep` selects tests by their full title,
 * `file > suite > test`. The exit code is 1 if a test failed, none ran, or a PATH selects no file.
 */
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { printFile, printTotals, quoted, say } from './print.js'
import { drawFromEnvironment } from './seed.js'
import { inParallel, type Outcome, runTestFile } from './test-file.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    grep: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    runs: { type: 'string' },
    path: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    limit: { type: 'string', default: '3600' },
    grace: { type: 'string', default: '120' },
    root: { type: 'string', default: fileURLToPath(new URL('../../..', import.meta.url)) }
  }
})
const { root, grep: greps } = values

if (values.seed !== undefined) process.env['QCOW2_SEED'] = values.seed
if (values.runs !== undefined) process.env['QCOW2_RUNS'] = values.runs
if (values.path !== undefined) process.env['QCOW2_PATH'] = values.path
const draw = drawFromEnvironment()

/** The test files of the source tree, as paths from the root. */
const all = readdirSync(join(root, 'props'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `props/${name.replaceAll('\\', '/')}`)
  .sort()
const unmatched = positionals.filter((part) => !all.some((path) => path.includes(part)))
for (const part of unmatched) say(`No test file has ${quoted(part)} in its path; --grep looks at titles.`)
const selected = positionals.length === 0 ? all : all.filter((path) => positionals.some((part) => path.includes(part)))

say(`seed ${draw.seed}${draw.runs === 1 ? '' : `, ${draw.runs} times as many cases`}`)
const outcomes: Outcome[] = []
await inParallel(
  selected.map((path) => async () => {
    const outcome = await runTestFile({ root, path, greps, limit: Number(values.limit), grace: Number(values.grace) })
    outcomes.push(outcome)
    printFile(outcome, positionals.length + greps.length > 0)
  }),
  Number(values.jobs)
)
const failed = printTotals(outcomes, performance.now() / 1000)
process.exitCode = failed || unmatched.length > 0 ? 1 : 0
