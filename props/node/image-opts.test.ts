/** Images that are named by options: `--image-opts`, `json:{…}`, and what is opened below an image. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { isObject } from '../../src/bytes/json.js'
import type { CommandError } from '../../src/node/command-error.js'
import type { ImageNode } from '../../src/node/images/image-node.js'
import { imageNode } from '../../src/node/images/node-options.js'
import { holds } from '../run/holds.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { type Ran, runLines } from './batch.js'
import { runHere } from './outcome.js'

const test = suite('images by options')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-image-opts-'))
const at = (name: string): string => join(folder, name)

/** A name `json:{…}` as the backing file name of an image, which nothing opens yet. */
const naming = (name: string, backing: string, format: string): Promise<void> =>
  runHere('create', '-q', '-u', '-b', backing, '-F', format, at(name), '64k')

test.before(async () => {
  mkdirSync(at('sub'))
  await runHere('create', '-q', at('o.qcow2'), '1M')
  await runHere('io', '-c', 'write -q -P 5 0 64k', '-c', 'write -q -P 6 512k 4k', at('o.qcow2'))
  await runHere('create', '-q', '-b', 'o.qcow2', '-F', 'qcow2', at('over.qcow2'))
  await runHere('io', '-c', 'write -q -P 9 128k 64k', at('over.qcow2'))
  writeFileSync(at('t.tar'), Buffer.concat([Buffer.alloc(512, 1), readFileSync(at('o.qcow2')), Buffer.alloc(1000, 2)]))
  await runHere('create', '-q', '-o', 'data_file=d.raw', at('e.qcow2'), '1M')
  await runHere('io', '-c', 'write -q -P 7 0 64k', at('e.qcow2'))
  copyFileSync(at('d.raw'), at('d2.raw'))
  await runHere('io', '-c', 'write -q -P 8 0 64k', at('e.qcow2'))
  await naming('js.qcow2', 'json:{"driver":"qcow2","file":{"driver":"file","filename":"o.qcow2"}}', 'qcow2')
  await naming('dotted.qcow2', 'json:{"file.filename":"over.qcow2"}', 'qcow2')
  await naming('part.qcow2', 'json:{"driver":"raw","offset":512,"size":65536,"file":{"filename":"t.tar"}}', 'raw')
  await naming('sub/outside.qcow2', 'json:{"file.filename":"o.qcow2"}', 'qcow2')
  await naming('server.qcow2', 'json:{"driver":"raw","file":{"driver":"http","url":"http://127.0.0.1:1/x"}}', 'raw')
  await naming(
    'below.qcow2',
    'json:{"file.filename":"o.qcow2","backing.file.filename":"/etc/passwd","backing.driver":"raw"}',
    'qcow2'
  )
  await naming('nbd.qcow2', 'json:{"driver":"nbd","path":"/run/x"}', 'raw')
})
test.after(() => {
  rmSync(folder, { recursive: true })
})

const theirs = (command: string, ...args: readonly string[]): Ran => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  return { code: status ?? -1, out: stdout, error: stderr }
}

const part = 'driver=qcow2,file.driver=raw,file.offset=512,file.file.filename=t.tar'

/** Names of images, each with the options that it goes after. */
const names: readonly (readonly string[])[] = [
  ['json:{"driver":"qcow2","file":{"driver":"file","filename":"o.qcow2"},"backing":null}'],
  ['json:{"file.filename":"over.qcow2","backing":{"driver":"raw"}}'],
  ['--image-opts', 'driver=qcow2,file.filename=o.qcow2,backing='],
  ['--image-opts', 'driver=qcow2,file.filename=over.qcow2,backing='],
  ['--image-opts', 'driver=qcow2,file.filename=over.qcow2,backing.driver=qcow2,backing.backing='],
  [
    '--image-opts',
    `driver=qcow2,file.filename=over.qcow2,backing.driver=raw,backing.offset=512,backing.file.filename=t.tar`
  ],
  ['--image-opts', 'driver=qcow2,file.filename=e.qcow2,data-file.driver=file,data-file.filename=d2.raw'],
  ['--image-opts', 'driver=qcow2,file.filename=e.qcow2,data-file.driver=raw,data-file.file.filename=d2.raw'],
  ['--image-opts', part],
  ['js.qcow2'],
  ['dotted.qcow2'],
  ['part.qcow2']
]

