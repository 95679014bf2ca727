/** Writes that fail: wherever a command is cut short, what was flushed is there, and the command is undone. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { portable } from '../../src/compression/decompress.js'
import { check } from '../../src/image/check/check.js'
import { readGuest } from '../../src/image/guest/read.js'
import { because, commandError, either, get } from '../../src/node/command-error.js'
import { type DiskFile, openDiskFile } from '../../src/node/files/disk-file.js'
import { ImageFiles } from '../../src/node/images/image-files.js'
import { withImage } from '../../src/node/images/locked-image.js'
import { Session } from '../../src/node/images/session.js'
import type { AnyCommand } from '../../src/transition/index.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { valueOf } from './outcome.js'

const test = suite('full disk')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-full-'))
const path = join(folder, 'image.qcow2')

test.after(() => {
  rmSync(folder, { recursive: true })
})

const kibi = 1024
const block = (value: number, length: number): Uint8Array => new Uint8Array(length).fill(value)

const write = (at: number, value: number, length: number): AnyCommand => ({
  _tag: 'Write',
  at,
  bytes: block(value, length)
})

const compressed = (at: number, value: number): AnyCommand => ({
  _tag: 'WriteCompressed',
  at,
  bytes: block(value, 64 * kibi)
})

/** What is done before the disk is full, and flushed. */
const before: readonly AnyCommand[] = [write(0, 1, 100 * kibi), { _tag: 'SnapshotCreate', name: 'one' }]

/** What is done while it gets full; none of it touches guest bytes 64 KiB to 100 KiB. */
const during: readonly AnyCommand[] = [
  write(0, 2, 3000),
  write(500 * kibi, 3, 200 * kibi),
  { _tag: 'SnapshotCreate', name: 'two' },
  write(1000, 4, 10),
  { _tag: 'Discard', at: 512 * kibi, length: 64 * kibi },
  compressed(960 * kibi, 5),
  { _tag: 'SnapshotDelete', name: 'one' },
  { _tag: 'Resize', size: 2 ** 30 },
  { _tag: 'BitmapAdd', name: 'b', granularity: 65536, enabled: true },
  write(700 * kibi, 6, 1000),
  { _tag: 'Amend', options: { refcountOrder: 3 } },
  { _tag: 'Resize', size: 2 ** 20 }
]

/** Guest writes that wait for each other, over a snapshot, in clusters old and new. */
const grouped: readonly AnyCommand[] = Array.from({ length: 30 }, (_, i) =>
  write(((i * 7) % 15) * 64 * kibi + (i % 3) * kibi * 16, i + 2, i % 4 === 0 ? 30 * kibi : 700)
).filter((w) => !('at' in w) || w.at >= 128 * kibi)

/** A payload whose host cluster is free again, with its bytes still there. */
const freed: readonly AnyCommand[] = [compressed(0, 9), write(0, 1, 64 * kibi)]

const full = commandError('no space left on device')

/** The same file, of which only so many changes succeed; of the one that fails, half is done. */
const failing = (file: DiskFile, changes: number): DiskFile => {
  let left = changes
  return {
    ...file,
    perform: (change) => {
      if (left-- > 0) return file.perform(change)
      if (change._tag === 'Write')
        file.perform({ ...change, bytes: change.bytes.subarray(0, Math.floor(change.bytes.length / 1024) * 512) })
      return E.left(full)
    }
  }
}

const around = { backing: [], decompressor: portable }

const carryOut = either(function* (file: DiskFile, commands: readonly AnyCommand[]) {
  const session = yield* get(E.mapLeft(because('Open'))(Session.open(new ImageFiles(file), around)))
  for (const command of commands) yield* get(E.mapLeft(because(command._tag))(session.command(command)))
  yield* get(session.end())
})

