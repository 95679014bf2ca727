/** Running a program that may hang, fork, flood its output or die. */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import * as E from 'fp-ts/lib/Either.js'
import { addStop, dropStop } from '../files/partial.js'

/** What a program may take. */
export interface Limits {
  /** Seconds. */
  readonly time: number
  /** Bytes of memory of all its processes together. Watched where the system has /proc. */
  readonly memory: number
  /** Bytes that it may print, and that its output file may have. */
  readonly output: number
}

/** How a program ended. */
export type End =
  | { readonly _tag: 'Exit'; readonly code: number }
  | { readonly _tag: 'Signal'; readonly signal: string }
  | { readonly _tag: 'Limit'; readonly limit: keyof Limits }
  | { readonly _tag: 'NotStarted'; readonly why: string }

/** What a program did. */
export interface Ran {
  readonly end: End
  /** What it printed to standard output. */
  readonly printed: Uint8Array
  /** The first bytes of what it printed to standard error. */
  readonly complaint: string
}

const pageSize = 4096
/** Milliseconds between two looks at the memory of a program. */
const interval = 100
/** Most bytes of a complaint. */
export const mostComplaint = 4096
/** Milliseconds that pipes may stay open after the program has ended. */
const patience = 1000

/** Bytes of memory of the processes of a group; 0 where the system has no /proc. */
const memoryOf = (group: number): number =>
  E.getOrElse(() => 0)(
    E.tryCatch(
      () =>
        readdirSync('/proc')
          .filter((name) => /^\d+$/.test(name))
          .reduce((sum, pid) => sum + residentOf(pid, group), 0),
      String
    )
  )

/** Bytes of memory of a process, if it is of the group. Fields 5 and 24 of its stat are group and resident pages. */
const residentOf = (pid: string, group: number): number =>
  E.getOrElse(() => 0)(
    E.tryCatch(() => {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ')
      return Number(fields[2]) === group ? Number(fields[21]) * pageSize : 0
    }, String)
  )

/** Bytes that a file takes on the disk. */
const storedIn = (path: string): number => E.getOrElse(() => 0)(E.tryCatch(() => statSync(path).blocks * 512, String))

/** Ends every process of a group. */
const kill = (group: number): void => {
  E.tryCatch(() => process.kill(-group, 'SIGKILL'), String)
}

/** Runs a program in a folder, within limits. `out` is the file that it may write. Every process that it started ends with it. */
export const execute = (
  [program, ...args]: readonly [string, ...string[]],
  { folder, limits, out }: { readonly folder: string; readonly limits: Limits; readonly out?: string }
): Promise<Ran> =>
  new Promise((resolve) => {
    const child = spawn(program, args, { cwd: folder, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
    const killAll = (): void => {
      if (child.pid !== undefined) kill(child.pid)
    }
    addStop(killAll)
    const printed: Buffer[] = []
    let length = 0
    let complaint = ''
    let broken: keyof Limits | undefined
    const stop = (limit: keyof Limits): void => {
      broken ??= limit
      killAll()
    }
    const clock = setTimeout(() => stop('time'), limits.time * 1000)
    const watch = setInterval(() => {
      if (child.pid !== undefined && memoryOf(child.pid) > limits.memory) stop('memory')
      if (out !== undefined && storedIn(out) > limits.output) stop('output')
    }, interval)
    let isDone = false
    const done = (end: End): void => {
      if (isDone) return
      isDone = true
      clearTimeout(clock)
      clearInterval(watch)
      killAll()
      dropStop(killAll)
      child.stdout.destroy()
      child.stderr.destroy()
      resolve({ end, printed: Buffer.concat(printed), complaint })
    }
    child.stdout.on('data', (part: Buffer) => {
      length += part.length
      if (length > limits.output) stop('output')
      else printed.push(part)
    })
    child.stderr.setEncoding('utf8').on('data', (part: string) => {
      if (complaint.length < mostComplaint) complaint = (complaint + part).slice(0, mostComplaint)
    })
    child.on('error', (error) => done({ _tag: 'NotStarted', why: error.message }))
    let ended: End | undefined
    const finish = (): void => {
      done(broken === undefined ? (ended ?? { _tag: 'Signal', signal: '' }) : { _tag: 'Limit', limit: broken })
    }
    child.on('exit', (code, signal) => {
      ended = code === null ? { _tag: 'Signal', signal: signal ?? '' } : { _tag: 'Exit', code }
      // Processes that it left behind may hold its pipes open; those of another group are not waited for.
      killAll()
      setTimeout(finish, patience).unref()
    })
    child.on('close', finish)
  })
