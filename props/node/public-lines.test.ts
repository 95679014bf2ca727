/**
 * Command lines of public projects: each does here what it does in qemu-img 7.2, which runs beside it in a copy of the same folder.
 * What is not supported is refused by its name.
 */
import { spawnSync } from 'node:child_process'
import {
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as t from 'io-ts'
import * as assert from 'uvu/assert'
import { qemus } from '../run/qemus.js'
import { suite } from '../run/suite.js'
import { type PublicLine, publicLines } from './public-lines.js'
import { type Outcome, runLines } from './run-lines.js'

const test = suite('command lines of public projects')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-public-'))
const scene = join(folder, 'scene')
const at = (side: string, i: number): string => join(folder, `${side}-${i}`)

/** The images of the scene, and the data that they share. */
const making = [
  'create -q disk.qcow2 4M',
  'io -c "write -q -P 1 0 192k" -c "write -q -P 2 1M 100k" disk.qcow2',
  'snapshot -c s1 disk.qcow2',
  'bitmap --add disk.qcow2 b0',
  'io -c "write -q -P 3 64k 64k" -c "write -q -z 1M 64k" disk.qcow2',
  'create -q saved.qcow2 4M',
  'io -c "write -q -P 8 0 100k" saved.qcow2',
  'snapshot -c s1 saved.qcow2',
  'io -c "write -q -P 9 50k 100k" saved.qcow2',
  'create -q base.qcow2 4M',
  'io -c "write -q -P 4 0 1M" base.qcow2',
  'create -q -b base.qcow2 -F qcow2 over.qcow2',
  'io -c "write -q -P 5 512k 64k" over.qcow2',
  'create -q -b over.qcow2 -F qcow2 top.qcow2',
  'io -c "write -q -P 6 2M 64k" top.qcow2',
  'create -q other.qcow2 4M',
  'bitmap --add other.qcow2 b1',
  'io -c "write -q -P 7 0 64k" other.qcow2',
  'create -q target.qcow2 4M',
  'create -q -f raw target.raw 4M',
  'create -q -o compat=0.10 old.qcow2 4M',
  'create -q leaky.qcow2 4M',
  'convert -O raw disk.qcow2 disk.raw'
]

/** The words of a line, of which one in quotes may contain spaces or be empty. */
const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain ?? '')

/** Makes a folder with the files of the scene that a line names, and those below them. */
const copyScene = (line: string, place: string): void => {
  mkdirSync(place)
  const named = line.includes('top.qcow2') ? `${line} over.qcow2` : line
  const all = named.includes('over.qcow2') ? `${named} base.qcow2` : named
  for (const name of readdirSync(scene).filter((each) => all.includes(each)))
    copyFileSync(join(scene, name), join(place, name), constants.COPYFILE_FICLONE)
}

