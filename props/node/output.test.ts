/** Output files: created exclusively with their final mode, in the place of no file in use, and removed by signals. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { createServer } from 'node:http'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { emit, type Plan } from '../../src/bytes/plan.js'
import { wait } from '../../src/node/command-error.js'
import { createFile } from '../../src/node/files/atomic-file.js'
import { run } from '../../src/node/files/source.js'
import { lockImage } from '../../src/node/images/locked-image.js'
import { execute } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere, valueOf } from './outcome.js'

const test = suite('output')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'qcow2-output-')))
const at = (name: string): string => join(folder, name)
const partials = (): readonly string[] => readdirSync(folder).filter((name) => name.endsWith('.partial'))

const failureOf = (...words: readonly string[]): Promise<string> => messageOf(execute(words, () => undefined))

test.before(async () => {
  writeFileSync(at('image'), load('case-54-bitmaps').image)
  const dumped = spawnSync(process.execPath, [main, 'dump', '--data=inline', at('image')], { maxBuffer: 2 ** 28 })
  writeFileSync(at('dump'), dumped.stdout)
  await runHere('convert', at('image'), at('raw'))
})
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Each way to make an output, with its arguments. */
const ways: Readonly<Record<string, (out: string) => readonly string[]>> = {
  assemble: (out) => ['assemble', at('dump'), out],
  metadump: (out) => ['metadump', at('image'), out],
  'convert to raw': (out) => ['convert', at('image'), out],
  'convert to an image': (out) => ['convert', '-O', 'qcow2', at('image'), out],
  'create an image': (out) => ['create', '-q', out, '1M'],
  'create a raw file': (out) => ['create', '-q', '-f', 'raw', out, '1M']
}

test('an output keeps the mode and the owner of the file that it replaces, and nobody else reads it before', async () => {
  for (const [title, words] of Object.entries(ways)) {
    const out = at('secret')
    writeFileSync(out, '')
    chmodSync(out, 0o600)
    if (process.getuid?.() === 0) chownSync(out, 1, 1)
    const { uid, gid } = statSync(out)
    await runHere(...words(out))
    const { mode, uid: user, gid: group } = statSync(out)
    assert.equal([mode & 0o777, user, group], [0o600, uid, gid], title)
  }
  const made = createFile(at('secret'), 512, function* (_, path) {
    assert.is(statSync(path).mode & 0o777, 0o600)
    assert.equal(partials().map(at), [path])
    yield* []
  })
  await valueOf(made)
  assert.equal(partials(), [])
})

test('nothing is written through a link that lies where an output is made', async () => {
  symlinkSync('image', at(`planted.${process.pid}.partial`))
  const before = readFileSync(at('image'))
  for (const words of Object.values(ways)) await runHere(...words(at('planted')))
  assert.ok(before.equals(readFileSync(at('image'))))
  rmSync(at(`planted.${process.pid}.partial`))
  const names = new Set<string>()
  for (let i = 0; i < 2; i++)
    await valueOf(
      createFile(at('planted'), 0, function* (_, path) {
        names.add(path)
        yield* []
      })
    )
  assert.is(names.size, 2, 'the name is not known before')
})

test('an output under a link replaces the file that the link leads to, whose other names keep it', async () => {
  for (const [title, words] of Object.entries(ways)) {
    for (const name of ['target', 'name', 'other']) rmSync(at(name), { force: true })
    writeFileSync(at('target'), 'old')
    symlinkSync('target', at('name'))
    linkSync(at('target'), at('other'))
    await runHere(...words(at('name')))
    assert.ok(lstatSync(at('name')).isSymbolicLink(), title)
    assert.ok(statSync(at('target')).size > 3, title)
    assert.is(readFileSync(at('other'), 'latin1'), 'old', title)
  }
})

