/** `qcow2 conform`: what it says of readers, checkers and writers, and its exit codes. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { header } from '../../src/format/header.js'
import { suite } from '../run/suite.js'

const test = suite('conform')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-conform-test-'))

const conform = (...words: readonly string[]) =>
  spawnSync(process.execPath, [main, 'conform', ...words], { encoding: 'utf8', cwd: folder })

/** The report on one vector. */
const on = (id: string, ...words: readonly string[]) => conform('--only', id, ...words)

test('a reader that is not asked for anything it can get wrong passes, with exit code 0', () => {
  const { status, stdout } = on('cluster-bits-8', '--reader', 'false {image}')
  assert.is(status, 0)
  assert.ok(stdout.endsWith('1 vector: 1 passed, 0 failed, 0 not for a reader\n'), stdout)
})

test('a reader that opens what it must refuse fails, with the clause, exit code 1 and the command that does it again', () => {
  const { status, stdout } = on('cluster-bits-8', '--reader', 'true {image}')
  assert.is(status, 1)
  assert.ok(stdout.startsWith('OPEN-03: 1 vector failed, 0 that use it passed. '), stdout)
  assert.ok(stdout.includes('found opened, a disk of 0 bytes, expected a refusal\n'), stdout)
  const again = 'again: qcow2 conform --extract . --only cluster-bits-8 && cd cluster-bits-8 && true img.qcow2\n'
  assert.ok(stdout.includes(again), stdout)
})

