/** Options: each that a command takes is in its help, and changes an outcome or is in the list of those that cannot. */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command as Parser } from 'commander'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { lockImage } from '../../src/node/images/locked-image.js'
import { type CommandName, commandNames, loadCommand } from '../../src/node/program.js'
import { suite } from '../run/suite.js'
import { runHere, valueOf } from './outcome.js'

const test = suite('options')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-effects-'))
const [scene, own] = [join(folder, 'scene'), join(folder, 'own')]
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Ignored options, and why no outcome depends on them. */
const reasons: Readonly<Record<string, string>> = {
  '-T <mode>': 'how the system caches what is read',
  '-t, --cache <mode>': 'how the system caches what is written, which is durable when the command ends',
  '-p, --progress': 'percentages on the way',
  '-q, --quiet': 'nothing is printed anyway',
  '-W, --out-of-order': 'the order of the writes to a file that appears when it is complete',
  '-C, --copy-range': 'how bytes are copied',
  '-m, --coroutines <n>': 'how many requests are in flight',
  '-n, --nocache': 'how the system caches',
  '-i, --aio <mode>': 'how the system is called',
  '-k, --native-aio': 'how the system is called',
  '-m, --misalign': 'where buffers are in memory',
  '--force': 'what it permits is only for LUKS keys'
}

/** A line on images of a server that wants a header, is slow, and redirects to another host. */
const remote = (line: string): readonly string[] => [
  line.replace('IMAGE', '[--header X-Key:1] KEYED'),
  line.replace('IMAGE', '[--timeout 0.05] SLOW'),
  line.replace('IMAGE', '[--allow-redirect] AWAY')
]
const reading = (line: string): readonly string[] => [...remote(line), line.replace('IMAGE', '[-U] BUSY')]
const allowing = (line: string): string => line.replace('IMAGE', '[--allow FOLDER] OVER')
const byOptions = (line: string): string => line.replace('IMAGE', '[--image-opts] driver=qcow2,file.filename=a.qcow2')

/**
 * For each command, lines that have another outcome without what is in brackets, or with what follows `|` there. `BUSY` is an
 * image that another process writes, `OVER` an overlay with a backing file in another folder, `FOLDER` that folder.
 */
