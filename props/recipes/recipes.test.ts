/** The recipes of README: each is short, runs on its own, and does what it says. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { native } from '../../src/node/compression/native.js'
import { openChain, run as runOn } from '../../src/node/index.js'
import { readGuest } from '../../src/image/index.js'
import { apply, storeOf, toBytes } from '../../src/store/index.js'
import { create, type CreateOptions } from '../../src/transition/index.js'
import { root } from '../package/offence.js'
import { suite } from '../run/suite.js'

const test = suite('recipes')
const folder = mkdtempSync(join(tmpdir(), 'qcow2-recipes-'))
test.after(() => rmSync(folder, { recursive: true }))
const place = (name: string): string => join(folder, name)

interface Ran {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

/** Runs a program beside this process, which may serve it. */
const program = (command: string, ...args: readonly string[]): Promise<Ran> =>
  new Promise((resolve) => {
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] })
    const [out, error]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (piece: Buffer) => out.push(piece))
    child.stderr.on('data', (piece: Buffer) => error.push(piece))
    child.on('close', (code) => resolve({ code, out: String(Buffer.concat(out)), error: String(Buffer.concat(error)) }))
  })

const recipe = (name: string, ...args: readonly string[]): Promise<Ran> =>
  program(process.execPath, fileURLToPath(new URL(`${name}.js`, import.meta.url)), ...args)

const command = (...words: readonly string[]): Promise<Ran> =>
  program(process.execPath, join(root, 'dist/src/node/bin.cjs'), ...words)

/** Carries out our own command line, which must succeed. */
const succeed = async (...words: readonly string[]): Promise<string> => {
  const { code, out, error } = await command(...words)
  assert.is(code, 0, error)
  return out
}

const made = (options: CreateOptions): Uint8Array => {
  const writes = create(options)
  if (E.isLeft(writes)) throw new Error('refused')
  return toBytes(storeOf(apply(writes.right)([]), { part: 'image', depth: 0 }))
}

const recipes = readdirSync(join(root, 'props/recipes')).filter((name) => !name.endsWith('.test.ts'))

