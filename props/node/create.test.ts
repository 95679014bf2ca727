/** `qcow2 create`: the images, the lines and the refusals of qemu-img, and nothing lost where one is refused. */
import { spawnSync } from 'node:child_process'
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { check, exitCode } from '../../spec/reference/check.js'
import { openImage } from '../../spec/reference/image.js'
import { createQcow2, textsOf, type Wanted } from '../../src/node/commands/create.js'
import { formattingLine, optionTexts } from '../../src/node/text/image-options.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { messageOf, runHere } from './outcome.js'
import { allocated, allocatedFor } from './allocated.js'

const test = suite('qcow2 create')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-create-'))
const [ours, theirs] = [join(folder, 'ours'), join(folder, 'theirs')]
for (const side of [ours, theirs]) {
  mkdirSync(side)
  writeFileSync(join(side, 'base.raw'), 'base'.repeat(40_000))
}
const image = join(ours, 'image.qcow2')

test.after(() => {
  rmSync(folder, { recursive: true })
})

/** Options, and a size or that of the backing file. */
type Case = readonly [options: string, size: string | undefined, words?: Partial<Wanted>]

const over = { backing: 'base.raw', backingFormat: 'raw' }

const plain: readonly Case[] = [
  ['', '1G'],
  ['', '0'],
  ['', '0x100'],
  ['', '100b'],
  ['', '1.5M'],
  ['', '100001'],
  ['size=2M', undefined],
  ['compat=0.10', '1G'],
  ['compat=v2,cluster_size=512', '1M'],
  ['compat=v3', '1T'],
  ['compat=1.1,cluster_size=2M', '1T'],
  ['cluster_size=512', '4M'],
  ['cluster_size=1k,refcount_bits=1', '64M'],
  ['cluster_size=4k,lazy_refcounts=on', '1M'],
  ['cluster_size=8k,refcount_bits=64', '1M'],
  ['cluster_size=64k,cluster_size=128k', '1M'],
  ['refcount_bits=0x20', '1M'],
  ['refcount_bits=2', '1M'],
  ['lazy_refcounts=yes', '1M'],
  ['lazy_refcounts', '1M'],
  ['lazy_refcounts=off,extended_l2=off', '1M'],
  ['extended_l2=on', '1G'],
  ['extended_l2=on,cluster_size=16k', '1G'],
  ['extended_l2=on,cluster_size=2M,refcount_bits=8', '1G'],
  ['compression_type=zlib', '1M'],
  ['compression_type=zstd', '1M'],
  ['compression_type=zstd,extended_l2=on,lazy_refcounts=on', '1M'],
  ['preallocation=off', '1M'],
  ['data_file=data.raw', '1M'],
  ['data_file=data.raw,data_file_raw=off', '1M'],
  ['data_file=a,,b.raw', '1M'],
  ['', undefined, over],
  ['', '1M', over],
  ['extended_l2=on,cluster_size=32k', undefined, over],
  ['compat=0.10', undefined, over],
  ['cluster_size=512', undefined, over],
  ['backing_file=base.raw,backing_fmt=raw', undefined],
  ['backing_file=other.raw,backing_fmt=qcow2', undefined, over],
  ['', '1M', { backing: 'absent.qcow2', backingFormat: 'qcow2', unsafe: true }]
]

const placed: readonly Case[] = [
  ...(['metadata', 'falloc', 'full'] as const).flatMap((mode): readonly Case[] => [
    [`preallocation=${mode}`, '300k'],
    [`preallocation=${mode},cluster_size=512,refcount_bits=1`, '300k'],
    [`preallocation=${mode},extended_l2=on`, undefined, over],
    [`preallocation=${mode},data_file=data.raw`, '300k']
  ]),
  ['data_file=data.raw,data_file_raw=on', '300k']
]

const wantedOf = ([options, size, words = {}]: Case): Wanted => ({
  image,
  size,
  unsafe: false,
  ...words,
  options: options === '' ? [] : [options]
})

/** What our command prints on its output, or its refusal. The files are made; a data file that was there is removed before. */
const make = async (c: Case): Promise<string> => {
  for (const name of ['data.raw', 'a,b.raw']) rmSync(join(ours, name), { force: true })
  const texts = await textsOf(wantedOf(c))()
  if (E.isLeft(texts)) return texts.left.message
  return formattingLine(image, texts.right) + (await messageOf(createQcow2(image, texts.right)))
}