/** Does all of it with a disk that is full after so many changes; returns whether it was. */
const cutShort = async (changes: number, commands = during, first = before): Promise<boolean> => {
  writeFileSync(path, load('case-01-empty-v3').image)
  const file = await openDiskFile({ name: path })()
  assert.ok(E.isRight(file))
  assert.equal(carryOut(file.right, first), E.right(undefined))
  const done = carryOut(failing(file.right, changes), commands)
  file.right.close()
  assert.ok(E.isRight(done) || done.left === full, E.isLeft(done) ? done.left.message : '')
  return E.isLeft(done)
}

/** Guest bytes of the image. */
const read = (at: number, length: number): Promise<Uint8Array> =>
  valueOf(
    withImage(path, {}, function* (session) {
      return yield* get(E.mapLeft(because('Read'))(session.run(readGuest(session.chain, at, length, portable))))
    })
  )

/** What is wrong with the image, and the guest bytes that were flushed and not touched since. */
const look = async (): Promise<void> => {
  const bytes = readFileSync(path)
  const report = E.flattenW(runSync(check(bytes.length), { read: fromMemory(bytes) }))
  assert.ok(E.isRight(report))
  const wrong = report.right.findings.filter(({ severity }) => severity !== 'flaw' && severity !== 'note')
  assert.equal(
    wrong.map((f) => f.message),
    []
  )
  assert.ok((await read(64 * kibi, 36 * kibi)).every((byte) => byte === 1))
}

test('a command whose write fails is undone', async () => {
  let n = 0
  for (; await cutShort(n); n++) await look()
  await look()
  assert.ok(n > 40, `${n} changes`)
})

test('a session is over when a write has failed', async () => {
  writeFileSync(path, load('case-01-empty-v3').image)
  const file = await valueOf(openDiskFile({ name: path }))
  const session = Session.open(new ImageFiles(failing(file, 0)), around)
  assert.ok(E.isRight(session))
  const before = readFileSync(path)
  for (const command of during.slice(2, 5)) assert.equal(session.right.command(command), E.left(full))
  assert.equal(session.right.end(), E.left(full))
  file.close()
  assert.ok(before.equals(readFileSync(path)))
})

test('guest writes that wait together are undone together', async () => {
  let n = 0
  for (; await cutShort(n, grouped); n++) await look()
  await look()
  assert.ok(n > grouped.length, `${n} changes`)
})

test('a compressed write that fails leaves its range as it was, or as it was to be', async () => {
  const seen = new Set<number>()
  for (let n = 0, cut = true; cut; n++) {
    cut = await cutShort(n, [compressed(64 * kibi, 7)], freed)
    for (const byte of await read(64 * kibi, 64 * kibi)) seen.add(byte)
  }
  assert.equal([...seen], [0, 7])
})

needsQemu(test)('QEMU finds nothing wrong after a write that fails', async () => {
  for (let n = 0; await cutShort(n); n += 5) {
    const code = spawnSync('qemu-img', ['check', path]).status
    assert.is(code, 0, `${n}: ${code ?? ''}`)
    await look()
  }
})

test('a file that may not grow prints one error', () => {
  if (process.platform !== 'linux') return
  writeFileSync(path, load('case-01-empty-v3').image)
  const limited = `trap '' XFSZ; ulimit -f 400; exec "$0" "$@"`
  const lines = ['write -q -P 1 0 64k', 'flush', 'write -q -P 2 64k 256k', 'flush']
  const args = ['--norc', '-c', limited, process.execPath, main, 'io', ...lines.flatMap((line) => ['-c', line]), path]
  const done = spawnSync('bash', args, { encoding: 'utf8' })
  assert.is(done.status, 1)
  assert.match(done.stderr, /^qcow2: Could not write '.*image\.qcow2': file too large\n$/)
  const after = spawnSync(process.execPath, [main, 'io', '-r', '-c', 'read -q -P 1 0 64k', path], { encoding: 'utf8' })
  assert.is(after.status, 0, after.stdout)
  assert.is(spawnSync(process.execPath, [main, 'check', path]).status, 0)
})

test.run()