test('each recipe has at most 30 lines, imports only packages, and README links to it', () => {
  assert.is(recipes.length, 7)
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  for (const name of recipes) {
    const text = readFileSync(join(root, 'props/recipes', name), 'utf8')
    assert.ok(text.trim().split('\n').length <= 30, name)
    assert.not.match(text, /from '\./)
    assert.ok(readme.includes(`(props/recipes/${name})`), name)
  }
})

test('extents are those of the chain', async () => {
  await succeed('create', '-q', '-o', 'cluster_size=64k', 'base.qcow2', '192k')
  await succeed('io', '-c', 'write -q 0 128k', 'base.qcow2')
  await succeed('create', '-q', '-b', 'base.qcow2', '-F', 'qcow2', 'top.qcow2')
  await succeed('io', '-c', 'write -q 64k 64k', 'top.qcow2')
  const { out, error } = await recipe('extents', 'top.qcow2')
  const lines = out.split('\n')
  assert.match(lines[0] ?? error, /^0 to 65535: data at \d+ of .*base\.qcow2$/)
  assert.match(lines[1] ?? error, /^65536 to 131071: data at \d+ of .*top\.qcow2$/)
  assert.equal(lines.slice(2), ['131072 to 196607: absent', ''])
})

test('a header extension is changed, and nothing else', async () => {
  writeFileSync(place('base.raw'), new Uint8Array(512))
  await succeed('create', '-q', '-u', '-b', 'base.raw', '-F', 'raw', 'change.qcow2', '512')
  const before = readFileSync(place('change.qcow2'))
  assert.equal(await recipe('header-extension', 'change.qcow2', 'qcow2'), { code: 0, out: '', error: '' })
  assert.match(await succeed('info', '--output=json', 'change.qcow2'), '"backing-filename-format": "qcow2"')
  const changed = readFileSync(place('change.qcow2'))
  assert.match(
    (await recipe('header-extension', 'change.qcow2', 'longer-name')).error,
    'Error: the first cluster has no room'
  )
  assert.equal(readFileSync(place('change.qcow2')), changed)
  assert.equal(await recipe('header-extension', 'change.qcow2', 'raw'), { code: 0, out: '', error: '' })
  assert.equal(readFileSync(place('change.qcow2')), before)
  writeFileSync(place('text'), 'no image'.repeat(20))
  assert.match((await recipe('header-extension', 'text')).error, /Error: header magic at byte 0: .* \[OPEN-01\]/)
})

test('the partition table of a disk on a server is read by ranges', async () => {
  const table = new Uint8Array(512)
  const view = new DataView(table.buffer)
  view.setUint16(510, 0x55aa)
  view.setUint8(446 + 4, 0x83)
  view.setUint32(446 + 8, 2048, true)
  view.setUint32(446 + 12, 4096, true)
  writeFileSync(place('table.raw'), table)
  await succeed('convert', '-f', 'raw', '-O', 'qcow2', 'table.raw', 'table.qcow2')
  const file = readFileSync(place('table.qcow2'))
  const server = createServer(({ headers }, response) => {
    const [from = 0, last = 0] = (/(\d+)-(\d+)/.exec(headers.range ?? '') ?? []).slice(1).map(Number)
    const part = file.subarray(from, last + 1)
    response.writeHead(206, { 'content-range': `bytes ${from}-${from + part.length - 1}/${file.length}` }).end(part)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0
  const { out, error } = await recipe('partition-table', `http://127.0.0.1:${port}/table.qcow2`)
  server.close()
  assert.is(out + error, 'type 0x83: 4096 sectors from 2048\n')
})

test('an image made in memory is sound, with its snapshot and its bitmap', async () => {
  assert.equal(await recipe('in-memory', 'made.qcow2'), { code: 0, out: '', error: '' })
  await succeed('check', '--strict', 'made.qcow2')
  const info = await succeed('info', 'made.qcow2')
  assert.match(info, /before/)
  assert.match(info, /since/)
  const opened = await openChain(place('made.qcow2'))()
  if (E.isLeft(opened)) throw new Error(opened.left.message)
  const read = await runOn(opened.right, () => readGuest(opened.right.chain, 4095, 2, native))()
  opened.right.close()
  assert.equal(E.isRight(read) && [...read.right], [0, 7])
})

test('a reader that dies is found with its image, and one that lives is not', async () => {
  assert.is((await recipe('fuzz-reader', 'true')).code, 0)
  const died = await recipe('fuzz-reader', 'sh', '-c', 'kill -9 $$')
  assert.is(died.code, 1)
  assert.match(died.error, /Property failed after 1 tests[^]*Counterexample/)
})

test('data of zeros is listed', async () => {
  await succeed('create', '-q', 'zeros.qcow2', '1M')
  await succeed(
    'io',
    '-c',
    'write -q -P 0 0 64k',
    '-c',
    'write -q -P 1 64k 64k',
    '-c',
    'write -q -P 0 192k 64k',
    'zeros.qcow2'
  )
  const { out, error } = await recipe('own-check', 'zeros.qcow2')
  assert.is(out + error, '65536 zeros are stored at 0\n65536 zeros are stored at 196608\n')
})

test('what is wrong is printed as each layer reports it', async () => {
  const image = made({ size: 2 ** 20 })
  writeFileSync(place('good.qcow2'), image)
  assert.equal(await recipe('errors', 'good.qcow2'), { code: 0, out: "[ 'No errors!' ]\n[]\n", error: '' })
  image[3] = 0
  writeFileSync(place('magic.qcow2'), image)
  const { out } = await recipe('errors', 'magic.qcow2')
  const line = 'header magic at byte 0: found 0x51464900, expected 0x514649fb [OPEN-01]'
  assert.equal(out.split('\n'), [
    `[`,
    `  '${line}'`,
    `]`,
    `${line} OPEN-01 malformed 0 4 0x51464900 0x514649fb`,
    line,
    `Could not open 'magic.qcow2': ${line}; if it is a raw disk, convert -f raw takes it as it is OPEN-01 0`,
    ''
  ])
})

test.run()
