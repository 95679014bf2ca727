/** The same outside of this process: system calls that fail under Node, and kill -9 between two of them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { needsQemu } from '../run/qemu.js'
import { note, suite } from '../run/suite.js'
import { type FaultCase, inFolder, makeScenes, pathOf, putFiles, removeFolder } from './fault-cases.js'
import { judge, prepare } from './fault-judge.js'

const test = suite('faults outside')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const source = fileURLToPath(new URL('../../../props/node/faulty.c', import.meta.url))
const built = mkdtempSync(join(tmpdir(), 'qcow2-faulty-'))
const [shim, count] = [join(built, 'faulty.so'), join(built, 'count')]

test.after(() => {
  removeFolder()
  rmSync(built, { recursive: true })
})

const kinds = ['EIO', 'ENOSPC', 'SHORT', 'KILL'] as const

const commands: readonly FaultCase[] = [
  { words: ['snapshot', '-c', 'two', 'disk.qcow2'], scene: 'plain' },
  { words: ['resize', '-q', '--shrink', 'disk.qcow2', '20k'], scene: 'plain', sectors: true },
  { words: ['commit', '-q', 'overlay.qcow2'], scene: 'overlay', sectors: true }
]

interface OutsideFault {
  readonly kind: (typeof kinds)[number]
  readonly at: number
}

/** Runs a command in a process of its own; how it ended, and the number of its calls. */
const runOutside = ({ words }: FaultCase, fault?: OutsideFault) => {
  const { status, signal, stderr } = spawnSync(process.execPath, [main, ...inFolder(words)], {
    encoding: 'utf8',
    env: {
      ...process.env,
      LD_PRELOAD: shim,
      FAULT_COUNT: count,
      ...(fault === undefined ? {} : { FAULT_KIND: fault.kind, FAULT_AT: `${fault.at}` })
    }
  })
  return {
    failed: status !== 0,
    killed: signal === 'SIGKILL',
    stderr,
    calls: () => Number(readFileSync(count, 'utf8'))
  }
}

const hasCompiler = process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0

const register = (title: string, work: () => Promise<void>): void => {
  if (hasCompiler) needsQemu(test)(title, work)
  else test.skip(title, 'there is no gcc on the PATH')
}

const qemuCheck = (...args: readonly string[]): number | null =>
  spawnSync('qemu-img', ['check', ...args, 'disk.qcow2'], { cwd: pathOf('.') }).status

register('a system call that fails undoes the command, and kill -9 leaves what check -r all corrects', async () => {
  assert.is(spawnSync('gcc', ['-shared', '-fPIC', '-o', shim, source, '-ldl']).status, 0)
  const most = process.env['QCOW2_FAULTS'] === 'all' ? Infinity : 3
  const scenes = await makeScenes()
  const ended = { failed: 0, killed: 0 }
  for (const one of commands) {
    const prepared = await prepare(one, scenes.get(one.scene) ?? new Map(), () => {
      const { failed, stderr, calls } = runOutside(one)
      assert.not(failed, stderr)
      return Promise.resolve(calls())
    })
    assert.ok(prepared.calls > 5, `${prepared.calls} calls`)
    const step = Math.max(1, prepared.calls / most)
    for (let at = 0; at < prepared.calls; at += step)
      for (const kind of kinds) {
        putFiles(prepared.files)
        const fault = { kind, at: Math.floor(at) }
        const { failed, killed, stderr } = runOutside(one, fault)
        const where = `${one.words.join(' ')}: ${kind} at call ${fault.at} of ${prepared.calls}: ${stderr}`
        assert.is(killed, kind === 'KILL', where)
        if (failed && !killed) assert.match(stderr, /^qcow2: Could not (write|resize|commit).*\n$/, where)
        await judge(prepared, { failed, crashed: killed })
        assert.is(qemuCheck(...(killed ? ['-r', 'all'] : [])), 0, where)
        await judge(prepared, { failed, crashed: false, repaired: killed })
        if (killed) ended.killed++
        else if (failed) ended.failed++
      }
  }
  note(`${ended.failed} commands failed and ${ended.killed} were killed`)
  assert.ok(ended.failed >= 12 && ended.killed >= 9)
})

test.run()