test('a device, a folder and, except of convert, a FIFO are no outputs, and the reason names what they are', async () => {
  spawnSync('mkfifo', [at('fifo')])
  for (const [title, words] of Object.entries(ways)) {
    for (const [out, kind] of [
      ...(title.startsWith('convert') ? [] : ([[at('fifo'), 'a FIFO']] as const)),
      ['/dev/null', 'a character device'],
      [folder, 'a directory']
    ] as const)
      assert.is(await failureOf(...words(out)), `Could not create '${out}': it is ${kind}, not a regular file`, title)
  }
  assert.ok(lstatSync(at('fifo')).isFIFO())
})

test('a file that another process uses is not replaced', async () => {
  writeFileSync(at('used'), load('case-54-bitmaps').image)
  const held = await valueOf(lockImage(at('used')))
  for (const [title, words] of Object.entries(ways))
    assert.match(
      await failureOf(...words(at('used'))),
      `Could not open '${at('used')}': Failed to get "write" lock`,
      title
    )
  held.close()
  assert.ok(readFileSync(at('used')).equals(Buffer.from(load('case-54-bitmaps').image)))
})

test('an output is none of the files that are read for it, whatever its name', async () => {
  linkSync(at('raw'), at('raw-too'))
  linkSync(at('image'), at('image-too'))
  linkSync(at('dump'), at('dump-too'))
  symlinkSync('image', at('image-link'))
  const before = ['raw', 'image', 'dump'].map((name) => readFileSync(at(name)))
  for (const words of [
    ['convert', '-f', 'raw', at('raw'), at('raw-too')],
    ['convert', '-f', 'raw', '-n', at('raw'), at('raw-too')],
    ['convert', '-U', at('image'), at('image-link')],
    ['convert', '-U', '-O', 'qcow2', at('image'), at('image-too')],
    ['convert', '-f', 'raw', '-O', 'qcow2', '-o', 'data_file=raw-too', at('raw'), at('parted')],
    ['create', '-q', '-b', 'image', '-F', 'qcow2', at('image-too')],
    ['assemble', at('dump'), at('dump-too')]
  ])
    assert.match(await failureOf(...words), `it is the same file as '`, words.join(' '))
  assert.equal(
    ['raw', 'image', 'dump'].map((name) => readFileSync(at(name))),
    before
  )
})

test('a signal removes what is not complete, and the exit code is 128 and its number', async () => {
  await runHere('create', '-q', at('served'), '4M')
  await runHere('io', '-c', 'write -q 0 2M', at('served'))
  const bytes = readFileSync(at('served'))
  // The metadata are served, and no data: the command waits for them.
  const server = createServer((request, response) => {
    const [, from = 0, last = 0] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '')?.map(Number) ?? []
    if (from > 0) return
    response.writeHead(206, { 'content-range': `bytes 0-${last}/${bytes.length}`, 'content-length': last + 1 })
    response.end(bytes.subarray(0, last + 1))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const url = `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}/served`
  try {
    writeFileSync(at('result'), 'as before')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      for (const args of [[], ['-O', 'qcow2'], ['-O', 'qcow2', '-o', 'data_file=parted']]) {
        const child = spawn(process.execPath, [main, 'convert', ...args, url, at('result')], { stdio: 'inherit' })
        const ended = once(child, 'exit')
        const count = args.length === 4 ? 2 : 1
        while (partials().length < count && child.exitCode === null) await new Promise(setImmediate)
        assert.is(child.exitCode, null)
        child.kill(signal)
        assert.equal(await ended, [128 + constants.signals[signal], null], signal)
        assert.equal(partials(), [])
      }
    assert.is(readFileSync(at('result'), 'latin1'), 'as before')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('while an output is being made signals are seen, however long a plan runs', async () => {
  let seen = false
  function* endless(): Plan<void, number> {
    const limit = performance.now() + 20_000
    while (!seen && performance.now() < limit) yield* emit(0)
  }
  const source = { name: '', world: { _tag: 'Sync', read: () => new Uint8Array(0) } } as const
  const made = createFile(at('slow'), 0, async function* () {
    setImmediate(() => {
      seen = true
    })
    yield* wait(run(source, endless))
  })
  await valueOf(made)
  assert.ok(seen)
})

test.run()