/** What both report of an image but for the names of files, which may be options. */
const reported = [
  ...['virtual-size', 'cluster-size', 'format', 'actual-size', 'backing-filename'],
  ...['check-errors', 'image-end-offset', 'total-clusters', 'allocated-clusters', 'fragmented-clusters']
]

const shared = (json: string): unknown => {
  const report: unknown = JSON.parse(json)
  return isObject(report) ? reported.map((key) => report[key]) : json
}

/** A name as its options, in any order, and with numbers where QEMU keeps the text of a list. */
const asOptions = (name: unknown): unknown => {
  const numbers = (_: string, value: unknown): unknown =>
    typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value
  if (typeof name !== 'string' || !name.startsWith('json:')) return name
  const options: unknown = JSON.parse(name.slice('json:'.length), numbers)
  return isObject(options) ? Object.fromEntries(Object.entries(options).toSorted()) : options
}

const nameIn = (json: string): unknown => {
  const report: unknown = JSON.parse(json)
  return isObject(report) ? asOptions(report['filename']) : report
}

needsQemu(test)('reports name a part of a file by its options', () => {
  const sized = 'offset=512,size=65536'
  const ways = [
    part,
    part.replace('file.offset=512', `file.${sized.replace(',', ',file.')}`),
    `driver=raw,${sized},file.filename=t.tar`
  ]
  for (const words of ways) {
    const [own] = runLines(folder, [['info', '--output=json', '--image-opts', words]])
    const expected = theirs('qemu-img', 'info', '--output=json', '--image-opts', words)
    assert.equal(nameIn(own?.out ?? ''), nameIn(expected.out), words)
  }
  const [mapped, chain] = runLines(folder, [
    ['map', '--image-opts', part],
    ['info', '--backing-chain', '--output=json', 'part.qcow2']
  ])
  assert.match(
    mapped?.out ?? '',
    /0x50000 +json:\{"driver":"raw","offset":512,"file":\{"driver":"file","filename":"t.tar"\}\}\n/
  )
  const sizes = (json: string): readonly unknown[] => {
    const layers: unknown = JSON.parse(json)
    return Array.isArray(layers) ? layers.map((layer: unknown) => isObject(layer) && layer['virtual-size']) : []
  }
  const expected = theirs('qemu-img', 'info', '--backing-chain', '--output=json', 'part.qcow2')
  assert.equal(sizes(chain?.out ?? ''), sizes(expected.out))
})

const digest = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(at(name)))
    .digest('hex')

const withoutSpeed = (text: string): string => text.replace(/\n[^\n]*ops\/sec\)\n$/, '')

needsQemu(test)('every way to name an image gives what qemu-img gives', () => {
  const reports = ['map', 'check', 'info'].map((command) => [command, '--output=json'])
  const ways = names.map((name) => [
    ...reports.map((words) => [...words, ...name]),
    ['convert', '-O', 'raw', ...name, 'ours.raw'],
    ['compare', '-f', 'raw', '-F', 'raw', 'ours.raw', 'theirs.raw'],
    ['io', '-r', '-c', 'read -v 124k 8k', ...name]
  ])
  for (const [i, name] of names.entries()) {
    const title = name.join(' ')
    assert.is(theirs('qemu-img', 'convert', '-O', 'raw', ...name, 'theirs.raw').code, 0, title)
    const own = runLines(folder, ways[i] ?? [])
    for (const { error } of own) assert.is(error, '', title)
    for (const [j, words] of reports.entries()) {
      const expected = theirs('qemu-img', ...words, ...name)
      // qemu-img's info opens no backing file, and takes no options for one.
      if (expected.error.includes("option 'backing.")) continue
      assert.is(expected.code, 0, expected.error)
      assert.equal(shared(own[j]?.out ?? ''), shared(expected.out), `${words[0] ?? ''} ${title}`)
    }
    assert.is(digest('ours.raw'), digest('theirs.raw'), title)
    assert.is(own[4]?.out, 'Images are identical.\n', title)
    const read = theirs('qemu-io', '-r', '-c', 'read -v 124k 8k', ...name)
    assert.is(withoutSpeed(own[5]?.out ?? ''), withoutSpeed(read.out), title)
  }
})

