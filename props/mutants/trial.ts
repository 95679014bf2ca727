/** Trials: test files run over a copy of the built code, in a process that stops at the first test that fails. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { environment } from '../run/test-file.js'
import { FileAccount, type Order } from './account.js'
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

/** A process that carries out trials, one after another. */
export interface Session {
  /** Carries out a trial. The modules of a folder are loaded once: after a change in it, it needs a new name. */
  readonly run: (order: Order) => Promise<TrialResult>
  /** Whether the process has ended: every further trial fails. */
  readonly hasEnded: () => boolean
  /** Ends the process, and all that it has started. */
  readonly end: () => Promise<void>
}

/** Time after which a process that waits is stopped, however little it computes, in seconds for each second of CPU time. */
const patience = 15

/** Ends a process and all that it has started. */
const endGroup = (pid: number | undefined): void => {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // All of them have ended.
  }
}

/** The processes and the folders of the sessions that are open. */
const open = { processes: new Set<number>(), folders: new Set<string>() }
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true })
process.on('exit', () => {
  open.processes.forEach(endGroup)
  open.folders.forEach(remove)
})

const worker = fileURLToPath(new URL('worker.js', import.meta.url))

const startWorker = (cpuLimit: number, env: NodeJS.ProcessEnv): ChildProcess => {
  // The shell's limit holds for each process that the tests start, too.
  const limited = ['-c', 'ulimit -t "$0" && exec "$@"', String(Math.ceil(cpuLimit)), process.execPath, worker]
  const child = spawn('sh', limited, { env, stdio: ['ignore', 'ignore', 'ignore', 'ipc'], detached: true })
  if (child.pid !== undefined) open.processes.add(child.pid)
  return child
}

const resultOf = (
  accounts: readonly FileAccount[],
  paths: readonly string[],
  ended: { readonly signal: NodeJS.Signals | null; readonly late: boolean }
): TrialResult => {
  const failed = accounts.flatMap((account) => account.failed.map(({ title }) => title))
  const next = paths[accounts.length]
  const broken = failed.length === 0 && next !== undefined ? [`${next} > its process ended`] : []
  const stopped = broken.length > 0 && (ended.late || ended.signal === 'SIGKILL' || ended.signal === 'SIGXCPU')
  return { accounts, failed: [...failed, ...broken], stopped }
}

/** Starts a process for trials, with a folder for temporary files. With a folder for it, V8 writes the coverage at the end. */
export const openSession = ({ runs, withQemu, cpuLimit }: Settings, coverage?: string): Session => {
  const temporary = mkdtempSync(join(tmpdir(), 'qcow2-spec-trial-'))
  open.folders.add(temporary)
  const child = startWorker(cpuLimit, {
    ...environment(temporary),
    // The same cases in every run.
    QCOW2_SEED: '',
    QCOW2_PATH: '',
    QCOW2_RUNS: String(runs),
    QCOW2_BRIEF: 'yes',
    QCOW2_QEMU: withQemu ? '' : 'no',
    QCOW2_REQUIRE_QEMU: '',
    ...(coverage === undefined ? {} : { NODE_V8_COVERAGE: coverage })
  })
  let ended = false
  const exited = new Promise<void>((resolve) => {
    child.on('exit', () => {
      ended = true
      endGroup(child.pid)
      if (child.pid !== undefined) open.processes.delete(child.pid)
      resolve()
    })
  })
  // Once all that it has sent has been read. A process that is disconnected here does not close.
  const closed = new Promise<NodeJS.Signals | null>((resolve) => {
    child.on('close', (_, signal) => resolve(signal))
  })

  const run = (order: Order): Promise<TrialResult> =>
    new Promise((resolve) => {
      const accounts: FileAccount[] = []
      let late = false
      const timer = setTimeout(
        () => {
          late = true
          endGroup(child.pid)
        },
        cpuLimit * patience * 1000
      )
      const finish = (signal: NodeJS.Signals | null): void => {
        clearTimeout(timer)
        child.off('message', take)
        resolve(resultOf(accounts, order.paths, { signal, late }))
      }
      const take = (message: unknown): void => {
        const account = FileAccount.decode(message)
        if (account._tag === 'Left') return
        accounts.push(account.right)
        if (accounts.length === order.paths.length || account.right.failed.length > 0) finish(null)
      }
      child.on('message', take)
      void closed.then(finish)
      // A process that has ended takes no order.
      child.send(order, () => undefined)
    })

  const end = async (): Promise<void> => {
    if (child.connected) child.disconnect()
    await exited
    remove(temporary)
    open.folders.delete(temporary)
  }
  return { run, hasEnded: () => ended, end }
}

/** Runs test files over a copy of the build. */
export const runTrial = async (
  folder: string,
  paths: readonly string[],
  settings: Settings,
  coverage?: string
): Promise<TrialResult> => {
  const session = openSession(settings, coverage)
  const result = await session.run({ folder, paths, title: '' })
  await session.end()
  return result
}

/** Runs one test file over a copy of the build, and finds the code of src that it reaches. */
export const runCovered = async (
  copy: string,
  path: string,
  settings: Settings
): Promise<{ readonly result: TrialResult; readonly coverage: Coverage }> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-coverage-'))
  open.folders.add(folder)
  const result = await runTrial(copy, [path], settings, folder)
  const coverage = readCoverage(folder, pathToFileURL(join(copy, 'dist/src/')))
  remove(folder)
  open.folders.delete(folder)
  return { result, coverage }
}