const lines: Readonly<Record<string, readonly string[]>> = {
  info: [
    ...reading('info IMAGE'),
    byOptions('info IMAGE'),
    allowing('info --backing-chain IMAGE'),
    'info [-f raw] a.qcow2',
    'info [--output=json] a.qcow2',
    'info [--backing-chain] over.qcow2'
  ],
  check: [
    ...reading('check IMAGE'),
    byOptions('check IMAGE'),
    'check [--allow FOLDER] data.qcow2',
    'check [-f raw] a.qcow2',
    'check [--output=json] a.qcow2',
    'check --deep [--strict] deep.qcow2',
    'check [--deep] deep.qcow2',
    'check [-r all] leak.qcow2',
    'check [-q] a.qcow2'
  ],
  map: [
    ...reading('map IMAGE'),
    byOptions('map IMAGE'),
    allowing('map IMAGE'),
    'map [-f raw] a.qcow2',
    'map [--output=json] a.qcow2',
    'map [--snapshot s] a.qcow2',
    'map [--bitmap b] a.qcow2',
    'map [-s 96k] a.qcow2',
    'map [-l 80k] a.qcow2'
  ],
  read: [
    ...reading('read IMAGE 0 4'),
    allowing('read IMAGE 0 4'),
    'read [-l s] a.qcow2 0 4',
    'read -l vm [--vm-state] vm.qcow2 64k 5'
  ],
  compare: [
    ...reading('compare IMAGE a.qcow2'),
    'compare [--image-opts] driver=qcow2,file.filename=a.qcow2 driver=qcow2,file.filename=a.qcow2',
    allowing('compare IMAGE a.qcow2'),
    'compare [-f raw] a.qcow2 a.qcow2',
    'compare [-F raw] a.qcow2 a.qcow2',
    'compare [-s] a.qcow2 longer.qcow2',
    'compare [-q] a.qcow2 a.qcow2'
  ],
  explain: [...reading('explain IMAGE 8'), 'explain [--output=json] a.qcow2 8'],
  dump: [...reading('dump IMAGE'), 'dump [--data=inline] a.qcow2'],
  assemble: [],
  create: [
    'create -q [-f raw] new 1M',
    'create -q [-b a.qcow2] -F qcow2 new 1M',
    'create -q -b a.qcow2 [-F qcow2] new 1M',
    'create -q [-u] -b absent.qcow2 -F qcow2 new 1M',
    'create -q [-o cluster_size=4k] new 1M',
    'create [-q] new 1M'
  ],
  convert: [
    ...reading('convert IMAGE new'),
    allowing('convert IMAGE new'),
    'convert [-f raw] a.qcow2 new',
    'convert [-O qcow2] a.qcow2 new',
    'convert [-l s] a.qcow2 new',
    'convert -O qcow2 [-c] a.qcow2 new',
    'convert -O qcow2 [-o cluster_size=4k] a.qcow2 new',
    'convert -O qcow2 [-B a.qcow2] -F qcow2 over.qcow2 new',
    'convert -O qcow2 -B a.qcow2 [-F qcow2] over.qcow2 new',
    'convert -O qcow2 [-n] a.qcow2 longer.qcow2',
    'convert -O qcow2 -n [--target-is-zero] old.qcow2 a.qcow2',
    'convert -O qcow2 [--bitmaps] a.qcow2 new',
    'convert [--strict] cut.qcow2 new',
    'convert -O qcow2 --bitmaps [--skip-broken-bitmaps] in-use.qcow2 new',
    'convert -O qcow2 [-S 0] a.qcow2 new',
    'convert [-p] a.qcow2 new',
    'convert -p [-q] a.qcow2 new'
  ],
  io: [
    'io -r [-U] -c info BUSY',
    'io -c info [--image-opts] driver=qcow2,file.filename=a.qcow2',
    'io -c info [--allow FOLDER] OVER',
    'io [-f raw] -c info a.qcow2',
    'io [-c info] a.qcow2',
    "io [-r] -c 'write -q 0 1k' a.qcow2",
    "io [-d ignore] -c 'discard -q 0 64k' a.qcow2",
    'io -r -c info --image-opts driver=qcow2,file.filename=BUSY[,file.locking=off]',
    'io -r -c info --image-opts driver=qcow2,file.filename=BUSY[,force-share=on]',
    "io -c 'discard -q 0 64k' --image-opts driver=qcow2,file.filename=a.qcow2[,discard=off]",
    "io -c 'write -q -P 0 0 64k' --image-opts driver=qcow2,file.filename=a.qcow2[,detect-zeroes=on]",
    "io -c 'write -q -P 0 0 64k' --image-opts driver=qcow2,file.filename=a.qcow2,detect-zeroes=[unmap|on]",
    "io -c 'read -q 0 64k' --image-opts driver=qcow2,file.filename=old.qcow2[,lazy-refcounts=on]",
    "io -c 'write -q 0 1k' --image-opts driver=qcow2,file.filename=a.qcow2[,read-only=on]"
  ],
  snapshot: [
    ...remote('snapshot -l IMAGE'),
    byOptions('snapshot -l IMAGE'),
    'snapshot [-U] -l BUSY',
    'snapshot [-f raw] -l a.qcow2',
    'snapshot -c t [--allow FOLDER] data.qcow2',
    'snapshot [-l] a.qcow2',
    'snapshot [-c t] a.qcow2',
    'snapshot [-a s] a.qcow2',
    'snapshot [-d s] a.qcow2'
  ],
  bitmap: [
    ...remote('bitmap --merge b -b IMAGE a.qcow2 b'),
    'bitmap --add [--image-opts] driver=qcow2,file.filename=a.qcow2 c',
    'bitmap --add [--allow FOLDER] data.qcow2 c',
    'bitmap [-f raw] --add a.qcow2 c',
    'bitmap [--add] a.qcow2 c',
    'bitmap [--remove] a.qcow2 b',
    'bitmap [--clear] a.qcow2 b',
    'bitmap [--enable] off.qcow2 b',
    'bitmap [--disable] a.qcow2 b',
    'bitmap --clear [--merge c] two.qcow2 b',
    'bitmap --add [-g 4k] a.qcow2 c',
    'bitmap --merge c [-b two.qcow2] a.qcow2 b',
    'bitmap --merge c -b two.qcow2 [-F raw] a.qcow2 b'
  ],
  resize: [
    'resize [--image-opts] driver=qcow2,file.filename=a.qcow2 2M',
    'resize [--allow FOLDER] OVER 2M',
    'resize [-f raw] a.qcow2 2M',
    'resize [--preallocation=metadata] longer.qcow2 4M',
    'resize [--shrink] longer.qcow2 1M',
    'resize [-q] longer.qcow2 4M'
  ],
  amend: [
    'amend -o lazy_refcounts=on [--image-opts] driver=qcow2,file.filename=a.qcow2',
    'amend -o lazy_refcounts=on [--allow FOLDER] OVER',
    'amend [-f raw] -o lazy_refcounts=on a.qcow2',
    'amend [-o lazy_refcounts=on] a.qcow2'
  ],
  rebase: [
    "rebase -u -b '' [--image-opts] driver=qcow2,file.filename=over.qcow2",
    "rebase -b '' [--allow FOLDER] OVER",
    "rebase [-f raw] -u -b '' over.qcow2",
    "rebase [-u] -b '' over.qcow2",
    'rebase -u [-b a.qcow2] -F qcow2 over.qcow2',
    'rebase -b a.qcow2 [-F qcow2] over.qcow2',
    'rebase [-U] -b BUSY -F qcow2 over.qcow2'
  ],
  commit: [
    'commit [--image-opts] driver=qcow2,file.filename=over.qcow2',
    'commit [--allow FOLDER] OVER',
    'commit [-f raw] over.qcow2',
    'commit [-b a.qcow2] over.qcow2',
    'commit [-d] over.qcow2',
    'commit [-q] over.qcow2'
  ],
  conform: [
    "conform --only magic [--reader 'true {image}']",
    "conform --only magic [--checker 'true {image}']",
    "conform --only magic [--shell] --reader 'true {image}; exit 1'",
    "conform --only magic [--only version-4] --reader 'true {image}'",
    'conform --only magic [--extract there]',
    "conform --only magic --shell [--time 1] --reader 'sleep 1.5; true {image}'",
    "conform --only magic --shell [--memory 1] --reader 'sleep 0.5; true {image}'",
    "conform --only magic --reader 'true {image}' [--output json]"
  ]
}

