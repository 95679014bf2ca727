/** `qcow2 fuzz`: what it writes, what it finds in readers, and its exit codes. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import * as assert from 'uvu/assert'
import { cageHere } from '../../src/node/conform/cage.js'
import { Find } from '../../src/node/fuzz/find.js'
import { Summary } from '../../src/node/fuzz/summary.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'

const test = suite('fuzz command')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-fuzz-test-'))

const fuzz = (...words: readonly string[]) =>
  spawnSync(process.execPath, [main, 'fuzz', ...words], { encoding: 'utf8', cwd: folder })

/** Each test finds the forty images of `all`, whichever tests run. */
const written = fuzz('--out', 'all', '--count', '40')

const linesOf = (text: string): readonly unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))

const Line = t.type({ file: t.string, kind: t.string, breaks: t.array(t.type({ what: t.string, clause: t.string })) })

const indexIn = (out: string, name = 'index.jsonl'): readonly t.TypeOf<typeof Line>[] =>
  linesOf(readFileSync(join(folder, out, name), 'utf8')).filter(Line.is)

test('--out writes images, what they name, and an index of what is changed in each', () => {
  assert.is(written.status, 0)
  assert.is(written.stdout, '40 images written to all\n')
  const index = indexIn('all')
  assert.is(index.length, 40)
  for (const { file, kind, breaks } of index) {
    assert.ok(existsSync(join(folder, 'all', file)))
    assert.is(breaks.length > 0, kind !== 'valid')
  }
  assert.is(readdirSync(join(folder, 'all')).length, 40 + 3)
})

test('the images of all shards are those of the whole run', () => {
  for (const shard of ['1/2', '2/2']) assert.is(fuzz('--out', 'parts', '--count', '40', '--shard', shard).status, 0)
  const parts = ['index-1-of-2.jsonl', 'index-2-of-2.jsonl'].flatMap((name) => indexIn('parts', name))
  assert.equal(
    parts.toSorted((a, b) => (a.file < b.file ? -1 : 1)),
    indexIn('all')
  )
  for (const { file } of parts)
    assert.equal(readFileSync(join(folder, 'parts', file)), readFileSync(join(folder, 'all', file)))
})

const jsonOf = (...words: readonly string[]) => {
  const { status, stdout } = fuzz(...words, '--output=json')
  const lines = linesOf(stdout)
  return { status, stdout, finds: lines.filter(Find.is), summary: lines.find(Summary.is) }
}

const qemuReader = 'qemu-img convert -f qcow2 -O raw {image} {out}'

needsQemu(test)('qemu-img agrees, and the report says whether writes elsewhere were watched', () => {
  const { status, stdout } = fuzz('--reader', 'qemu-img', '--count', '12')
  assert.is(status, 0, stdout)
  assert.ok(stdout.startsWith(`${cageHere().note}\n12 images: 12 agree, 0 differ, `), stdout)
})

needsQemu(test)('a reader that drops a byte is found, and the image shrinks to nothing but a disk', () => {
  const { finds } = jsonOf('--shell', '--reader', `${qemuReader} && truncate -s -1 {out}`, '--count', '3')
  assert.equal(
    finds.map(({ clause, find, what }) => [clause, find, what]),
    [['OPEN-03', 'a disk of N bytes', ['OPEN-03', 'RD-05']]]
  )
})

test('a reader that opens everything is found, shrunk, with the clause of the refusal, and replayed', () => {
  const { status, finds, summary } = jsonOf('--reader', 'true {image}', '--count', '1')
  assert.is(status, 1)
  const [find] = finds
  assert.ok(find !== undefined)
  assert.equal([find.clause, find.find, find.what], ['OPEN-01', 'opens what it must refuse', ['header: magic']])
  assert.is(find.again, `qcow2 fuzz --reader 'true {image}' --replay ${find.file}`)
  assert.is(summary?.images, 1)
  const again = fuzz('--reader', 'true {image}', '--replay', find.file)
  assert.is(again.status, 1)
  assert.ok(again.stdout.startsWith('opens what it must refuse: found opened, a disk of 0 bytes, '), again.stdout)
  assert.is(fuzz('--reader', 'false {image}', '--replay', find.file).status, 0)
})