const qemuImg = (...args: readonly string[]) => {
  const done = spawnSync('qemu-img', args, { cwd: theirs, encoding: 'utf8' })
  return { code: done.status, text: done.stdout + done.stderr.replaceAll('qemu-img: ', '') }
}

/** The same of qemu-img's. */
const makeTheirs = (c: Case): ReturnType<typeof qemuImg> => {
  const { options, backing, backingFormat, unsafe } = wantedOf(c)
  return qemuImg(
    ...['create', '-f', 'qcow2', ...(unsafe ? ['-u'] : []), ...options.flatMap((o) => ['-o', o])],
    ...(backing === undefined ? [] : ['-b', backing]),
    ...(backingFormat === undefined ? [] : ['-F', backingFormat]),
    join(theirs, 'image.qcow2'),
    ...(c[1] === undefined ? [] : [c[1]])
  )
}

const asOurs = (text: string): string => text.replaceAll(theirs, ours)

const withoutEnd = (path: string): Buffer => {
  const bytes = readFileSync(path)
  return bytes.subarray(0, bytes.findLastIndex((b) => b !== 0) + 1)
}

needsQemu(test)(
  'an image and the line about it are those of qemu-img, byte for byte but for zeros at its end',
  async () => {
    for (const c of plain) {
      const answer = makeTheirs(c)
      assert.is(answer.code, 0, answer.text)
      assert.is(await make(c), asOurs(answer.text))
      assert.is(Buffer.compare(withoutEnd(image), withoutEnd(join(theirs, 'image.qcow2'))), 0, c[0])
    }
    assert.equal(
      readdirSync(ours).filter((name) => name.endsWith('.partial')),
      []
    )
  }
)

needsQemu(test)(
  'a preallocated image reads as that of qemu-img, has its entries, and takes space where asked to',
  async () => {
    for (const c of placed) {
      writeFileSync(join(theirs, 'data.raw'), 'old'.repeat(200_000))
      const answer = makeTheirs(c)
      assert.is(answer.code, 0, answer.text)
      assert.is(await make(c), asOurs(answer.text))
      const their = join(theirs, 'image.qcow2')
      assert.is(qemuImg('check', image).code, 0, c[0])
      assert.is(qemuImg('compare', '-f', 'qcow2', '-F', 'qcow2', image, their).code, 0, c[0])
      const mapped = (path: string): unknown =>
        JSON.parse(qemuImg('map', '--output=json', path).text, (key, value: unknown) => (key === 'offset' ? 0 : value))
      if (!c[0].includes('cluster_size=512')) assert.equal(mapped(image), mapped(their), c[0])
      if (c[0].includes('data_file')) assert.is(statSync(join(ours, 'data.raw')).size, 300 * 1024)
      if (/falloc|full/.test(c[0])) {
        const file = c[0].includes('data_file') ? join(ours, 'data.raw') : image
        assert.ok(c[1] === undefined || allocated(file) >= allocatedFor(file, 300 * 1024, 'zeros'), c[0])
      }
    }
  }
)

test('a new image has nothing wrong with it', async () => {
  for (const c of [...plain, ...placed]) {
    if (wantedOf(c).unsafe) continue
    assert.match(await make(c), /^Formatting [^\n]+\n$/)
    const found = check(openImage(readFileSync(image), undefined, undefined))
    assert.is(E.isRight(found) ? exitCode(found.right) : found.left, 0, c[0])
  }
})