test('a file that the command names is found where the command is typed', () => {
  writeFileSync(join(folder, 'open.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  for (const line of ['./open.sh {image}', 'sh open.sh {image}']) {
    const { status, stdout } = on('cluster-bits-8', '--reader', line)
    assert.is(status, 1, stdout)
    assert.ok(stdout.includes('found opened, a disk of 0 bytes, expected a refusal\n'), stdout)
  }
})

test('a disk of another length is not read, however long it is', () => {
  const { status, stdout } = on('clusters-512', '--shell', '--reader', 'truncate -s 1T {out}; true {image}')
  assert.is(status, 1)
  assert.ok(stdout.includes('found a disk of 1099511627776 bytes, expected a disk of 1048576 bytes, SHA-256 '), stdout)
})

test('a reader that prints other bytes, none, or writes no file is said to', () => {
  const zeros = on('clusters-512', '--shell', '--reader', 'head -c 1048576 /dev/zero; true {image}')
  assert.ok(zeros.stdout.includes('found other bytes, '), zeros.stdout)
  const none = on('clusters-512', '--reader', 'true {image} {out}')
  assert.ok(none.stdout.includes('found exit code 0 and no disk, '), none.stdout)
})

test('a size that is no whole sectors may be rounded up', () => {
  const line = 'cp expected {out}; true {image}'
  const copied = (bytes: string) =>
    on('unallocated', '--shell', '--reader', line.replace('cp expected', `head -c ${bytes} /dev/zero >`)).status
  assert.is(copied('1048576'), 0)
  assert.is(copied('1049087'), 0)
  assert.is(copied('1049088'), 1)
  assert.is(copied('1048575'), 1)
})

test('a checker is right where its exit code is', () => {
  assert.is(on('clusters-512', '--checker', 'true {image}').status, 0)
  assert.is(on('clusters-512', '--checker', 'false {image}').status, 1)
  assert.is(on('copied-clear', '--checker', 'true {image}').status, 1)
  assert.is(on('copied-clear', '--checker', 'false {image}').status, 0)
})

/** A writer of this command, within a shell that has its places. */
const write = (line: string): string => `${line}; : {image} {offset} {data}`

test('a writer that changes nothing is said to, with the clause and the command that does it again', () => {
  const { status, stdout } = on('shared-whole', '--writer', 'true {image} {offset} {data}')
  assert.is(status, 1)
  assert.ok(stdout.startsWith('REF-01: 1 vector failed, 0 that use it passed. '), stdout)
  assert.match(stdout, /found the disk has [0-9a-f]{16} at byte 0, not c0de0000/)
  assert.ok(stdout.includes('cd shared-whole && true img.qcow2 0 write-0.bin\n'), stdout)
})

test('a writer that must refuse an image is right where it fails and changes no file', () => {
  const failing = on('past-end', '--writer', 'false {image} {offset} {data}')
  assert.is(failing.status, 0, failing.stdout)
  const changing = on('past-end', '--shell', '--writer', write('echo >> {image}; echo no room; exit 3'))
  assert.is(changing.status, 1)
  assert.ok(changing.stdout.includes('found refused, and changed a file, expected a refusal\n'), changing.stdout)
  assert.ok(changing.stdout.includes('it said: no room\n'), changing.stdout)
  assert.is(on('past-end', '--writer', 'true {image} {offset} {data}').status, 1)
})

test('a writer may leave other files than regular ones', () => {
  const { status, stdout } = on('past-end', '--shell', '--writer', write('mkdir folder; mkfifo pipe; exit 1'))
  assert.is(status, 0, stdout)
})

test('a writer that leaves what is no image is found', () => {
  const { status, stdout } = on('shared-whole', '--shell', '--writer', write('echo no image > {image}'))
  assert.is(status, 1)
  assert.ok(stdout.startsWith('OPEN-01: '), stdout)
  assert.ok(stdout.includes('found an image that does not read: '), stdout)
})

test('trials with a change that the writer has no command for are left out', () => {
  const { status, stdout } = on('shared-zero', '--writer', 'true {image} {offset} {data}')
  assert.is(status, 0)
  assert.ok(stdout.endsWith('0 vectors: 0 passed, 0 failed, 1 not for a writer\n'), stdout)
})

test('reports as JSON and as XML name the vector, what was expected and what was found', () => {
  const json: unknown = JSON.parse(on('magic', '--reader', 'true {image}', '--output=json').stdout)
  assert.ok(typeof json === 'object' && json !== null && 'failed' in json)
  assert.equal(json.failed, [
    {
      id: 'magic',
      title: 'Another magic.',
      clauses: ['OPEN-01'],
      expected: 'a refusal',
      found: 'opened, a disk of 0 bytes',
      complaint: ''
    }
  ])
  const xml = on('magic', '--shell', '--reader', 'echo "<&" >&2; true {image}', '--output=junit').stdout
  assert.ok(xml.includes('<testcase classname="OPEN-01" name="magic: Another magic."><failure '), xml)
  assert.ok(xml.includes('>&#60;&#38;</failure></testcase>'), xml)
})

test('a run that cannot be done ends with exit code 2', () => {
  for (const words of [
    ['--reader', 'true'],
    ['--reader', "true '{image}"],
    ['--reader', 'no-such-program {image}'],
    ['--reader', 'true {image}', '--checker', 'true {image}'],
    ['--reader', 'true {image}', '--zero', 'true {image} {offset} {length}'],
    ['--writer', 'true {image} {offset}'],
    ['--writer', 'true {image} {offset} {data}', '--zero', 'true {image} {offset}'],
    ['--writer', 'qemu-io', '--zero', 'true {image} {offset} {length}'],
    []
  ]) {
    const { status, stderr } = conform('--only', 'magic', ...words)
    assert.is(status, 2, words.join(' '))
    assert.ok(stderr.startsWith('qcow2: '), stderr)
  }
  assert.is(conform('--only', 'no-such-vector', '--reader', 'true {image}').status, 2)
})

test('--extract writes the files of a vector', () => {
  const { status } = on('backing', '--extract', 'there')
  assert.is(status, 0)
  assert.ok(existsSync(join(folder, 'there/backing/backing.raw')))
  assert.is(header.decode(readFileSync(join(folder, 'there/backing/img.qcow2')))._tag, 'Right')
})

test.after(() => {
  rmSync(folder, { recursive: true })
})

test.run()
