/** Trials: test files run over a copy of the built code, in one process, until a test fails. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { environment } from '../run/test-file.js'
import { FileAccount } from './account.js'
import { type Coverage, readCoverage } from './coverage.js'

/** How the tests of a trial run. */
export interface Settings {
  /** The factor of generated cases. */
  readonly runs: number
  readonly withQemu: boolean
  /** CPU time after which the process is ended, in seconds. */
  readonly cpuLimit: number
}

export interface TrialResult {
  /** An account of each test file that came to its end. */
  readonly accounts: readonly FileAccount[]
  /** The tests that failed; the test file whose process ended first or was stopped. */
  readonly failed: readonly string[]
  /** Whether the process was stopped at a limit. */
  readonly stopped: boolean
}

/** Time after which a process that waits is stopped, however little it computes, in seconds for each second of CPU time. */
const patience = 15

interface Ended {
  readonly accounts: readonly FileAccount[]
  readonly signal: NodeJS.Signals | null
  readonly late: boolean
}

/** Ends a process and all that it has started. */
const endGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // All of them have ended.
  }
}

/** The processes and the folders of the trials that run. */
const running = { processes: new Set<number>(), folders: new Set<string>() }
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true })
process.on('exit', () => {
  running.processes.forEach(endGroup)
  running.folders.forEach(remove)
})

const runWorker = (copy: string, paths: readonly string[], cpuLimit: number, env: NodeJS.ProcessEnv): Promise<Ended> =>
  new Promise((resolve) => {
    // The shell's limit holds for each process that the tests start, too.
    const limited = ['-c', 'ulimit -t "$0" && exec "$@"', String(Math.ceil(cpuLimit)), process.execPath]
    const child = spawn('sh', [...limited, join(copy, 'dist/props/mutants/worker.js'), ...paths], {
      cwd: copy,
      env,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      detached: true
    })
    if (child.pid !== undefined) running.processes.add(child.pid)
    const accounts: FileAccount[] = []
    let late = false
    const timer = setTimeout(
      () => {
        late = true
        endGroup(child.pid)
      },
      cpuLimit * patience * 1000
    )
    child.on('message', (message) => {
      const account = FileAccount.decode(message)
      if (account._tag === 'Right') accounts.push(account.right)
    })
    child.on('close', (_, signal) => {
      clearTimeout(timer)
      endGroup(child.pid)
      if (child.pid !== undefined) running.processes.delete(child.pid)
      resolve({ accounts, signal, late })
    })
  })

const resultOf = ({ accounts, signal, late }: Ended, paths: readonly string[]): TrialResult => {
  const failed = accounts.flatMap((account) => account.failed)
  const next = paths[accounts.length]
  const broken = failed.length === 0 && next !== undefined ? [`${next} > its process ended`] : []
  const stopped = broken.length > 0 && (late || signal === 'SIGKILL' || signal === 'SIGXCPU')
  return { accounts, failed: [...failed, ...broken], stopped }
}

/** Runs test files over a copy, with a folder for temporary files that is removed afterwards. */
const runIn = async <A>(
  copy: string,
  paths: readonly string[],
  { runs, withQemu, cpuLimit }: Settings,
  use: (result: TrialResult, coverage: string) => A,
  covered: boolean
): Promise<A> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-trial-'))
  running.folders.add(folder)
  const [temporary, coverage] = [join(folder, 'tmp'), join(folder, 'coverage')]
  for (const each of [temporary, coverage]) mkdirSync(each)
  const ended = await runWorker(copy, paths, cpuLimit, {
    ...environment(temporary),
    QCOW2_RUNS: String(runs),
    QCOW2_BRIEF: 'yes',
    QCOW2_QEMU: withQemu ? '' : 'no',
    QCOW2_REQUIRE_QEMU: '',
    ...(covered ? { NODE_V8_COVERAGE: coverage } : {})
  })
  const used = use(resultOf(ended, paths), coverage)
  remove(folder)
  running.folders.delete(folder)
  return used
}

/** Runs test files over a copy of the build. */
export const runTrial = (copy: string, paths: readonly string[], settings: Settings): Promise<TrialResult> =>
  runIn(copy, paths, settings, (result) => result, false)

/** Runs one test file over a copy of the build, and finds the code of src that it reaches. */
export const runCovered = (
  copy: string,
  path: string,
  settings: Settings
): Promise<{ readonly result: TrialResult; readonly coverage: Coverage }> => {
  const built = pathToFileURL(join(copy, 'dist/src/'))
  return runIn(copy, [path], settings, (result, folder) => ({ result, coverage: readCoverage(folder, built) }), true)
}
