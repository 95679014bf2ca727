/** `qcow2 commit`: the base holds what the overlay held, which is durable before the overlay is emptied. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { check, exitCode } from '../../spec/reference/check.js'
import { openImage } from '../../spec/reference/image.js'
import { because, get } from '../../src/node/command-error.js'
import { withImage } from '../../src/node/images/locked-image.js'
import type { AnyCommand } from '../../src/transition/command.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { runHere, valueOf } from './outcome.js'

const test = suite('commit')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-commit-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

const commit = (name: string, ...options: readonly string[]): Promise<void> =>
  runHere('commit', '-q', ...options, place(name))

const allowed = { allow: [] }

const make = async (name: string, size: string, words: string, over?: readonly [string, string]): Promise<void> => {
  const backing = over === undefined ? [] : ['-b', over[0], '-F', over[1]]
  await runHere('create', '-q', '-o', words, ...backing, place(name), size)
}

const change = async (name: string, ...commands: readonly AnyCommand[]): Promise<void> => {
  const changed = withImage(place(name), allowed, function* (session) {
    for (const c of commands) yield* get(E.mapLeft(because(name))(session.command(c)))
  })
  await valueOf(changed)
}

const fill = (at: number, length: number, value: number): AnyCommand => ({
  _tag: 'Write',
  at,
  bytes: new Uint8Array(length).fill(value)
})

const content = async (name: string): Promise<Buffer> => {
  await runHere('convert', place(name), place('out.raw'))
  return readFileSync(place('out.raw'))
}

const sound = (name: string): number => {
  const found = check(openImage(readFileSync(place(name))))
  if (E.isLeft(found)) throw new Error(found.left)
  assert.is(exitCode(found.right), 0, name)
  return found.right.allocatedClusters
}

/** An overlay with data and zeros in the middle of clusters and behind the end of its base, which is smaller. */
const overlay = async (format: string, words: string): Promise<void> => {
  if (format === 'raw') writeFileSync(place('base'), Buffer.alloc(300_000, 'b'))
  else {
    await make('base', '300000', 'cluster_size=4k')
    await change('base', fill(0, 300_000, 98))
  }
  await make('top', '1M', words, ['base', format])
  await change(
    'top',
    fill(5000, 70_000, 1),
    { _tag: 'WriteZeroes', at: 131_072, length: 65_536, unmap: true },
    fill(290_000, 100_000, 2),
    fill(2 ** 20 - 512, 512, 3)
  )
}

test('the base reads as the overlay did, and the overlay holds nothing more', async () => {
  for (const format of ['raw', 'qcow2'])
    for (const words of ['cluster_size=64k', 'cluster_size=512', 'compat=0.10', 'extended_l2=on'])
      for (const drop of [true, false]) {
        await overlay(format, words)
        const wanted = await content('top')
        const before = readFileSync(place('top'))
        await commit('top', ...(drop ? ['-d'] : []))
        assert.is(Buffer.compare(format === 'raw' ? readFileSync(place('base')) : await content('base'), wanted), 0)
        assert.is(Buffer.compare(await content('top'), wanted), 0)
        if (format !== 'raw') sound('base')
        if (drop) assert.ok(readFileSync(place('top')).equals(before))
        else assert.is(sound('top'), 0)
      }
})

test('a base further down gets what all layers above it hold, and they stay', async () => {
  await overlay('qcow2', 'cluster_size=4k')
  await make('last', '2M', 'cluster_size=64k', ['top', 'qcow2'])
  await change('last', fill(0, 512, 9), fill(3 * 2 ** 19, 1000, 8))
  const wanted = await content('last')
  const [top, last] = [readFileSync(place('top')), readFileSync(place('last'))]
  await commit('last', '-b', place('base'))
  assert.is(Buffer.compare(await content('base'), wanted), 0)
  assert.ok(readFileSync(place('top')).equals(top) && readFileSync(place('last')).equals(last))
})

test('a raw base that ends within a sector is not made longer by an overlay that holds nothing there', async () => {
  writeFileSync(place('base'), Buffer.alloc(300_000, 'b'))
  await make('top', '300032', 'cluster_size=4k', ['base', 'raw'])
  await change('top', fill(0, 512, 1))
  const wanted = (await content('top')).subarray(0, 300_000)
  await commit('top')
  assert.is(Buffer.compare(readFileSync(place('base')), wanted), 0)
})

test('a range past the end of a shorter intermediate layer reads as zeros after a commit', async () => {
  await make('base', '1M', 'cluster_size=4k')
  await change('base', fill(0, 2 ** 20, 7))
  await make('mid', '512k', 'cluster_size=4k', ['base', 'qcow2'])
  await make('last', '1M', 'cluster_size=4k', ['mid', 'qcow2'])
  const wanted = await content('last')
  await commit('last', '-b', place('base'))
  assert.is(Buffer.compare(await content('base'), wanted), 0)
})

const run = (...args: readonly string[]) => {
  const done = spawnSync(process.execPath, [main, 'commit', ...args], { cwd: folder, encoding: 'utf8' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

test('commit prints what qemu-img prints, and reports a missing base or backing file', async () => {
  await overlay('raw', 'cluster_size=64k')
  const { error, code } = run('-b', 'elsewhere', 'top')
  assert.equal([code, error], [1, "qcow2: Did not find 'elsewhere' in the backing chain of 'top'\n"])
  assert.equal(run('top'), { code: 0, out: 'Image committed.\n', error: '' })
  assert.equal(run('-q', 'top'), { code: 0, out: '', error: '' })
  await make('alone', '1M', 'compat=1.1')
  assert.equal(run('alone'), { code: 1, out: '', error: 'qcow2: Image does not have a backing file\n' })
  assert.is(run('missing').code, 1)
})

test('a base that fills its disk leaves the overlay as it was, and the disk reads the same', async () => {
  for (const format of ['raw', 'qcow2']) {
    await overlay(format, 'cluster_size=64k')
    const [wanted, before] = [await content('top'), readFileSync(place('top'))]
    const limited = 'ulimit -f 650; exec "$0" "$@"'
    const done = spawnSync('sh', ['-c', limited, process.execPath, main, 'commit', 'top'], {
      cwd: folder,
      encoding: 'utf8'
    })
    assert.is(done.status, 1)
    assert.match(done.stderr, /^qcow2: [^\n]+file too large\n$/)
    assert.ok(readFileSync(place('top')).equals(before))
    assert.is(Buffer.compare(await content('top'), wanted), 0)
  }
})

needsQemu(test)('the base and the overlay read as those that qemu-img commits', async () => {
  for (const format of ['raw', 'qcow2']) {
    await overlay(format, 'cluster_size=64k')
    const copies = ['top', 'base'].map((name) => [name, readFileSync(place(name))] as const)
    assert.is(spawnSync('qemu-img', ['commit', '-q', 'top'], { cwd: folder }).status, 0)
    const theirs = [await content('top'), format === 'raw' ? readFileSync(place('base')) : await content('base')]
    for (const [name, bytes] of copies) writeFileSync(place(name), bytes)
    await commit('top')
    const ours = [await content('top'), format === 'raw' ? readFileSync(place('base')) : await content('base')]
    for (const [i, bytes] of ours.entries()) assert.is(Buffer.compare(bytes, theirs[i] ?? Buffer.alloc(0)), 0)
    assert.is(spawnSync('qemu-img', ['check', '-q', 'top'], { cwd: folder }).status, 0)
  }
})

test.run()