/** Words that name an image, and the reason why it is not opened; where it is given, qemu-img's is the same. */
const refused: readonly (readonly [words: string, why: string, theirs?: false])[] = [
  ['o.qcow2', "Cannot find device='o.qcow2' nor node-name='o.qcow2'"],
  ['driver=qcow2', 'A block device must be specified for "file"'],
  ['filename=o.qcow2', 'Must specify either driver or file'],
  ['driver=qcow2,file=o.qcow2', "Cannot find device='o.qcow2' nor node-name='o.qcow2'"],
  ['driver=nosuch,file.filename=o.qcow2', "Unknown driver 'nosuch'"],
  ['driver=constructor,filename=o.qcow2,foo=1', "Unknown driver 'constructor'"],
  ['driver=qcow2,file.driver=nosuch,file.filename=o.qcow2', "Unknown driver 'nosuch'"],
  ['driver=qcow2,file.driver=nbd,file.path=x', "Driver 'nbd' is not supported", false],
  ['driver=qcow2,file.driver=qcow2,file.file.filename=o.qcow2', "Driver 'qcow2' is not supported", false],
  ['driver=qed,file.filename=o.qcow2', "Driver 'qed' is not supported", false],
  ['driver=qcow2,file.filename=o.qcow2,foo=1', "Block format 'qcow2' does not support the option 'foo'"],
  ['driver=qcow2,file.filename=o.qcow2,file.foo=1', "Block protocol 'file' doesn't support the option 'foo'"],
  ['driver=raw,file.filename=o.qcow2,backing.driver=raw', "Driver doesn't support backing files"],
  ['driver=raw,size=1000,file.filename=o.qcow2', 'Specified size is not multiple of 512'],
  [
    'driver=raw,offset=99999999,file.filename=t.tar',
    'Offset (99999999) cannot be greater than size of the containing file'
  ],
  ['driver=raw,offset=512,size=1M,file.filename=t.tar', 'The sum of offset (512) and size (1048576) has to be smaller'],
  ['driver=qcow2,file.filename=o.qcow2,read-only=maybe', "Parameter 'read-only' expects 'on' or 'off'"],
  [
    'driver=qcow2,file.driver=host_device,file.filename=o.qcow2',
    "'host_device' driver requires 'o.qcow2' to be either"
  ],
  ['driver=qcow2,file.filename=over.qcow2,backing=o.qcow2', "Cannot find device='o.qcow2' nor node-name='o.qcow2'"],
  ['driver=qcow2,file.filename=o.qcow2,backing.driver=qcow2', 'Could not open backing file: A block device must be'],
  ['driver=qcow2,file.filename=o.qcow2,backing.node-name=x', 'Could not open backing file: Must specify either driver'],
  ['driver=qcow2,file.filename=o.qcow2,data-file.filename=d.raw', "'data-file' can only be set for images with an"],
  ['driver=qcow2,file.driver=http,file.url=https://h/x', "'https://h/x' is no URL of the protocol 'http'", false],
  [
    'driver=qcow2,file.driver=https,file.url=https://h/x,file.sslverify=off',
    "doesn't support the option 'sslverify'",
    false
  ],
  ['json:[]', 'Invalid JSON object given'],
  ['json:{', 'Could not parse the JSON options'],
  ['json:{"driver":"raw","driver":"raw","file.filename":"o.qcow2"}', 'duplicate key'],
  ['json:{"driver":"qcow2","file":{"driver":"file","filename":3}}', "The 'file' block driver requires a file name"],
  [
    'json:{"driver":"qcow2","lazy-refcounts":1,"file.filename":"o.qcow2"}',
    "Parameter 'lazy-refcounts' expects 'on' or"
  ],
  ['json:{"driver":"raw","offset":0.5,"file.filename":"o.qcow2"}', "Parameter 'offset' expects a non-negative number"],
  [
    Array.from({ length: 70 }, (_, depth) => `${'file.'.repeat(depth)}driver=raw`).join(','),
    'More than 64 images and files in each other',
    false
  ],
  [`json:${'{"file":'.repeat(70)}{}${'}'.repeat(70)}`, 'more than 64 objects in each other', false],
  [`driver=raw,file.filename=${'x'.repeat(2 ** 16)}`, 'at most 65536 are supported', false]
]

