/** Locks: an image has one writer, of ours or QEMU's, and readers that do not mind. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { get, using } from '../../src/node/command-error.js'
import { lockImage } from '../../src/node/images/locked-image.js'
import { openChain } from '../../src/node/images/open.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, valueOf } from './outcome.js'

const test = suite('lock')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-lock-'))

test.after(() => {
  rmSync(folder, { recursive: true })
})

const write = (name: string): string => {
  const path = join(folder, name)
  writeFileSync(path, load('case-01-empty-v3').image)
  return path
}

/** Why an image cannot be locked; empty where it can. */
const refusal = (path: string): Promise<string> =>
  messageOf(
    using(lockImage(path), function* () {
      yield* get(E.right(undefined))
    })
  )

/** Leaves it open and waits until it is. */
const qemuIo = async (...args: readonly string[]) => {
  const child = spawn('qemu-io', args, { stdio: ['pipe', 'pipe', 'inherit'] })
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
  assert.is(child.exitCode, null, `qemu-io ${args.join(' ')} has ended`)
  return async (): Promise<void> => {
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.stdin.end()
    await gone
  }
}

test('an image has one writer at a time, and readers beside it', async () => {
  const path = write('twice.qcow2')
  const first = await valueOf(lockImage(path))
  assert.match(await refusal(path), /^Could not open '.*twice\.qcow2': it is locked/)
  const reader = await valueOf(openChain(path))
  reader.close()
  assert.match(await refusal(path), /it is locked/)
  first.close()
  assert.is(await refusal(path), '')
})

test('an image that another process uses is not replaced', async () => {
  const path = write('kept.qcow2')
  const first = await valueOf(lockImage(path))
  for (const args of [
    ['create', '-q', path, '1M'],
    ['create', '-q', '-f', 'raw', path, '1M'],
    ['convert', path, path],
    ['convert', '-O', 'qcow2', path, path]
  ]) {
    const done = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' })
    assert.is(done.status, 1, args.join(' '))
    assert.match(done.stderr, /it is locked/)
  }
  first.close()
  assert.equal(readFileSync(path), Buffer.from(load('case-01-empty-v3').image))
  assert.is(spawnSync(process.execPath, [main, 'create', '-q', path, '1M']).status, 0)
  assert.equal(
    readdirSync(folder).filter((name) => name.includes('partial')),
    []
  )
})

test('an external data file is locked with its image', async () => {
  const { files } = load('case-37-data-file')
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
  const [image, other] = [join(folder, 'img.qcow2'), join(folder, 'other.qcow2')]
  copyFileSync(image, other)
  const held = await valueOf(lockImage(image))
  assert.match(await refusal(other), /img\.raw': it is locked/)
  held.close()
  assert.is(await refusal(other), '')
})

needsQemu(test)('an image that QEMU has open is not changed, unless it reads by force', async () => {
  const path = write('theirs.qcow2')
  const before = readFileSync(path)
  for (const [args, locked] of [
    [[path], true],
    [['-r', path], true],
    [['-U', '-r', path], false]
  ] as const) {
    const close = await qemuIo(...args)
    assert.is((await refusal(path)).includes('it is locked'), locked, args.join(' '))
    await close()
  }
  assert.is(await refusal(path), '')
  assert.ok(before.equals(readFileSync(path)))
})

needsQemu(test)('QEMU neither writes nor reads an image that is being changed, unless by force', async () => {
  const path = write('ours.qcow2')
  const held = await valueOf(lockImage(path))
  const codes = (): readonly (number | null)[] => [
    spawnSync('qemu-io', ['-c', 'write 0 512', path]).status,
    spawnSync('qemu-img', ['info', path]).status,
    spawnSync('qemu-img', ['info', '-U', path]).status
  ]
  assert.equal(codes(), [1, 1, 0])
  const said = String(spawnSync('qemu-io', ['-c', 'write 0 512', path]).stderr)
  assert.match(said, /Is another process using the image/)
  held.close()
  assert.equal(codes(), [0, 0, 0])
})

test.run()
