/** `-r`: how much a command writes in a second. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { RateLimit } from '../../src/node/convert/rate-limit.js'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'

const test = suite('rate limit')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-rate-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

test('-r limits the bytes that are written in a second', async () => {
  const at = (name: string): string => join(folder, name)
  writeFileSync(at('source.raw'), Buffer.alloc(6 * 2 ** 20, 1))
  const seconds = async (...words: readonly string[]): Promise<number> => {
    const start = performance.now()
    await runHere(...words)
    return (performance.now() - start) / 1000
  }
  // The last 2 MiB do not wait for themselves, and the bytes of a tenth of a second do not wait.
  const least = (6 - 2) / 8 - 0.1
  for (const words of [
    ['-O', 'raw'],
    ['-O', 'qcow2'],
    ['-c', '-O', 'qcow2'],
    ['-n', '-O', 'qcow2']
  ]) {
    const taken = await seconds('convert', '-f', 'raw', '-r', '8M', ...words, at('source.raw'), at('out'))
    assert.ok(taken >= least, `${words.join(' ')}: ${taken} s`)
  }
  await runHere('create', '-q', at('below.qcow2'), '6M')
  await runHere('create', '-q', '-b', 'below.qcow2', '-F', 'qcow2', at('above.qcow2'))
  await runHere('io', '-c', 'write -q 0 6M', at('above.qcow2'))
  const taken = await seconds('commit', '-q', '-r', '16M', at('above.qcow2'))
  assert.ok(taken >= 6 / 16, `commit: ${taken} s`)
  assert.ok(statSync(at('below.qcow2')).size > 6 * 2 ** 20)
})

test('a write waits until the bytes before it have taken their time, but for a tenth of a second', async () => {
  const now = performance.now.bind(performance)
  let seconds = 0
  performance.now = () => 1000 * seconds
  const limit = new RateLimit(2 ** 20)
  let admitted = 0
  const admit = async (bytes: number): Promise<void> => {
    await limit.admit(bytes)
    admitted += 1
  }
  await admit(2 ** 18)
  const second = admit(1)
  await setImmediate()
  const atOnce = admitted
  seconds = 0.2
  await second
  performance.now = now
  assert.equal([atOnce, admitted], [1, 2])
})

test.run()
