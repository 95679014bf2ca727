/** `dd`: the guest bytes of the output, and its size, are those that qemu-img copies. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { runHere } from './outcome.js'
import { runLines } from './run-lines.js'

const test = suite('dd')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-dd-'))
const at = (name: string): string => join(folder, name)
test.after(() => {
  rmSync(folder, { recursive: true })
})

test.before(async () => {
  writeFileSync(
    at('raw'),
    Uint8Array.from({ length: 70_001 }, (_, i) => (i * i) >>> 7)
  )
  await runHere('create', '-q', '-o', 'cluster_size=4k', at('a.qcow2'), '300k')
  await runHere('io', '-c', 'write -q -P 5 3k 7k', '-c', 'write -q -P 6 100k 1k', at('a.qcow2'))
})

/** Operands, and options before them; the output is `out`. */
const lines = [
  'dd if=a.qcow2 of=out',
  'dd -f raw if=raw of=out',
  'dd -f raw bs=1000 if=raw of=out',
  'dd -f raw bs=1000 count=3 if=raw of=out',
  'dd bs=1000 skip=3 if=a.qcow2 of=out',
  'dd bs=1k skip=5 count=8 if=a.qcow2 of=out',
  'dd bs=5 skip=700 count=1000 if=a.qcow2 of=out',
  'dd bs=64k count=1T if=a.qcow2 of=out',
  'dd count=0 if=a.qcow2 of=out',
  'dd skip=601 if=a.qcow2 of=out',
  'dd skip=5 count=3 if=a.qcow2 of=out',
  'dd bs=1 bs=2k skip=1 skip=2 if=raw if=a.qcow2 of=out',
  'dd -O qcow2 bs=1000 skip=3 if=a.qcow2 of=out',
  'dd -f raw -O qcow2 bs=512 skip=1 count=90 if=raw of=out',
  'dd if=a.qcow2',
  'dd of=out',
  'dd if=a.qcow2 of=out bs=0',
  'dd if=a.qcow2 of=out bs=2G',
  'dd if=a.qcow2 of=out count=x',
  'dd if=a.qcow2 of=out isize=5',
  'dd if=a.qcow2 of=out seek',
  'dd if=a.qcow2 of=out toString=x',
  'dd if=absent of=out'
]

/** The size and the bytes of a disk that was written, if one was. */
const digest = (name: string, line: string): unknown => {
  if (!existsSync(at(name))) return 'nothing'
  const plain = line.includes('-O qcow2') ? `${name}.raw` : name
  if (plain !== name) spawnSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', at(name), at(plain)])
  return [
    statSync(at(plain)).size,
    createHash('sha256')
      .update(readFileSync(at(plain)))
      .digest('hex')
  ]
}

const cannotSkip = (stderr = ''): boolean => stderr.includes('cannot skip to specified offset')

needsQemu(test)('the output has the size and the bytes of what qemu-img copies', async () => {
  const into = (line: string, output: string): readonly string[] => line.replace('of=out', `of=${output}`).split(' ')
  const ours = await runLines(lines.map((line, i) => ({ cwd: folder, words: into(line, `ours-${i}`) })))
  for (const [i, line] of lines.entries()) {
    const { status, stderr } = spawnSync('qemu-img', into(line, `theirs-${i}`), { cwd: folder, encoding: 'utf8' })
    assert.equal(
      [ours[i]?.status, cannotSkip(ours[i]?.stderr), digest(`ours-${i}`, line)],
      [status, cannotSkip(stderr), digest(`theirs-${i}`, line)],
      line
    )
  }
})

test('zeros of the input are holes of a raw output', async () => {
  await runHere('dd', `if=${at('a.qcow2')}`, `of=${at('out')}`)
  assert.ok(statSync(at('out')).blocks * 512 < 300 * 1024)
})

test.run()