/** Serves the files of the scene, by ranges; another name ends the connection after 4 s, without an answer. */
const server = createServer((request, response) => {
  if (request.url === '/silent') return void setTimeout(() => response.destroy(), 4000).unref()
  const bytes = readFileSync(join(scene, (request.url ?? '').slice(1)))
  const [, from = 0, last = 0] = (/^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []).map(Number)
  const end = Math.min(last + 1, bytes.length)
  response.writeHead(206, { 'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}` })
  response.end(bytes.subarray(from, end))
})

const made: { outcomes: readonly Outcome[] } = { outcomes: [] }

/** A line with the port of the server. */
const served = (line: string): string => {
  const address = server.address()
  return line.replace('PORT', typeof address === 'object' && address !== null ? `${address.port}` : '')
}

test.before(async () => {
  mkdirSync(scene)
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const outcomes = await runLines(making.map((line) => ({ cwd: scene, words: wordsOf(line) })))
  for (const [i, { status, stderr }] of outcomes.entries()) assert.is(status, 0, `${making[i] ?? ''}: ${stderr}`)
  writeFileSync(join(scene, 'key'), 'c2VjcmV0')
  const leaky = readFileSync(join(scene, 'leaky.qcow2'))
  leaky.writeUInt16BE(1, 2 * 2 ** 16 + 2 * 10)
  writeFileSync(join(scene, 'leaky.qcow2'), Buffer.concat([leaky, Buffer.alloc(11 * 2 ** 16 - leaky.length)]))
  for (const [i, { line }] of publicLines.entries()) copyScene(line, at('here', i))
  made.outcomes = await runLines(
    publicLines.map(({ line }, i) => ({ cwd: at('here', i), words: wordsOf(served(line)) }))
  )
})

test.after(() => {
  server.closeAllConnections()
  server.close()
  rmSync(folder, { recursive: true })
})

/** Every line with its outcome here. */
const each = function* (): Generator<readonly [line: PublicLine, outcome: Outcome, index: number]> {
  for (const [i, line] of publicLines.entries()) {
    const outcome = made.outcomes[i]
    assert.ok(outcome !== undefined, line.line)
    yield [line, outcome, i]
  }
}

test('there are more than 130 lines, none of them twice, of twenty projects', () => {
  const lines = publicLines.map(({ line }) => line)
  assert.equal(
    lines.filter((line, i) => lines.indexOf(line) !== i),
    []
  )
  assert.ok(lines.length > 130)
  assert.ok(new Set(publicLines.map(({ project }) => project)).size >= 20)
})

/** Expects this of every line, and reports all of which it does not hold. */
const expectOfEach = (holds: (line: PublicLine, outcome: Outcome, index: number) => void): void => {
  const failures: string[] = []
  for (const [line, outcome, i] of each()) {
    try {
      holds(line, outcome, i)
    } catch (error) {
      failures.push(`${line.project}: ${line.line}: ${error instanceof Error ? error.message : ''}`)
    }
  }
  assert.is(failures.join('\n'), '')
}

test('what is not supported is refused by its name, and every file stays as it was', () => {
  expectOfEach(({ refused }, { status, stderr }, i) => {
    if (refused === undefined) return
    assert.is(status, 1)
    assert.ok(stderr.includes(refused), stderr)
    assert.equal(changedIn(at('here', i)), [])
  })
})

test('an answer that takes longer than the option timeout is refused', async () => {
  const named = (file: string, timeout: number): string =>
    served(`json: {"file.driver": "http", "file.url": "http://127.0.0.1:PORT/${file}", "file.timeout": ${timeout}}`)
  const outcomes = await runLines(
    [named('silent', 1), named('disk.qcow2', 10_001), named('disk.qcow2', 0), named('disk.qcow2', 10_000)].map(
      (name) => ({
        cwd: scene,
        words: ['check', '-q', name]
      })
    )
  )
  assert.equal(
    outcomes.map(({ status }) => status),
    [1, 1, 0, 0]
  )
  assert.match(outcomes[0]?.stderr ?? '', /does not answer in \d+ seconds/)
  assert.match(outcomes[1]?.stderr ?? '', 'timeout parameter is too large or negative')
})

/** The files of a folder that are not those of the scene. */
const changedIn = (place: string): readonly string[] => {
  const before = new Set(readdirSync(scene))
  return readdirSync(place)
    .filter((name) => !before.has(name) || !readFileSync(join(place, name)).equals(readFileSync(join(scene, name))))
    .toSorted()
}

/** What differs from run to run and from place to place. */
const volatile = /^(actual-size|date-sec|date-nsec|filename|full-backing-filename)$/

/** A JSON value with the keys that the pattern has, without those that are volatile. */
const like = (value: unknown, pattern: unknown): unknown => {
  if (Array.isArray(pattern) && Array.isArray(value))
    return value.map((each: unknown, i) => like(each, i < pattern.length ? pattern[i] : each))
  if (!t.UnknownRecord.is(pattern) || !t.UnknownRecord.is(value)) return value
  const names = Object.keys(pattern).filter((name) => !volatile.test(name) && name in value)
  return Object.fromEntries(names.map((name) => [name, like(value[name], pattern[name])]))
}

/** What is printed, without what differs from run to run: every progress but the last, sizes on the host, dates. */
const steady = (text: string): readonly string[] =>
  text
    .replace(/^.*\r(?=.)/gm, '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('disk size:'))
    .map((line) =>
      line.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/, 'DATE').replaceAll(/(\.?\/?\S*)\/(here|qemu)-\d+\//g, '')
    )

/** Expects what is printed to be what qemu-img prints, and all of it, but for descriptions and checks, to which more is added here. */
const expectPrinted = (line: string, here: string, there: string): void => {
  if (/--output[ =]json/.test(line)) {
    const value: unknown = JSON.parse(there)
    assert.equal(like(JSON.parse(here), value), like(value, value))
  } else if (/^(info|check) /.test(line)) {
    const lines = steady(here)
    for (const wanted of steady(there)) assert.ok(lines.includes(wanted), wanted)
  } else assert.equal(steady(here), steady(there))
}

const old = qemus().find(({ series }) => series === '7.2')

const inQemu = (cwd: string, words: readonly string[]) => {
  const [file, ...args] = old?.command('qemu-img') ?? ['qemu-img']
  return spawnSync(file, [...args, ...words], { cwd, encoding: 'latin1' })
}

/** Expects the files that changed to be the same in both places: what they are, and each byte of the guest disk. */
const expectSame = (here: string, there: string): void => {
  const changed = changedIn(here)
  assert.equal(changed, changedIn(there))
  for (const name of changed) {
    const format = name.endsWith('.qcow2') ? 'qcow2' : 'raw'
    const compared = inQemu(here, ['compare', '-f', format, '-F', format, name, join(there, name)])
    assert.is(compared.stdout, 'Images are identical.\n', name)
    if (format === 'raw') continue
    const [mine, its] = [here, there].map((place): unknown =>
      JSON.parse(inQemu(place, ['info', '--output=json', '-f', format, name]).stdout)
    )
    assert.equal(like(mine, its), like(its, mine), name)
    assert.is(inQemu(here, ['check', '-q', name]).status, 0, name)
  }
}

const title = 'every other line prints and makes what it does in qemu-img 7.2, with the same exit code'
if (old === undefined) test.skip(title, 'there is no qemu-img 7.2')
else
  test(title, () => {
    expectOfEach(({ line, refused }, { status, stdout, stderr }, i) => {
      if (refused !== undefined) return
      const place = at('qemu', i)
      copyScene(line, place)
      // Debian's qemu-img reads from no server: the file itself is read in its place.
      const words = wordsOf(line).map((word) => (word.startsWith('json: {"file.driver": "http"') ? 'disk.qcow2' : word))
      const done = inQemu(place, words)
      assert.is(status, done.status, `${stderr} | ${done.stderr}`)
      if (done.status === 0 || done.stdout !== '') expectPrinted(line, stdout, done.stdout)
      if (done.status === 0) expectSame(at('here', i), place)
      else assert.equal(changedIn(at('here', i)), [])
    })
  })

test.run()