/** Options whose effect is a time: rate-limit.test.ts shows that of the first. */
const timed = ['-r, --rate-limit <bytes>', '--jobs <n>']

const makeScene = async (): Promise<void> => {
  for (const each of [scene, own, join(own, 'below'), join(own, 'data')]) mkdirSync(each)
  const at = (name: string): string => join(scene, name)
  const io = (image: string, ...written: readonly string[]): Promise<void> =>
    runHere('io', ...written.flatMap((line) => ['-c', line]), image)
  await runHere('create', '-q', at('a.qcow2'), '1M')
  await io(at('a.qcow2'), 'write -q -P 5 0 64k')
  await runHere('snapshot', '-c', 's', at('a.qcow2'))
  await runHere('bitmap', '--add', at('a.qcow2'), 'b')
  await io(at('a.qcow2'), 'write -q -P 7 0 128k')
  await runHere('create', '-q', '-b', 'a.qcow2', '-F', 'qcow2', at('over.qcow2'))
  await io(at('over.qcow2'), 'write -q -P 9 128k 64k')
  await runHere('create', '-q', '-o', 'compat=0.10', at('old.qcow2'), '1M')
  await runHere('create', '-q', at('longer.qcow2'), '3M')
  await io(at('longer.qcow2'), 'write -q -P 7 0 128k')
  cpSync(at('a.qcow2'), at('off.qcow2'))
  await runHere('bitmap', '--disable', at('off.qcow2'), 'b')
  cpSync(at('a.qcow2'), at('two.qcow2'))
  await runHere('bitmap', '--add', at('two.qcow2'), 'c')
  await io(at('two.qcow2'), 'write -q -P 7 512k 128k')
  for (const [name, image] of [
    ['deep', 'broken-zstd-short'],
    ['vm', 'case-52-vm-state'],
    ['in-use', 'case-56-bitmap-in-use']
  ] as const)
    writeFileSync(at(`${name}.qcow2`), load(image).image)
  const whole = readFileSync(at('a.qcow2'))
  writeFileSync(at('leak.qcow2'), Buffer.concat([whole, Buffer.alloc(65536)]))
  const leaky = readFileSync(at('leak.qcow2'))
  const block = Number(leaky.readBigUInt64BE(Number(leaky.readBigUInt64BE(48))))
  leaky.writeUInt16BE(1, block + 2 * Math.floor((leaky.length - 1) / 65536))
  writeFileSync(at('leak.qcow2'), leaky)
  const end = readFileSync(at('longer.qcow2'))
  writeFileSync(at('cut.qcow2'), end.subarray(0, end.length - 65536))
  await runHere('create', '-q', join(own, 'busy.qcow2'), '1M')
  await runHere('create', '-q', join(own, 'below', 'base.qcow2'), '1M')
  await runHere('create', '-q', '-o', `data_file=${join(own, 'data', 'disk.raw')}`, at('data.qcow2'), '1M')
  const base = join(own, 'below', 'base.qcow2')
  await runHere('create', '-q', '-b', base, '-F', 'qcow2', at('outside.qcow2'))
}

