/** One of two commits at work: processes that go through items, each stopped when a question takes too long. */
import { fork } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Result } from './protocol.js'

/** A commit that is built. */
export interface Side {
  readonly name: 'old' | 'new'
  readonly probe: string
}

/** Items in a file, a line each. */
export interface Batch {
  readonly path: string
  readonly ids: readonly number[]
}

export interface Way {
  /** A folder for what the processes write. */
  readonly folder: string
  /** Seconds of processor time that a question may take. */
  readonly patience: number
  /** Every question about every image. */
  readonly all: boolean
  /** Compare without the reasons. */
  readonly outcomes: boolean
  /** Keep the texts. */
  readonly texts: boolean
}

const worker = fileURLToPath(new URL('worker.js', import.meta.url))

const linesIn = (path: string): number =>
  existsSync(path) ? readFileSync(path).reduce((n, byte) => (byte === 10 ? n + 1 : n), 0) : 0

const textIn = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8').trim() : '')

/** The line of an uncaught error in what a process wrote to standard error. */
const thrownIn = (path: string): string => {
  const line = /^\w*Error\b.*$/m.exec(textIn(path))?.[0]
  return line === undefined ? '' : `, ${line}`
}

const modified = (path: string): number => (existsSync(path) ? statSync(path).mtimeMs : 0)

/** Seconds of processor time that a process has had: what it takes does not depend on what else the machine does. */
const processorTime = (pid: number | undefined): number => {
  const path = `/proc/${pid ?? 'self'}/stat`
  if (pid === undefined || !existsSync(path)) return Date.now() / 1000
  const fields = readFileSync(path, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** How a process ended: `undefined` if well. */
const ended = (side: Side, batch: Batch, beside: string, way: Way, from: number): Promise<string | undefined> => {
  const [out, error] = ['out', 'err'].map((name) => openSync(join(beside, name), 'a'))
  const flags = {
    QCOW2_SAME_ALL: way.all,
    QCOW2_SAME_TEXT: way.texts,
    QCOW2_SAME_OLDER: side.name === 'old',
    QCOW2_SAME_OUTCOMES: way.outcomes
  }
  const child = fork(worker, [side.probe, batch.path, join(beside, 'results'), String(from)], {
    stdio: ['ignore', out, error, 'ipc'],
    execArgv: ['--max-old-space-size=3072'],
    env: {
      ...process.env,
      TZ: 'UTC',
      ...Object.fromEntries(Object.entries(flags).map(([name, on]) => [name, on ? '1' : '']))
    }
  })
  for (const fd of [out, error]) if (fd !== undefined) closeSync(fd)
  let late = false
  let last = { at: 0, time: 0 }
  const watch = setInterval(() => {
    const [at, time] = [modified(join(beside, 'now')), processorTime(child.pid)]
    if (at !== last.at) last = { at, time }
    if (time - last.time < way.patience) return
    late = true
    child.kill('SIGKILL')
  }, 500)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearInterval(watch)
      if (late) resolve(`no end within ${way.patience} s`)
      else
        resolve(
          code === 0
            ? undefined
            : `the process ended with ${signal ?? code ?? 'nothing'}${thrownIn(join(beside, 'err'))}`
        )
    })
  })
}

/** Asks a side about a batch, and returns the path of the results, a line for each item. */
export const asked = async (side: Side, batch: Batch, name: string, way: Way): Promise<string> => {
  const beside = join(way.folder, `${name}-${side.name}`)
  mkdirSync(beside, { recursive: true })
  const results = join(beside, 'results')
  writeFileSync(results, '')
  for (let done = 0; done < batch.ids.length; done = linesIn(results)) {
    writeFileSync(join(beside, 'now'), '')
    const why = await ended(side, batch, beside, way, done)
    const [at, id] = [textIn(join(beside, 'now')), batch.ids[linesIn(results)]]
    if (why === undefined && id === undefined) break
    if (at === '' || id === undefined)
      throw new Error(`${side.name}: ${why ?? 'no results'}\n${textIn(join(beside, 'err'))}`)
    const late: Result = { id, answers: [], late: `${at}: ${why ?? 'the process ended early'}` }
    appendFileSync(results, `${JSON.stringify(late)}\n`)
  }
  return results
}
