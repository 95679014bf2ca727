/** Runs a test file in a process of its own: whatever becomes of the process, a report comes back. */
import { fork } from 'node:child_process'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Report } from './suite.js'

/**
 * The environment of a test: nothing of the caller's that changes what programs print or whom they ask, such as
 * NODE_OPTIONS, proxies, npm's own settings, the locale or the time zone.
 */
export const environment = (temporary: string): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) => /^(PATH|HOME|LD_LIBRARY_PATH|SystemRoot|QCOW2_.*)$/.test(name))
  ),
  TMPDIR: temporary,
  LC_ALL: 'C',
  TZ: 'UTC'
})

export interface TestFile {
  /** The folder of the package. */
  readonly root: string
  /** The path of the source below the root. */
  readonly path: string
  /** Only tests run whose full title has all of these. */
  readonly greps: readonly string[]
  /** Time after which a process without a report is stopped, in seconds: only to end a process that hangs. */
  readonly limit: number
  /** What a process may take once it has sent its report, in seconds. */
  readonly grace: number
}

export interface Outcome {
  readonly path: string
  readonly report: Report
  /** What the process printed. */
  readonly output: string
  /** Time from start to end, in seconds. */
  readonly seconds: number
  /** Whether the process was stopped before it had sent its report. */
  readonly stopped: boolean
}

const nothing: Report = { registered: [], passed: 0, failures: [], neverRan: [], skipped: [], cases: 0, notes: [] }
const isReport = (message: unknown): message is Report =>
  typeof message === 'object' && message !== null && 'registered' in message && 'failures' in message

export const failedIn = ({ failures, neverRan }: Report): number => failures.length + neverRan.length

/** Whether anything of a file was selected. */
export const hasTests = (report: Report): boolean => report.passed + failedIn(report) + report.skipped.length > 0

/** The report that a process sent, and why it must not be trusted, if so. */
const reportOf = (
  { root, path, greps, limit, grace }: TestFile,
  temporary: string,
  log: number
): Promise<Pick<Outcome, 'report' | 'stopped'> & { readonly why?: string }> => {
  const built = join(root, 'dist', path.replace(/\.ts$/, '.js'))
  if (!existsSync(built))
    return Promise.resolve({ report: nothing, stopped: false, why: `is not built: there is no ${built}` })
  const worker = fileURLToPath(new URL('worker.js', import.meta.url))
  const child = fork(worker, [path, pathToFileURL(built).href, ...greps], {
    cwd: root,
    env: environment(temporary),
    stdio: ['ignore', log, log, 'ipc']
  })

  return new Promise((resolve) => {
    let report: Report | undefined
    let late: string | undefined
    const stopAfter = (seconds: number, why: string): NodeJS.Timeout =>
      setTimeout(() => {
        late = why
        child.kill('SIGKILL')
      }, seconds * 1000)
    let timer = stopAfter(limit, `did not end within ${limit} s`)
    child.on('message', (message) => {
      if (!isReport(message)) return
      report = message
      clearTimeout(timer)
      timer = stopAfter(grace, `did not end within ${grace} s after its tests had`)
    })
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      const ended = `ended ${report === undefined ? 'before its tests did, ' : ''}with ${signal ?? code}`
      const why = late ?? (report === undefined || code !== 0 ? ended : undefined)
      const stopped = late !== undefined && report === undefined
      resolve({ report: report ?? nothing, stopped, ...(why === undefined ? {} : { why }) })
    })
  })
}

export const runTestFile = async (file: TestFile): Promise<Outcome> => {
  const began = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-'))
  // A file, not a pipe: a process that outlives the tests would keep a pipe open.
  const log = openSync(join(folder, 'log'), 'w')
  const temporary = join(folder, 'tmp')
  mkdirSync(temporary)
  const { report, stopped, why } = await reportOf(file, temporary, log)
  closeSync(log)
  const output = readFileSync(join(folder, 'log'), 'utf8')
  rmSync(folder, { recursive: true, force: true })
  const failures = why === undefined ? [] : [{ title: file.path, text: why, options: '' }]
  return {
    path: file.path,
    report: { ...report, failures: [...report.failures, ...failures] },
    output,
    seconds: (performance.now() - began) / 1000,
    stopped
  }
}

/** Runs these tasks, so many at a time. */
export const inParallel = async (tasks: readonly (() => Promise<void>)[], jobs: number): Promise<void> => {
  const waiting = [...tasks]
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await next()
  }
  await Promise.all(Array.from({ length: jobs }, work))
}
