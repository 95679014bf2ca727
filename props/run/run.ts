/**
 * The runner of the proofs: each test file in a process of its own, a few at a time.
 *
 *     node dist/props/run/run.js [TEXT...] [--grep TEXT] [--seed N] [--runs FACTOR] [--path PATH] [--jobs N] [--limit SECONDS]
 *
 * A TEXT lets only those tests run whose full title, `file > suite > test`, contains it. The last line is
 * `N passed, N failed`, and `, N skipped` if any was; the exit code is 1 if anything failed or nothing ran.
 */
import { fork } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { drawFromEnvironment } from './seed.js'
import type { Report } from './suite.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    grep: { type: 'string', multiple: true, default: [] },
    seed: { type: 'string' },
    runs: { type: 'string' },
    path: { type: 'string' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    limit: { type: 'string', default: '900' },
    root: { type: 'string', default: fileURLToPath(new URL('../../..', import.meta.url)) }
  }
})
const filters = [...positionals, ...values.grep]

if (values.seed !== undefined) process.env['QCOW2_SEED'] = values.seed
if (values.runs !== undefined) process.env['QCOW2_RUNS'] = values.runs
if (values.path !== undefined) process.env['QCOW2_PATH'] = values.path
const draw = drawFromEnvironment()

/** How long a process may live once it has sent its report, in seconds. */
const grace = 10

const nothing: Report = { registered: 0, passed: 0, failures: [], silent: [], skipped: [], cases: 0, notes: [] }
const isReport = (message: unknown): message is Report =>
  typeof message === 'object' && message !== null && 'registered' in message && 'failures' in message

const failedIn = ({ failures, silent }: Report): number => failures.length + silent.length
/** Whether a filter left anything of a file. */
const hasTests = (report: Report): boolean => report.passed + failedIn(report) + report.skipped.length > 0

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`
const counts = (passed: number, failed: number, skipped: number): string =>
  `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
const indented = (text: string, by: string): string => text.replaceAll(/^(?=.)/gm, by)

/** The test files of the source tree, as paths from the root. */
const sources = readdirSync(join(values.root, 'props'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => `props/${name.replaceAll('\\', '/')}`)
  .sort()
/** The files that every filter with a path allows: a filter may hold the path of a file, or begin that of several. */
const files = filters
  .filter((filter) => filter.startsWith('props/'))
  .reduce((left, filter) => left.filter((file) => filter.includes(file) || file.startsWith(filter)), sources)

const run = (file: string, log: string): Promise<Report> => {
  const built = join(values.root, 'dist', file.replace(/\.ts$/, '.js'))
  const withFailure = (report: Report, text: string): Report => ({
    ...report,
    failures: [...report.failures, { title: file, text, options: '' }]
  })
  if (!existsSync(built)) return Promise.resolve(withFailure(nothing, `is not built: there is no ${built}`))
  const output = openSync(log, 'w')
  const worker = fileURLToPath(new URL('run-file.js', import.meta.url))
  const child = fork(worker, [file, pathToFileURL(built).href, ...filters], {
    stdio: ['ignore', output, output, 'ipc']
  })
  closeSync(output)

  return new Promise((resolve) => {
    let report: Report | undefined
    let late: string | undefined
    const stopAfter = (seconds: number, why: string): NodeJS.Timeout =>
      setTimeout(() => {
        late = why
        child.kill('SIGKILL')
      }, seconds * 1000)
    const timers = [stopAfter(Number(values.limit), `did not end within ${values.limit} s`)]
    child.on('message', (message) => {
      if (isReport(message)) report = message
      timers.push(stopAfter(grace, `did not end within ${grace} s after its tests had`))
    })
    child.on('close', (code, signal) => {
      timers.forEach(clearTimeout)
      if (late !== undefined) resolve(withFailure(report ?? nothing, late))
      else if (report === undefined) resolve(withFailure(nothing, `ended before its tests did, with ${signal ?? code}`))
      else if (code !== 0) resolve(withFailure(report, `ended with ${signal ?? code}`))
      else resolve(report)
    })
  })
}

const tell = (file: string, report: Report, seconds: number, output: string): void => {
  if (!hasTests(report)) return
  const { passed, failures, silent, skipped, cases, notes } = report
  const failed = failedIn(report)
  const figures = [
    counts(passed, failed, skipped.length),
    ...(cases > 0 ? [plural(cases, 'case')] : []),
    `${seconds.toFixed(1)} s`
  ]
  say(`${failed > 0 ? 'FAILED' : '    ok'}  ${file.padEnd(32)}  ${figures.join(', ')}`)
  notes.forEach((line) => say(indented(line, ' '.repeat(8))))
  if (output !== '' && (failed > 0 || filters.length > 0)) say(indented(output.trimEnd(), '      | '))
  failures.forEach(({ title, text, options }) => {
    say(`\n  ${title}`)
    say(indented(text, '    '))
    say(`    replay: npm test -- --grep ${quoted(title)} ${options}`.trimEnd())
  })
  silent.forEach((title) => say(`  never ran: ${title}`))
}

say(`seed ${draw.seed}${draw.runs === 1 ? '' : `, ${draw.runs} times as many cases`}`)
const started = performance.now()
const logs = mkdtempSync(join(tmpdir(), 'qcow2-spec-'))
const waiting = files.map((file, index) => ({ file, log: join(logs, String(index)) }))
const reports: Report[] = []

const work = async (): Promise<void> => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const began = performance.now()
    const report = await run(next.file, next.log)
    reports.push(report)
    const output = existsSync(next.log) ? readFileSync(next.log, 'utf8') : ''
    tell(next.file, report, (performance.now() - began) / 1000, output)
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work))
rmSync(logs, { recursive: true })

const total = (of: (report: Report) => number): number => reports.reduce((sum, report) => sum + of(report), 0)
const passed = total((report) => report.passed)
const skipped = reports.flatMap((report) => report.skipped)
const ran = passed + total(failedIn)
const unmatched = `No test has ${filters.map(quoted).join(' and ')} in its title.`
if (ran === 0) say(filters.length > 0 && skipped.length === 0 ? unmatched : 'No test ran.')
const failed = ran - passed + (ran === 0 ? 1 : 0)
const [held, cases] = [reports.filter(hasTests).length, total((report) => report.cases)]
const seconds = (performance.now() - started) / 1000
say(`\n${plural(held, 'file')}, ${plural(cases, 'case')}, ${seconds.toFixed(1)} s`)
for (const why of new Set(skipped))
  say(`${plural(skipped.filter((other) => other === why).length, 'test')} skipped: ${why}`)
say(counts(passed, failed, skipped.length))
process.exitCode = failed > 0 ? 1 : 0
