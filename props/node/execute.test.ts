/** Programs that hang, fork, flood their output or die: each is a result, and nothing of it is left. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { type End, execute } from '../../src/node/conform/execute.js'
import { suite } from '../run/suite.js'

const test = suite('execute')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-execute-'))
const patient = { time: 60, memory: 2 ** 30, output: 2 ** 20 }

const ended = async (line: string, limits = patient): Promise<End> =>
  (await execute(['/bin/sh', '-c', line], { folder, limits, out: join(folder, 'out') })).end

test('a program ends with its exit code, and what it printed is kept', async () => {
  const { end, printed, complaint } = await execute(['/bin/sh', '-c', 'echo disk; echo why >&2; exit 3'], {
    folder,
    limits: patient
  })
  assert.equal(end, { _tag: 'Exit', code: 3 })
  assert.is(Buffer.from(printed).toString(), 'disk\n')
  assert.is(complaint, 'why\n')
})

test('a program that hangs is ended', async () => {
  assert.equal(await ended('sleep 1000', { ...patient, time: 0.2 }), { _tag: 'Limit', limit: 'time' })
})

test('what a program started in the background ends with it', async () => {
  assert.equal(await ended('(sleep 1000; touch late) & exit 0'), { _tag: 'Exit', code: 0 })
  assert.not(existsSync(join(folder, 'late')))
})

test('a program that floods its output is ended, and so is one that floods its file', async () => {
  assert.equal(await ended('yes'), { _tag: 'Limit', limit: 'output' })
  assert.equal(await ended('yes > out'), { _tag: 'Limit', limit: 'output' })
})

test('a program that dies of a signal is said to', async () => {
  assert.equal(await ended('kill -9 $$'), { _tag: 'Signal', signal: 'SIGKILL' })
})

test('a program that takes too much memory is ended, also where a process below it takes it', async () => {
  if (!existsSync('/proc/self/stat')) return
  rmSync(join(folder, 'out'), { force: true })
  const eat = `${process.execPath} -e 'const b=[];setInterval(()=>b.push(Buffer.alloc(1<<25,1)),5)'`
  assert.equal(await ended(`${eat}; true`, { ...patient, memory: 2 ** 28 }), { _tag: 'Limit', limit: 'memory' })
})

test('a program that cannot be started is named', async () => {
  const { end } = await execute(['no-such-program'], { folder, limits: patient })
  assert.is(end._tag, 'NotStarted')
})

test.after(() => {
  rmSync(folder, { recursive: true, force: true })
})

test.run()
