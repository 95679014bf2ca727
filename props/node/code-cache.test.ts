/** The compiled code of the command: where it is kept, and when it is taken. */
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import cache from '../../src/node/code-cache.cjs'
import { suite } from '../run/suite.js'

const test = suite('code cache')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-code-'))
test.after(() => rmSync(folder, { recursive: true }))

const key = cache.keyOf('0123')
const code = Buffer.from('compiled')

test('the folder is the one that each system has for caches', () => {
  const cases = [
    ['linux', {}, '/home/u', '/home/u/.cache'],
    ['linux', { XDG_CACHE_HOME: '/c' }, '/home/u', '/c'],
    ['linux', { XDG_CACHE_HOME: 'relative' }, '/home/u', '/home/u/.cache'],
    ['freebsd', { XDG_CACHE_HOME: '' }, '/home/u', '/home/u/.cache'],
    ['darwin', {}, '/Users/u', '/Users/u/Library/Caches'],
    ['win32', {}, 'C:\\Users\\u', 'C:\\Users\\u\\AppData\\Local'],
    ['win32', { LOCALAPPDATA: 'D:\\Local', XDG_CACHE_HOME: '/c' }, 'C:\\Users\\u', 'D:\\Local']
  ] as const
  for (const [platform, env, home, expected] of cases)
    assert.is(cache.cacheFolder({ platform, env, home: () => home }), expected, `${platform} ${JSON.stringify(env)}`)
})

test('a user without a home folder has a cache only where the environment names one', () => {
  const lost = (): string => {
    throw new Error('ENOENT')
  }
  for (const home of [lost, () => '', () => 'relative']) {
    assert.is(cache.fileFor({ platform: 'linux', env: {}, home }, 'info'), undefined)
    assert.is(cache.fileFor({ platform: 'win32', env: {}, home }, 'info'), undefined)
    assert.is(cache.cacheFolder({ platform: 'linux', env: { XDG_CACHE_HOME: '/c' }, home }), '/c')
  }
})

test('a command has a file of its own, and all other words share one', () => {
  const at = { platform: 'linux', env: { XDG_CACHE_HOME: '/c' }, home: () => '/' } as const
  assert.is(cache.fileFor(at, 'info'), '/c/qcow2-spec/code/info')
  for (const word of ['--version', '../info', 'a/b', 'INFO', '', 'x'.repeat(17), undefined])
    assert.is(cache.fileFor(at, word), '/c/qcow2-spec/code/other')
  assert.is(cache.fileFor({ ...at, env: { ...at.env, NODE_DISABLE_COMPILE_CACHE: '1' } }, 'info'), undefined)
})

test('what is written is read back with its key, and with no other', () => {
  const file = join(folder, 'a/b/info')
  assert.is(cache.read(file, key), undefined)
  cache.write(file, key, Buffer.from('older'))
  cache.write(file, key, code)
  assert.equal(cache.read(file, key), code)
  assert.is(cache.read(file, cache.keyOf('0124')), undefined)
  assert.equal(readdirSync(dirname(file)), ['info'])
  writeFileSync(file, 'short')
  assert.is(cache.read(file, key), undefined)
})

test('a file that others can write, and a link, are not taken', () => {
  const file = join(folder, 'open')
  cache.write(file, key, code)
  assert.equal(cache.read(file, key), code)
  symlinkSync(file, join(folder, 'link'))
  assert.is(cache.read(join(folder, 'link'), key), undefined)
  for (const mode of [0o620, 0o602]) {
    chmodSync(file, mode)
    assert.is(cache.read(file, key), undefined)
  }
})

test('where nothing can be kept, nothing fails, and nothing is left', () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'mine')
  cache.write(join(file, 'info'), key, code)
  assert.is(readFileSync(file, 'utf8'), 'mine')
  const other = join(folder, 'other')
  symlinkSync(file, `${other}.${process.pid}`)
  cache.write(other, key, code)
  assert.is(readFileSync(file, 'utf8'), 'mine')
  assert.not.ok(existsSync(other))
})

test.run()