test('a reader that hangs, forks, floods or dies is a result', () => {
  const cases = [
    ['sleep 60', '1', 'took too long'],
    ['sleep 60 & sleep 60', '1', 'took too long'],
    ['yes', '60', 'wrote too much'],
    ['kill -SEGV $$', '60', 'died of SIGSEGV']
  ] as const
  for (const [line, time, why] of cases) {
    const { status, stdout } = fuzz(
      '--shell',
      '--reader',
      `${line}; true {image}`,
      '--replay',
      'all/0000002.qcow2',
      '--time',
      time
    )
    assert.is(status, 1, line)
    assert.ok(stdout.startsWith(`${why}: `), stdout)
  }
})

test('two programs are compared', () => {
  assert.is(fuzz('--reader', 'false {image}', '--against', 'false {image}', '--count', '4').status, 0)
  assert.is(fuzz('--reader', 'true {image}', '--against', 'false {image}', '--count', '4').status, 1)
})

test('a disk that the other program wrote is not taken for one of the reader', () => {
  const { status, finds } = jsonOf('--reader', 'true {image} {out}', '--against', 'cp {image} {out}', '--count', '1')
  assert.is(status, 1)
  assert.equal(
    finds.map(({ find }) => find),
    ['exit code N and no disk']
  )
})

test('what two shards count adds up to the whole run', () => {
  const words = ['--reader', 'false {image}', '--count', '8', '--output=json']
  const files = ['1/1', '1/2', '2/2'].map((shard) => {
    const file = `campaign-${shard.replace('/', '-')}.jsonl`
    writeFileSync(join(folder, file), fuzz(...words, '--shard', shard).stdout)
    return file
  })
  const [all = '', ...parts] = files
  const sums = [jsonOf('--merge', all), jsonOf('--merge', ...parts)].map(({ summary }) => summary)
  assert.is(sums[0]?.images, 8)
  assert.ok(sums[0]?.agree === 2)
  assert.equal(sums[0].notes, [cageHere().note])
  assert.equal(sums[0], sums[1])
})

test('a run that cannot be done ends with exit code 2', () => {
  writeFileSync(join(folder, 'no-lines'), '{}\n')
  const summaryOf = (reader: string): Summary => ({
    summary: true,
    reader,
    notes: [],
    images: 1,
    agree: 1,
    unsure: 0,
    differ: {}
  })
  writeFileSync(
    join(folder, 'two-readers'),
    ['one', 'two'].map((line) => `${JSON.stringify(summaryOf(line))}\n`).join('')
  )
  for (const [words, why] of [
    [[], 'Give one of --out'],
    [['--out', 'there', '--reader', 'true {image}'], 'Give one of --out'],
    [['--out', 'there', '--jobs', '2'], '--jobs does not go with --out'],
    [['--reader', 'true {image}', 'file'], 'Only --merge takes files'],
    [['--reader', 'true'], "The command 'true' has no place for the image"],
    [['--reader', 'no-such-program {image}', '--count', '2'], "'no-such-program {image}' could not be started"],
    [['--reader', 'true {image}', '--minutes', 'half'], "Parameter 'minutes' expects a number"],
    [['--merge', 'no-lines'], 'no-lines: line 1 is no line of'],
    [['--merge', 'two-readers'], "two-readers: of another reader, 'two'"],
    [['--merge'], 'There is no summary to merge']
  ] as const) {
    const { status, stderr } = fuzz(...words)
    assert.is(status, 2, `${words.join(' ')}: ${stderr}`)
    assert.ok(stderr.startsWith(`qcow2: ${why}`), stderr)
  }
})

test('a comparison may end after a part of a minute', () => {
  const { status, stderr } = fuzz('--reader', 'false {image}', '--against', 'false {image}', '--minutes', '0.01')
  assert.is(status, 0, stderr)
})

test.after(() => {
  rmSync(folder, { recursive: true })
})

test.run()