test('what is not supported is refused with its name, in the words of qemu-img', () => {
  const lines = refused.map(([words]) => [
    'convert',
    ...(words.startsWith('json:') ? [] : ['--image-opts']),
    words,
    'none.raw'
  ])
  for (const [i, { code, error }] of runLines(folder, lines).entries()) {
    const [words = '', why = ''] = refused[i] ?? []
    assert.is(code, 1, words)
    assert.ok(error.includes(why), `${words}: ${error}`)
  }
})

needsQemu(test)('qemu-img refuses the same for the same reason', () => {
  for (const [words, why, same] of refused) {
    if (same === false) continue
    const options = words.startsWith('json:') ? [] : ['--image-opts']
    const { code, error } = theirs('qemu-img', 'convert', '-O', 'raw', ...options, words, 'none.raw')
    assert.is(code, 1, words)
    assert.ok(error.includes(why), `${words}: ${error}`)
  }
})

test('what options in an image name is data: it is opened in the folder of the image, and no server is asked', () => {
  const away = ['sub/outside.qcow2', 'server.qcow2', 'below.qcow2', 'nbd.qcow2']
  const reasons = [
    /it lies outside the image's folder; --allow .* lets it be opened$/,
    /only the command line names a server$/,
    /it lies outside the image's folder; --allow \/etc lets it be opened$/,
    /Driver 'nbd' is not supported$/
  ]
  for (const [i, { code, error }] of runLines(
    folder,
    away.map((name) => ['convert', name, 'none.raw'])
  ).entries()) {
    assert.is(code, 1, away[i])
    assert.match(error, reasons[i] ?? '')
  }
  const [allowed] = runLines(folder, [['convert', '--allow', '.', 'sub/outside.qcow2', 'none.raw']])
  assert.is(allowed?.error, '')
})

/** Lines that change an image, and why its options forbid that; the image stays as it is. */
const forbidden: readonly (readonly [line: string, why: string])[] = ['read-only=on', 'force-share=on'].flatMap(
  (option) => {
    const named = `--image-opts driver=qcow2,file.filename=o.qcow2,${option}`
    const why = option === 'read-only=on' ? 'Block node is read-only' : 'can only be used with read-only images'
    const lines = ['resize', 'snapshot -c s', 'amend -o lazy_refcounts=on', 'rebase -u -b ', 'check -r all']
    const all = lines.map((line) => (line === 'resize' ? `resize ${named} 2M` : `${line} ${named}`))
    return [...all, `bitmap --add ${named} b`, `convert -n e.qcow2 --target-${named.slice(2)}`].map(
      (line) => [line, why] as const
    )
  }
)

test('options that forbid writing are kept by every command', () => {
  const before = digest('o.qcow2')
  const ran = runLines(
    folder,
    forbidden.map(([line]) => line.split(' '))
  )
  for (const [i, { code, error }] of ran.entries()) {
    const [line = '', why = ''] = forbidden[i] ?? []
    assert.is(code, 1, line)
    assert.ok(error.endsWith(why) || error.includes('can only be used without -r'), `${line}: ${error}`)
  }
  assert.is(digest('o.qcow2'), before)
})

test('lazy refcounts are refused for version 2 whatever is done', async () => {
  await runHere('create', '-q', '-o', 'compat=0.10', at('v2.qcow2'), '64k')
  const named = ['--image-opts', 'driver=qcow2,file.filename=v2.qcow2,lazy-refcounts=on']
  const lines = ['info', 'check', 'map', 'snapshot -l'].map((line) => [...line.split(' '), ...named])
  for (const { error } of runLines(folder, [...lines, ['convert', ...named, 'none.raw'], ['resize', ...named, '1M']]))
    assert.match(error, /Lazy refcounts require a qcow2 image with at least qemu 1.1 compatibility level$/)
})

