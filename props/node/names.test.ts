/** Names in an image steer no terminal: in text they are escaped, in JSON they are what they are. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { textOfLines, visible } from '../../src/bytes/octets.js'
import { qemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('names')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-names-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

const run = (...args: readonly string[]) => {
  const done = spawnSync(process.execPath, [main, ...args], { cwd: folder, encoding: 'utf8' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

const controls = [0x00, 0x07, 0x09, 0x0a, 0x0d, 0x1b, 0x7f, 0x85, 0x9b]
const separators = [0x2028, 0x2029]
const bidirectional = [0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069]
const steering = [...controls, ...separators, ...bidirectional]

/** Those of the characters that a text of lines contains. */
const found = (text: string): readonly number[] =>
  steering.filter((code) => code !== 0x0a && text.includes(String.fromCharCode(code)))

test('every character that steers a terminal or the layout of text becomes its escape', () => {
  for (const code of [...steering, 0xd800, 0xdfff]) {
    const escape = `\\u${code.toString(16).padStart(4, '0')}`
    assert.is(visible(`a${String.fromCharCode(code)}b`), `a${escape}b`)
    assert.is(textOfLines([`a${String.fromCharCode(code)}b`]), `a${escape}b\n`)
  }
  for (const name of ['disk', 'Größe', '磁盘', 'קובץ', '👩‍💻', 'a\\b', 'می‌خواهم']) assert.is(visible(name), name)
})

/** An image whose backing file, snapshot and bitmap have names that begin with this one. */
const imageOf = (image: string, name: string): void => {
  const commands = [
    ['create', '-q', '-u', '-b', `${name}/base`, '-F', 'qcow2', image, '1M'],
    ['snapshot', '-c', `${name}s`, image],
    ['bitmap', '--add', image, `${name}b`]
  ]
  for (const args of commands) {
    const done = run(...args)
    assert.is(done.code, 0, done.error)
  }
}

test('no name forges a line or reorders one in info, snapshot, check, map, explain, or a message', () => {
  const forging = `s\nvirtual size: 1 TiB\r\u2028${String.fromCharCode(...bidirectional, 0x85, 0x09)}`
  imageOf('plain', 's')
  imageOf('forging', forging)
  const asked = (image: string, name: string) => [
    ['info', image],
    ['snapshot', '-l', image],
    ['check', image],
    ['map', image],
    ['map', '--bitmap', `${name}none`, image],
    ['snapshot', '-d', `${name}none`, image],
    ['bitmap', '--remove', image, `${name}none`],
    ['read', '-l', `${name}none`, image, '0', '1'],
    ['io', '-c', 'read 0 512', image],
    ['convert', image, 'out.raw'],
    ['commit', image],
    ['create', `missing/${name}`, '1M']
  ]
  for (const [i, args] of asked('forging', forging).entries()) {
    const [forged, plain] = [run(...args), run(...(asked('plain', 's')[i] ?? []))]
    const what = `${JSON.stringify(args)}: ${forged.error}`
    assert.is(forged.code, plain.code, what)
    for (const stream of ['out', 'error'] as const) {
      assert.is(forged[stream].split('\n').length, plain[stream].split('\n').length, what)
      assert.equal(found(forged[stream]), [], what)
    }
  }
  assert.match(run('info', 'forging').out, '\\u000avirtual size: 1 TiB\\u000d\\u2028\\u061c')
})

test('JSON keeps the names that qemu-img reports', () => {
  const forging = `s\nt\u2028\u202e\u0085`
  imageOf('json', forging)
  const { out } = run('info', '--output=json', 'json')
  const names: unknown = JSON.parse(out)
  assert.match(JSON.stringify(names), JSON.stringify(`${forging}s`))
  assert.match(JSON.stringify(names), JSON.stringify(`${forging}b`))
  if (qemu === undefined) return
  const theirs = spawnSync('qemu-img', ['info', '-U', '--output=json', 'json'], { cwd: folder, encoding: 'utf8' })
  const parsed: unknown = JSON.parse(theirs.stdout)
  assert.match(JSON.stringify(parsed), JSON.stringify(`${forging}s`))
})

test('an argument with bytes that are not UTF-8 is refused, and no other file is written in its place', () => {
  for (const words of ['create -q "$name" 1M', 'snapshot -c "$name" plain', 'create -q -b "$name" -F raw -u new 1M']) {
    const before = readdirSync(folder)
    const script = `name=$(printf 'a\\377'); exec "$0" "$1" ${words}`
    const done = spawnSync('sh', ['-c', script, process.execPath, main], { cwd: folder, encoding: 'utf8' })
    assert.is(done.status, 1)
    assert.match(done.stderr, /^qcow2: 'a\ufffd' contains U\+FFFD[^\n]+\n$/)
    assert.equal(readdirSync(folder), before)
  }
})

test.run()