/** Serves an image under three names. */
const serve = async () => {
  const file = readFileSync(join(scene, 'a.qcow2'))
  const server = createServer((request, response) => {
    const { url = '', headers } = request
    if (url === '/keyed' && headers['x-key'] !== '1') return response.writeHead(401).end()
    if (url === '/away') return response.writeHead(302, { location: `http://localhost:${port}/any` }).end()
    const [, from, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? []
    const [start, stop] = [Number(from), Math.min(Number(last), file.length - 1)]
    const answer = () =>
      response
        .writeHead(206, { 'content-range': `bytes ${start}-${stop}/${file.length}`, etag: '"one"' })
        .end(file.subarray(start, stop + 1))
    return url === '/slow' ? setTimeout(answer, 100) : answer()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, base: `http://127.0.0.1:${port}` }
}

/** A process that carries out command lines, each in its folder, and prints their outcomes. */
const helper = `
import { readFileSync } from 'node:fs'
import { execute } from ${JSON.stringify(new URL('../../src/node/program.js', import.meta.url).href)}
process.on('warning', () => undefined)
for (const { cwd, words } of JSON.parse(readFileSync(process.argv[1], 'utf8'))) {
  process.chdir(cwd)
  const report = ({ message }) => console.log(message)
  const done = await execute(words, report)()
  console.log(done._tag === 'Left' ? 'failed: ' + done.left.message : done.right, '\\0')
}`

const wordsOf = (line: string): readonly string[] =>
  [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? '')

/** What the files of a folder hold, and how much space they take. */
const digest = (cwd: string): string =>
  readdirSync(cwd, { recursive: true, encoding: 'utf8' })
    .filter((name) => statSync(join(cwd, name)).isFile())
    .toSorted()
    .map(
      (name) =>
        `${name} ${createHash('sha256')
          .update(readFileSync(join(cwd, name)))
          .digest('hex')}`
    )
    .join('\n')

const outcomes = async (all: readonly string[]): Promise<readonly string[]> => {
  const jobs = all.map((line, i) => {
    const cwd = join(folder, `${i}`)
    cpSync(scene, cwd, { recursive: true })
    return { cwd, words: wordsOf(line) }
  })
  const list = join(folder, 'jobs.json')
  writeFileSync(list, JSON.stringify(jobs))
  const args = ['--input-type=module', '-e', helper, list]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const pieces: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece))
  await once(child, 'close')
  const printed = Buffer.concat(pieces).toString('latin1').split('\0\n')
  assert.is(printed.length, all.length + 1)
  return jobs.map(({ cwd }, i) => {
    const outcome = `${(printed[i] ?? '').replaceAll(cwd, '')}\n${digest(cwd)}`
    rmSync(cwd, { recursive: true })
    return outcome
  })
}

/** What a command declares, hidden options too. */
const parserOf = async (name: CommandName): Promise<Parser> => {
  const parser = new Parser(name)
  ;(await loadCommand(name)).declare(
    parser,
    () => undefined,
    () => undefined
  )
  return parser
}

test('every option that a command takes changes an outcome, or is listed as ignored', async () => {
  for (const name of commandNames) {
    const { options } = await parserOf(name)
    const shown = (lines[name] ?? []).flatMap((line) => /\[([^\]|]*)/.exec(line)?.[1] ?? [])
    for (const { flags, short, long, hidden } of options) {
      const of = `${name} ${flags}`
      if (hidden) assert.ok(flags in reasons, of)
      else
        assert.ok(
          timed.includes(flags) ||
            shown.some((each) => [short, long].some((word) => word !== undefined && each.split(/[ =]/)[0] === word)),
          of
        )
    }
  }
})

test('the help of a command lists every option, the ignored ones too', async () => {
  for (const name of commandNames) {
    const parser = await parserOf(name)
    let help = ''
    parser.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
    for (const { flags } of parser.options) assert.ok(help.includes(flags), `${name} ${flags}`)
  }
})

test('a line has another outcome without its option', async () => {
  await makeScene()
  const { server, base } = await serve()
  const busy = await valueOf(lockImage(join(own, 'busy.qcow2')))
  const names: readonly (readonly [name: string, value: string])[] = [
    ['KEYED', `${base}/keyed`],
    ['SLOW', `${base}/slow`],
    ['AWAY', `${base}/away`],
    ['BUSY', join(own, 'busy.qcow2')],
    ['OVER', 'outside.qcow2'],
    ['FOLDER', own]
  ]
  const all = Object.values(lines).flat()
  const filled = all.map((line) => names.reduce((text, [name, value]) => text.replaceAll(name, value), line))
  const both = [
    ...filled.map((line) => line.replace(/\[([^\]|]*)(?:\|[^\]]*)?\]/, '$1')),
    ...filled.map((line) => line.replace(/\[[^\]|]*(?:\|([^\]]*))?\]/, '$1'))
  ]
  const found = await outcomes(both).finally(() => {
    busy.close()
    server.close()
  })
  assert.equal(
    all.filter((_, i) => found[i] === found[i + all.length]),
    []
  )
})

test.run()