/** Options of an image with values of their kinds; what is nested is an object. */
const trees = fc.letrec<{ image: object; file: object }>((tie) => ({
  image: fc.record(
    {
      driver: fc.constantFrom('qcow2', 'raw'),
      'read-only': fc.boolean(),
      'detect-zeroes': fc.constantFrom('on', 'off'),
      discard: fc.constantFrom('ignore', 'unmap'),
      file: tie('file'),
      backing: fc.oneof({ depthSize: 'small' }, fc.constant(null), tie('image'))
    },
    { requiredKeys: [] }
  ),
  file: fc.oneof(
    { depthSize: 'small' },
    fc.record({ driver: fc.constant('file'), filename: fc.string({ minLength: 1 }) }),
    fc.record({ driver: fc.constant('raw'), offset: fc.nat(), file: tie('file') })
  )
}))

/** The same options as a list. */
const asList = (tree: object, before = ''): readonly string[] =>
  Object.entries(tree).flatMap(([key, value]: readonly [string, unknown]) => {
    const name = before + key
    if (value === null) return [`${name}=`]
    if (typeof value === 'object') return asList(value, `${name}.`)
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    return [`${name}=${text.replaceAll(',', ',,')}`]
  })

test('a list of options and an object make the same value', () => {
  let named = 0
  const property = fc.property(trees.image, (tree) => {
    const [list, json]: readonly E.Either<CommandError, ImageNode>[] = [
      imageNode({ words: asList(tree).join(','), byOptions: true }),
      imageNode({ words: `json:${JSON.stringify(tree)}`, byOptions: false })
    ]
    assert.equal(list, json)
    if (list !== undefined && E.isRight(list)) named++
  })
  holds(property, { runs: 2000 })
  assert.ok(named > 100, `${named}`)
})

test('images are created, rebased, committed and written into by options', () => {
  const json = 'json:{"driver":"qcow2","file.filename":"copy.qcow2"}'
  copyFileSync(at('o.qcow2'), at('copy.qcow2'))
  const lines = [
    ['create', '-q', '-F', 'qcow2', '-b', json, 'new.qcow2'],
    ['rebase', '-F', 'qcow2', '-b', json, 'over.qcow2'],
    ['io', '-c', 'write -q -P 3 256k 64k', 'new.qcow2'],
    ['commit', '-q', '--image-opts', 'driver=qcow2,file.filename=new.qcow2'],
    ['create', '-q', 'target.qcow2', '1M'],
    ['convert', '-n', '--target-image-opts', json, 'driver=qcow2,file.filename=target.qcow2'],
    ['compare', 'copy.qcow2', 'target.qcow2'],
    ['compare', '-q', 'over.qcow2', 'new.qcow2']
  ]
  const ran = runLines(folder, lines)
  assert.equal(
    ran.map(({ code, error }) => [code, error]),
    ran.map((_, i) => [i === ran.length - 1 ? 1 : 0, ''])
  )
  assert.is(ran.at(-2)?.out, 'Images are identical.\n')
})

test('texts in single quotes are texts too, as in QEMU', () => {
  const nameOf = (json: string): unknown => {
    const node = imageNode({ words: `json:{'file.filename':${json}}`, byOptions: false })
    return E.isRight(node) && node.right.file.name
  }
  assert.is(nameOf(`'a"b\\'c'`), `a"b'c`)
  assert.is(nameOf(`"it's"`), "it's")
  assert.is(nameOf(`'a\\\\'`), 'a\\')
})

test('a part of a part is a part of the file', () => {
  const words = 'driver=raw,offset=512,size=1024,file.driver=raw,file.offset=1k,file.size=4k,file.file.filename=t.tar'
  const node = imageNode({ words, byOptions: true })
  assert.equal(E.isRight(node) && node.right.file, { name: 't.tar', part: { offset: 1536, size: 1024 } })
  const outside = imageNode({ words: words.replace('1024', '4k'), byOptions: true })
  assert.match(E.isLeft(outside) ? outside.left.message : '', 'The sum of offset')
})

test.run()
