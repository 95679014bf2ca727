/** Damaged and crowded images in which QEMU loses something (spec/losses.ts), and the commands of this package nothing. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { execute } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere, valueOf } from './outcome.js'

const test = suite('losses')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-losses-'))
const image = join(folder, 'a.qcow2')
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** The byte offset of a path: `[528, 25]` is 25 bytes past the offset that is stored at byte 528. */
const placeOf = (bytes: Buffer, path: readonly number[]): number =>
  path.slice(1).reduce((at, offset) => Number(bytes.readBigUInt64BE(at)) + offset, path[0] ?? 0)

const poke = (path: readonly number[], hex: string): void => {
  const bytes = readFileSync(image)
  bytes.write(hex, placeOf(bytes, path), 'hex')
  writeFileSync(image, bytes)
}

const peek = (path: readonly number[], length: number): string => {
  const bytes = readFileSync(image)
  const at = placeOf(bytes, path)
  return bytes.toString('hex', at, at + length)
}

const create = (size: string, options: string): Promise<void> => runHere('create', '-q', '-o', options, image, size)

const io = (...lines: readonly string[]): Promise<void> =>
  runHere('io', ...lines.flatMap((line) => ['-c', line]), image)

/** The exit code of a command. */
const exitOf = (...words: readonly string[]): Promise<number> => valueOf(execute(words, () => undefined))

/** The file does not change under a command that is refused with this clause. */
const refused = async (clause: string, ...words: readonly string[]): Promise<void> => {
  const before = readFileSync(image)
  assert.match(await messageOf(execute(words, () => undefined)), `[${clause}]`)
  assert.ok(readFileSync(image).equals(before))
}

test('a disk grows beside a bitmap whose name has a NUL byte, and the bitmap with it', async () => {
  await create('1M', 'compat=1.1')
  await runHere('bitmap', '--add', image, 'bitmapone')
  await io('write -q 64k 64k')
  poke([528, 25], '00')
  await runHere('resize', '-q', image, '2M')
  await io('write -q 1984k 64k')
  assert.is(peek([88], 8), '0000000000000001')
  assert.is(peek([528, 24], 9), Buffer.from('b\0tmapone').toString('hex'))
  assert.is(peek([528, 12], 4), '00000002')
  assert.is(peek([528, 0, 0, 0], 4), '02000080')
})

test('an image whose header has no room for more is written, and nothing else in its header changes', async () => {
  await create('1M', 'cluster_size=512')
  await runHere('bitmap', '--add', image, 'b')
  const bitmaps = peek([112], 32)
  const length = 512 - 112 - 32 - 8 - 8
  poke([112], `${bitmaps}00000001${length.toString(16).padStart(8, '0')}${'55'.repeat(length)}${'00'.repeat(8)}`)
  poke([88], '80')
  const before = peek([96], 416)
  await io('write -q -P 5 0 64k')
  assert.is(peek([88], 8), '0000000000000001')
  await io('read -q -P 5 0 64k')
  await refused('CR-03', 'rebase', '-u', '-F', 'raw', '-b', 'base', image)
  assert.is(peek([96], 416), before)
  assert.is(await exitOf('check', '-q', image), 0)
})

test('a repair keeps the disk beside an L1 entry of COPIED alone, and the range of the entry can be written', async () => {
  await create('1G', 'compat=1.1')
  await io('write -q -P 5 512M 64k')
  poke([40, 0], '8000000000000000')
  for (const repair of ['leaks', 'all']) {
    assert.is(await exitOf('check', '-q', '-r', repair, image), 2)
    assert.is(peek([72], 8), '0000000000000000')
    await io('read -q -P 5 512M 64k', 'read -q -P 0 0 64k')
  }
  await io('write -q -P 7 0 64k')
  await io('read -q -P 7 0 64k', 'read -q -P 0 64k 64k', 'read -q -P 5 512M 64k')
  assert.is(await exitOf('check', '-q', image), 3)
})

test('a write to a cluster with invalid subcluster bits fails, and zeroing makes them valid', async () => {
  await create('1M', 'extended_l2=on')
  await io('write -q 0 64k')
  const l2Table = 0x4_0000
  poke([l2Table + 8], '00000001ffffffff')
  const before = readFileSync(image)
  for (const line of ['write -q 0 2k', 'write -q 32k 2k', 'write -q 0 64k']) {
    assert.is(await exitOf('io', '-c', line, image), 1, line)
    assert.ok(readFileSync(image).equals(before), line)
  }
  await io('write -q -z 0 2k', 'write -q 32k 2k')
})

test.run()
