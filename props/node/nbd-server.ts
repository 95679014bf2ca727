/** NBD servers in processes of their own, and the tools of QEMU and of libnbd as their clients. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'

export const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))

const folder = mkdtempSync(join(tmpdir(), 'qcow2-nbd-'))
export const place = (name: string): string => join(folder, name)

/** A server that listens. */
export interface Server {
  readonly child: ChildProcess
  readonly socket: string
  readonly uri: (name?: string) => string
  /** Its exit code, once it has ended, and what it printed as errors. */
  readonly ended: Promise<readonly [code: number | null, error: string]>
}

let sockets = 0

const running = new Set<ChildProcess>()

/** Ends what is still running, and removes the folder. */
export const cleanUp = (): void => {
  for (const child of running) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
}

const run = (program: string, args: readonly string[]): Pick<Server, 'child' | 'ended'> => {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let error = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (error += text))
  running.add(child)
  const ended = once(child, 'close').then(() => {
    running.delete(child)
    return [child.exitCode, error] as const
  })
  return { child, ended }
}

/** Whether somebody listens on a socket: a client connects, and leaves before it negotiates. */
const isListening = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const probe = connect(socket)
    probe
      .on('error', () => resolve(false))
      .on('connect', () => {
        probe.destroy()
        resolve(true)
      })
  })

const start = async (
  program: string,
  before: readonly string[],
  args: readonly string[],
  socket = place(`${++sockets}.sock`)
): Promise<Server> => {
  const { child, ended } = run(program, [...before, '-k', socket, ...args])
  while (child.exitCode === null && !(await isListening(socket))) await sleep(5)
  assert.is(child.exitCode, null, child.exitCode === null ? '' : (await ended)[1])
  return { child, socket, uri: (name = '') => `nbd+unix:///${name}?socket=${socket}`, ended }
}

/** Starts a server of ours. */
export const serve = (...args: readonly string[]): Promise<Server> => start(process.execPath, [main, 'nbd'], args)

/** Starts a server of ours on a socket that may be there, of a server that is gone. */
export const serveAt = (socket: string, ...args: readonly string[]): Promise<Server> =>
  start(process.execPath, [main, 'nbd'], args, socket)

/** Starts one of QEMU's. */
export const serveQemu = (...args: readonly string[]): Promise<Server> => start('qemu-nbd', [], args)

/** Starts a server of ours that listens on a port, soon. */
export const servePort = (...args: readonly string[]): Pick<Server, 'child' | 'ended'> =>
  run(process.execPath, [main, 'nbd', ...args])

/** Ends a server with a signal; its exit code and its errors. */
export const stop = async (
  { child, ended }: Server,
  signal: NodeJS.Signals = 'SIGTERM'
): Promise<readonly [code: number | null, error: string]> => {
  child.kill(signal)
  return ended
}

/** Runs a program, which must succeed; what it prints. */
export const tool = (program: string, ...args: readonly string[]): string => {
  const done = spawnSync(program, args, { encoding: 'utf8', cwd: folder, maxBuffer: 2 ** 28 })
  assert.is(done.status, 0, `${program} ${args.join(' ')}: ${done.stdout}${done.stderr}`)
  return done.stdout
}

/** Carries out lines of qemu-io on an export. */
export const qemuIo = (uri: string, ...lines: readonly string[]): string =>
  tool('qemu-io', '-f', 'raw', ...lines.flatMap((line) => ['-c', line]), uri)

/** The fields of `qemu-img map` or `info`. */
export const json = (...args: readonly string[]): unknown => JSON.parse(tool('qemu-img', ...args))

export const libnbd = spawnSync('nbdinfo', ['--version']).status === 0
