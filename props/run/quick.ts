/**
 * `npm run quick`: after a compilation, the lint of the changed files and the tests that they can reach, in less than a
 * minute. `npm test` and `npm run lint` are whole; this is for between them.
 *
 *     npm run quick [-- --base REV] [--seconds N]
 *
 * What has changed is what differs from REV, HEAD by default, committed or not. Each test file draws
 * a fiftieth of the cases of its properties. Those that took seconds when they last ran come before those that took longer,
 * the nearest to the change first. What does not fit into the time is listed as left out.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import { namedModules } from './imports.js'
import { printFile, printTotals, say } from './print.js'
import { reach, readsFolders } from './reach.js'
import { inParallel, type Outcome, runTestFile } from './test-file.js'

const { values } = parseArgs({
  options: { base: { type: 'string', default: 'HEAD' }, seconds: { type: 'string', default: '45' } }
})
const root = fileURLToPath(new URL('../../..', import.meta.url))
process.chdir(root)
process.env['QCOW2_RUNS'] ??= '0.02'

/** Test files that take minutes, of which one title is enough here. */
const oneTitle: Readonly<Record<string, string>> = {
  'props/mutants/mutants.test.ts': 'every mutant has exactly one place'
}

const git = (...args: readonly string[]): readonly string[] =>
  execFileSync('git', args, { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line !== '')
const untracked = git('ls-files', '--others', '--exclude-standard')
const changed = [...new Set([...git('diff', '--name-only', values.base), ...untracked])].sort()
const sources = [...git('ls-files', '*.ts', '*.cts'), ...untracked].filter(
  (path) => /\.c?ts$/.test(path) && existsSync(path)
)

const loads = new Map(sources.map((path) => [path, namedModules(path, readFileSync(path, 'utf8'))]))
const steps = reach(loads, changed)

/** How long test files took when this command ran them last, in seconds. */
const timesPath = join('dist', '.quick.json')
const Times = t.record(t.string, t.number)
const times: Record<string, number> = existsSync(timesPath)
  ? E.getOrElse(() => ({}))(Times.decode(JSON.parse(readFileSync(timesPath, 'utf8'))))
  : {}

/** More seconds than this, and a test file has to wait for the faster ones. */
const slow = 5

/** Nearest first, those that read whole folders after the direct ones; of the equally near the fastest first; the slow ones last. */
const order = (path: string): number => {
  const seconds = times[path] ?? 0
  return (seconds > slow ? 1e6 : 0) + 1000 * ((steps.get(path) ?? 0) + (readsFolders(path) ? 1 : 0)) + seconds
}
const reached = [...steps.keys()]
  .filter((path) => path.endsWith('.test.ts') && existsSync(path))
  .sort((a, b) => order(a) - order(b))
const tests = sources.filter((path) => path.endsWith('.test.ts')).length
say(`${changed.length} files differ from ${values.base}; ${reached.length} of ${tests} test files load them`)

/** Runs a program; prints what it printed if it fails, and returns whether it does. */
const fails = (command: string, ...args: readonly string[]): Promise<boolean> =>
  new Promise((resolve) => {
    const output: string[] = []
    const child = spawn(join('node_modules/.bin', command), args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => output.push(String(chunk)))
    child.on('close', (code) => {
      if (code !== 0) say(`FAILED  ${command}\n${output.join('')}`)
      resolve(code !== 0)
    })
  })

const lintable = changed.filter((path) => existsSync(path))
const typed = lintable.filter((path) => /\.c?ts$/.test(path))
const lint = Promise.all([
  typed.some((path) => /^(src|spec)\//.test(path)) ? fails('tsc', '-p', 'src') : false,
  typed.length > 0 ? fails('eslint', '-c', '.eslint.config.js', '--max-warnings', '0', ...typed) : false,
  lintable.length > 0 ? fails('prettier', '--check', '--ignore-unknown', ...lintable) : false
])

const left = (): number => Number(values.seconds) - performance.now() / 1000
const outcomes: Outcome[] = []
const leftOut: string[] = []
const runOne = (path: string) => async (): Promise<void> => {
  const limit = left()
  if (limit < 1) {
    leftOut.push(path)
    return
  }
  const outcome = await runTestFile({ root, path, greps: oneTitle[path]?.split('\n') ?? [], limit, grace: 10 })
  times[path] = outcome.stopped ? Math.max(times[path] ?? 0, outcome.seconds) : outcome.seconds
  if (outcome.stopped) leftOut.push(path)
  else {
    outcomes.push(outcome)
    printFile(outcome, false)
  }
}
await inParallel(reached.map(runOne), availableParallelism())
writeFileSync(timesPath, JSON.stringify(times))
const linted = await lint

if (lintable.length > 0 && !linted.includes(true)) say(`    ok  lint of ${lintable.length} files`)
for (const [path, title] of Object.entries(oneTitle)) if (steps.has(path)) say(`only '${title}' of ${path}`)
if (leftOut.length > 0) say(`left out for lack of time:\n${leftOut.map((path) => `  ${path}`).join('\n')}`)
say(`with ${process.env['QCOW2_RUNS']} times as many cases; without knip, and without the tests that load none of this`)
const failed = outcomes.length > 0 && printTotals(outcomes, performance.now() / 1000)
process.exitCode = failed || linted.includes(true) ? 1 : 0