const refused: readonly Case[] = [
  ['foo=1', '1M'],
  ['cluster_size=1000', '1M'],
  ['cluster_size=4M', '1M'],
  ['refcount_bits=3', '1M'],
  ['refcount_bits=128', '1M'],
  ['refcount_bits=0', '1M'],
  ['refcount_bits=1M', '1M'],
  ['refcount_bits=8,compat=0.10', '1M'],
  ['lazy_refcounts=on,compat=0.10', '1M'],
  ['extended_l2=on,compat=0.10', '1M'],
  ['extended_l2=on,cluster_size=4k', '1M'],
  ['compression_type=zstd,compat=0.10', '1M'],
  ['data_file=x.raw,compat=0.10', '1M'],
  ['data_file_raw=on', '1M'],
  ['compat=1.2', '1M'],
  ['preallocation=bar', '1M'],
  ['compression_type=bar', '1M'],
  ['lazy_refcounts=bar', '1M'],
  ['preallocation=metadata', '1M', over],
  ['data_file=x.raw,data_file_raw=on', '1M', over],
  ['', '1M', { backing: '', backingFormat: 'raw' }],
  ['backing_file=', '1M'],
  ['', '1M', { backingFormat: 'raw' }],
  ['size=2M', '1M'],
  ['', undefined],
  ['', undefined, { backing: 'absent.qcow2', backingFormat: 'qcow2', unsafe: true }],
  ['cluster_size=512', '1T'],
  ['compat=foo,cluster_size=3', '1M'],
  ['compat=0.10,extended_l2=on,cluster_size=3,lazy_refcounts=on', '1M'],
  ['compat=0.10,data_file=k.raw,refcount_bits=3,lazy_refcounts=on,compression_type=zstd,data_file_raw=on', '1M', over],
  ['compat=0.10,data_file=k.raw,refcount_bits=3,compression_type=zstd,data_file_raw=on', '1M', over],
  ['compat=0.10,data_file=k.raw,compression_type=zstd', '1M']
]

needsQemu(test)('options that qemu-img refuses are refused with its message, and the old file stays', async () => {
  for (const c of refused) {
    writeFileSync(image, 'kept')
    const answer = makeTheirs(c)
    assert.is(answer.code, 1, c[0])
    assert.is(`${await make(c)}\n`, asOurs(answer.text), c[0])
    assert.is(readFileSync(image, 'utf8'), 'kept')
  }
})

