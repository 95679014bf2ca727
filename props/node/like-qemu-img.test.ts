/** Options that qemu-img has: a script that uses them gets the same answer here. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { needsQemu } from '../qemu.js'
import { suite } from '../suite.js'

const test = suite('like qemu-img')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-options-'))

test.before(() => {
  for (const name of ['case-54-bitmaps', 'case-01-empty-v3', 'broken-l2-reserved-low'])
    writeFileSync(join(folder, `${name}.qcow2`), load(name).image)
  writeFileSync(join(folder, 'raw'), Buffer.alloc(2 ** 20, 1))
})

test.after(() => {
  rmSync(folder, { recursive: true })
})

const answer = (command: string, args: readonly string[]): readonly unknown[] => {
  const { status, stdout } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  return [status, stdout]
}

/** What both are to answer with the same text and the same exit code. */
const lines: readonly string[] = [
  'map -f qcow2 -U --output=json --start-offset=64k --max-length=100k case-54-bitmaps.qcow2',
  'map --output=json --start-offset=1000 case-54-bitmaps.qcow2',
  'map --output json --max-length 1 case-01-empty-v3.qcow2',
  'check -f qcow2 -T none -U -q case-54-bitmaps.qcow2',
  'check -q broken-l2-reserved-low.qcow2',
  'compare -f qcow2 -F qcow2 -T none -U -p -q case-54-bitmaps.qcow2 case-01-empty-v3.qcow2',
  'compare -f raw -F raw raw raw',
  'compare -f qcow2 -F raw case-01-empty-v3.qcow2 raw',
  'compare -s -f raw -F qcow2 raw case-54-bitmaps.qcow2'
]

needsQemu(test)('the same line gets the same answer', () => {
  for (const line of lines) {
    const args = line.split(' ')
    assert.equal(answer(process.execPath, [main, ...args]), answer('qemu-img', args), line)
  }
})

test('a format that is not known is refused', () => {
  assert.equal(answer(process.execPath, [main, 'check', '-f', 'raw', 'raw']), [1, ''])
})

test.run()