const run = (...args: readonly string[]) => {
  const done = spawnSync(process.execPath, [main, 'create', ...args], { cwd: ours, encoding: 'utf8' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

test('create prints one line for a new image or for an error, and a failed create changes no file', () => {
  rmSync(image, { force: true })
  const made = run('-f', 'qcow2', '-o', 'cluster_size=4k', '-o', 'compat=0.10', 'image.qcow2', '1M')
  assert.is(made.code, 0, made.error)
  assert.match(made.out, /^Formatting 'image.qcow2', fmt=qcow2 cluster_size=4096 .* compat=0.10 .*refcount_bits=16\n$/)
  assert.equal(run('-q', '-b', 'base.raw', '-F', 'raw', 'image.qcow2'), { code: 0, out: '', error: '' })
  const before = readFileSync(image)
  writeFileSync(join(ours, 'full.raw'), 'full')
  for (const [why, ...args] of [
    ['Could not open', '-b', 'absent', '-F', 'raw', 'image.qcow2'],
    ['same filename', '-b', 'image.qcow2', '-F', 'raw', 'image.qcow2', '1M'],
    ["Unknown driver 'vmdk'", '-b', 'base.raw', '-F', 'vmdk', 'image.qcow2', '1M'],
    ['Invalid image size', 'image.qcow2', 'large'],
    ['between 0 and 9223372036854775807', 'image.qcow2', '9E'],
    ['no such file or directory', '-q', 'missing/image.qcow2', '1M'],
    ['not a regular file', '-q', '/dev/full', '1M'],
    ['no such file or directory', '-q', '-o', 'data_file=missing/data', 'image.qcow2', '1M'],
    ["the data file 'full.raw' holds 4 bytes", '-q', '-o', 'data_file=full.raw', 'image.qcow2', '1M'],
    ['not a regular file', '-q', '-o', 'data_file=', 'image.qcow2', '1M'],
    ['encrypt.format', '-o', 'encrypt.format=luks', 'image.qcow2', '1M']
  ] as const) {
    const { code, error } = run(...args)
    assert.is(code, 1, error)
    assert.match(error, /^qcow2: [^\n]+\n$/)
    assert.ok(error.includes(why), error)
    assert.ok(readFileSync(image).equals(before))
  }
  assert.equal(readdirSync(ours).toSorted(), ['base.raw', 'full.raw', 'image.qcow2'])
  assert.is(readFileSync(join(ours, 'full.raw'), 'utf8'), 'full')
})

test('a kept data file is made longer only for an image that is created', () => {
  const data = join(ours, 'kept.raw')
  writeFileSync(data, 'kept')
  const keeping = (image: string) =>
    run('-q', '-o', `data_file=${data},data_file_raw=on,keep_data_file=on`, image, '100001')
  assert.match(keeping('/dev/full').error, 'not a regular file')
  assert.is(readFileSync(data, 'utf8'), 'kept')
  assert.match(keeping(data).error, 'is the same file')
  assert.is(readFileSync(data, 'utf8'), 'kept')
  assert.is(keeping('over.qcow2').error, '')
  assert.is(readFileSync(data, 'latin1'), `kept${'\0'.repeat(100_348)}`)
  const convert = [main, 'convert', '-f', 'raw', '-O', 'qcow2', data, 'copy.qcow2']
  const options = ['-o', 'data_file=kept.raw,data_file_raw=on,keep_data_file=on']
  const done = spawnSync(process.execPath, [...convert, ...options], { cwd: ours, encoding: 'utf8' })
  assert.match(done.stderr, "Parameter 'keep_data_file' is not supported: convert writes the whole data file")
  assert.is(readFileSync(data, 'latin1'), `kept${'\0'.repeat(100_348)}`)
  for (const name of ['kept.raw', 'over.qcow2']) rmSync(join(ours, name))
})

test('no image is its own data file, by whatever names', () => {
  const own = join(ours, 'own')
  mkdirSync(own)
  symlinkSync('.', join(own, 'here'))
  const both = (image: string, data: string) => run('-q', '-o', `data_file=${data}`, `own/${image}`, '1M')
  for (const [image, data] of [
    ['disk', 'disk'],
    ['disk', './here/disk'],
    ['here/disk', join(own, 'disk')],
    ['disk', '../own/disk']
  ] as const)
    assert.match(both(image, data).error, /^qcow2: Could not create [^\n]+ is the same file\n$/)
  writeFileSync(join(own, 'empty'), '')
  linkSync(join(own, 'empty'), join(own, 'linked'))
  assert.match(both('empty', 'linked').error, 'is the same file')
  assert.equal(readdirSync(own).toSorted(), ['empty', 'here', 'linked'])
  assert.is(both('empty', 'disk').error, '')
  assert.is(both('disk.qcow2', 'linked').error, '')
})

test('a full disk keeps the old file and leaves no other', () => {
  writeFileSync(image, 'kept')
  const limited = `ulimit -f 4096; exec "$0" "$@"`
  const args = [main, 'create', '-q', '-o', 'preallocation=full', 'image.qcow2', '64M']
  const done = spawnSync('sh', ['-c', limited, process.execPath, ...args], { cwd: ours, encoding: 'utf8' })
  assert.is(done.status, 1, done.stderr)
  assert.match(done.stderr, /^qcow2: Could not write 'image.qcow2': file too large\n$/)
  assert.is(readFileSync(image, 'utf8'), 'kept')
  assert.ok(!readdirSync(ours).some((name) => name.endsWith('.partial')))
})

test('a new image replaces the old file, and a symbolic link is followed', async () => {
  writeFileSync(join(ours, 'place'), 'old'.repeat(100_000), { mode: 0o600 })
  symlinkSync('place', join(ours, 'link'))
  await runHere('create', '-q', join(ours, 'link'), '1M')
  assert.is(readlinkSync(join(ours, 'link')), 'place')
  const { mode, size } = statSync(join(ours, 'place'))
  assert.is(mode & 0o777, 0o600)
  assert.ok(size < 300_000)
})

test('options of the host file are accepted with the one value that they have here, and refused with another', () => {
  const reasonOf = (...options: readonly string[]): string => {
    const texts = optionTexts({ options, size: '1M' })
    return E.isLeft(texts) ? texts.left.message : [...texts.right.keys()].join(' ')
  }
  assert.is(reasonOf('nocow=off,extent_size_hint=0,encryption=off'), 'size')
  assert.match(reasonOf('nocow=on'), "Parameter 'nocow' does not accept value 'on'")
  assert.match(reasonOf('extent_size_hint=1M'), "Parameter 'extent_size_hint' does not accept value '1M'")
})

test.run()
