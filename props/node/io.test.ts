/** `qcow2 io`: the lines of qemu-io do, print and fail as they do there. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { encoderOf } from '../../src/node/compression/compress.js'
import { IoSession } from '../../src/node/io/io-session.js'
import { nodeAt } from '../../src/node/images/image-node.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { valueOf } from './outcome.js'
import { newMachine } from '../transition/model/machine.js'

const test = suite('io')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-io-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly code: number
  readonly out: string
  readonly error: string
}

/** Without times, and without the tool's name. */
const blank = (text: string): string =>
  text
    .replace(/; [0-9:.]+( sec)? \([^)]*\)/g, '; TIME')
    .replace(/^([0-9]+,[0-9]+),.*/gm, '$1,TIME')
    .replace(/^(qemu-io|qcow2): /gm, '')

const ours = async (image: string, lines: readonly string[]): Promise<Answer> => {
  const answer = { out: '', error: '' }
  const session = new IoSession({
    print: (text) => {
      answer.out += text
      return E.right(undefined)
    },
    report: ({ message }) => (answer.error += `${message}\n`),
    flush: () => E.right(undefined)
  })
  await valueOf(session.open(nodeAt(image)))
  const code = await valueOf(session.run(lines))
  session.close()
  return { code, out: blank(answer.out), error: blank(answer.error) }
}

const theirs = (image: string, lines: readonly string[]): Answer => {
  const args = lines.flatMap((line) => ['-c', line])
  const done = spawnSync('qemu-io', [...args, image], { encoding: 'utf8', input: '', cwd: folder })
  return { code: done.status ?? -1, out: blank(done.stdout), error: blank(done.stderr) }
}

const qemuImg = (...args: readonly string[]): string => {
  const done = spawnSync('qemu-img', args, { encoding: 'utf8', cwd: folder })
  assert.is(done.status, 0, `${args.join(' ')}: ${done.stdout}${done.stderr}`)
  return done.stdout
}

/** Both do the same to twins, say the same about it, and leave the same disk; ours is sound. */
const same = async (options: readonly string[], size: string, lines: readonly string[]): Promise<void> => {
  qemuImg('create', '-q', '-f', 'qcow2', ...options, 'theirs.qcow2', size)
  copyFileSync(place('theirs.qcow2'), place('ours.qcow2'))
  assert.equal(await ours(place('ours.qcow2'), lines), theirs(place('theirs.qcow2'), lines), lines.join('\n'))
  qemuImg('check', 'ours.qcow2')
  assert.is(qemuImg('compare', 'theirs.qcow2', 'ours.qcow2'), 'Images are identical.\n')
}

const written = [
  'write -P 5 0 100k',
  'write -P 0x1f 64k 300000',
  'read -P 5 0 64k',
  'read -v 60k 50',
  'write -P 7 1000 1',
  'read -v 990 33',
  'write -z 70000 1000',
  'write -z -u 128k 64k',
  'write -n -z 192k 64k',
  'write -n -z 64k 4k',
  'write -n -z 60k 100k',
  'discard 0 64k',
  'read -P 0 0 64k',
  'write -c -P 9 512k 64k',
  'write -c -z 512k 64k',
  'write -c -P 9 640k 128k',
  'write -c -P 9 640k 64k',
  'write -c 700k 64k',
  'write -P 3 650k 10k',
  'read -P 9 704k 64k',
  'map',
  'alloc 0 1M',
  'flush',
  'alloc 600k 200k'
]

for (const [what, options, size] of [
  ['clusters of 64 KiB', [], '1M'],
  ['clusters of 512 bytes', ['-o', 'cluster_size=512'], '1M'],
  ['version 2', ['-o', 'compat=0.10'], '1M'],
  ['subclusters', ['-o', 'extended_l2=on,cluster_size=64k'], '1M'],
  ['zstd', ['-o', 'compression_type=zstd'], '1M'],
  ['lazy refcounts', ['-o', 'lazy_refcounts=on'], '1M'],
  ['an external data file', ['-o', 'data_file=data.raw'], '1M'],
  ['an odd end', [], '1000448']
] as const)
  needsQemu(test)(`lines have the effect and the output of qemu-io with ${what}`, async () => {
    if (what !== 'an external data file') return same(options, size, written)
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'data_file=a.raw', 'theirs.qcow2', size)
    qemuImg('create', '-q', '-f', 'qcow2', '-o', 'data_file=b.raw', 'ours.qcow2', size)
    assert.equal(await ours(place('ours.qcow2'), written), theirs(place('theirs.qcow2'), written))
    qemuImg('check', 'ours.qcow2')
    assert.is(qemuImg('compare', 'theirs.qcow2', 'ours.qcow2'), 'Images are identical.\n')
  })

needsQemu(test)('lines over a backing file have the effect and the output of qemu-io', async () => {
  writeFileSync(place('base.raw'), new Uint8Array(2 ** 19).fill(0xee))
  await same(['-b', 'base.raw', '-F', 'raw'], '1M', [...written, 'write -n -z 300k 1000', 'read -P 0xee 400k 10k'])
})

const wordings = `
write 0
write
write 0 1 2
write -1 64k
write x 1k
write 0 y
write 1M 1
write 0xfffff 2
write 0 3G
write 0 2147483136
write 0 2147483137
write 0 9223372036854775807
write 0 9223372036854775808
write 16E 1
write 7E 1
write 1.5k 512
write 1.3k 512
write 1.3 512
write 010 512
write 1kb 512
write 0 .5k
write 0 0.5k
write 0 1e3
write 0 +512
write 0 0x
write 0 1.k
write 0 "512
write 0 0
write -P 256 0 4k
write -P -1 0 4k
write -P x 0 4k
write -P 1k 0 4k
write -P 08 0 4k
write -P 010 0 4k
write -P0x3 0 512
write -P
write -q 0 64k
write -C 0 64k
write -u 0 64k
write -n 0 64k
write -zP 1 0 64k
write -P 1 -s x 0 1
write -c 1 64k
write -c 64k 1
write -c 0 1k
write -y 0 64k
write 0 -- 512
write 0 512 -q
write -s /dev/null 0 64k
read -P 1 0 64k
read -P 3 -s 10 -l 10 0 64k
read -P 1 -s 10 0 64k
read -P 1 -l 10 0 64k
read -l 10 0 64k
read -s 10 0 64k
read -P 1 -s 64k -l 10 0 64k
read -P 1 -s 10 -l 64k 0 64k
read -P 1 -s x 0 64k
read -P 1 -s 100k 0 64k
read -n 0 64k
read -q -v 0 64
read 1M 1
read 0 3G
r 0 512
w 0 512
aio_read -P 3 0 512
aio_flush
aio_write -P 7 0 512
aio_flush
aio_write -z 0 64k
aio_flush
aio_write -u 0 64k
aio_write -z -P 1 0 64k
aio_flush
aio_write -z 0 1 2
aio_write 2M 512
aio_flush
aio_read 2M 512
aio_flush
writev -P 3 0 1k 1k
writev 0
writev 0 x
writev 0 1G 1G
writev 0 3G
writev 2M 1k
readv -P 3 0 1k 1k
readv -v 0 8 8
readv 2M 512
discard 0
discard 0 1
discard 2M 64k
discard 0 3G
discard -x 0 1
flush 1
length
length 1
l
alloc 2M
alloc 0 2M
alloc x
alloc 0 -1
map 1
truncate
truncate x
truncate -m foo 2M
truncate 2M
length
truncate -m metadata 3M
map
truncate 1M
m
foo
"foo bar" 1
read	0	512
# comment

sleep 1
sleep x
sleep
help foo
help write foo
help length
quit 1
write 0 512`.split('\n')

needsQemu(test)('a malformed line gets the message of qemu-io, and later lines are carried out', () =>
  same([], '1M', wordings)
)

for (const options of [[], ['-o', 'extended_l2=on'], ['-o', 'cluster_size=512']])
  needsQemu(test)(`VM state is written and read after the disk as by qemu-io, ${options.join(' ')}`, async () => {
    const first = ['write -P 1 0 64k', 'write -b -P 2 512 9k', 'read -b -P 2 512 9k', 'read -b -P 0 0 512', 'length']
    await same(options, '1M', [
      ...first,
      'read -b -P 0 1T 4k',
      'write -b 1 512',
      'read -b 0 1',
      'write -bz 0 512',
      'map'
    ])
    for (const image of ['theirs.qcow2', 'ours.qcow2']) qemuImg('snapshot', '-c', 'before', image)
    const lines = ['write -b -P 3 1k 2k', 'write -b -P 4 3M 70k', 'write -P 5 10k 1k', 'read -b -v 0 4k']
    const both = async (): Promise<void> => {
      assert.equal(await ours(place('ours.qcow2'), lines), theirs(place('theirs.qcow2'), lines))
      qemuImg('check', 'ours.qcow2')
    }
    await both()
    for (const image of ['theirs.qcow2', 'ours.qcow2']) qemuImg('snapshot', '-a', 'before', image)
    const read = ['read -b -P 2 512 9k', 'read -b -P 0 3M 70k', 'read -P 1 0 64k']
    assert.equal((await ours(place('ours.qcow2'), read)).code, 0)
    assert.equal(theirs(place('ours.qcow2'), read).code, 0)
    await both()
  })

needsQemu(test)('files are opened, described and closed as by qemu-io', async () => {
  qemuImg('create', '-q', '-f', 'qcow2', '-o', 'lazy_refcounts=on', 'third.qcow2', '3M')
  const third = place('third.qcow2')
  for (const options of [[], ['-o', 'compat=v2']])
    await same(options, '1M', [
      'info',
      'reopen',
      'reopen -r',
      'write 0 512',
      'write 0',
      'truncate x',
      'read 0 512',
      'reopen -w',
      'write -P 3 0 512',
      'reopen -r -w',
      `open ${third}`,
      'close',
      'close',
      'read 0 512',
      'read',
      `open -r ${third}`,
      'length',
      'info',
      'write 0 512',
      'close',
      `open -r -o driver=qcow2,read-only=on ${third}`,
      'length',
      'close',
      `open -r -o driver=qcow2,file.driver=file,file.filename=${third}`,
      'length',
      'q',
      'length'
    ])
})

needsQemu(test)('options are accepted or refused as by qemu-io', async () => {
  const lists = [
    'cache-size=1.25M,l2-cache-size=1M,refcount-cache-size=0.25M',
    'cache-size=1M,l2-cache-size=2M',
    'cache-size=1M,refcount-cache-size=2M',
    'cache-size=2M,l2-cache-size=1M',
    'l2-cache-size=1M,refcount-cache-size=0.25M',
    'cache-size=0',
    'overlap-check=constant,overlap-check.template=all',
    'overlap-check=all,overlap-check.template=all',
    'cache-clean-interval=4294967295',
    'cache-clean-interval=4294967296',
    'discard=unmap,detect-zeroes=unmap',
    'discard=no',
    'detect-zeroes=no'
  ]
  const [image, twin] = [place('optional.qcow2'), place('optional-twin.qcow2')]
  for (const name of [image, twin]) qemuImg('create', '-q', '-f', 'qcow2', name, '1M')
  const words = [
    '-t foo',
    '-t none',
    '-d foo',
    '-d unmap',
    '-i foo',
    '-i threads',
    ...lists.map((list) => `-o ${list}`)
  ]
  for (const line of [...words.map((w) => `close\nopen ${w} NAME`), 'reopen -c foo', 'reopen -c unsafe']) {
    const lines = (name: string): readonly string[] => [...line.replace('NAME', name).split('\n'), 'length']
    const [answer, wanted] = [await ours(image, lines(image)), theirs(twin, lines(twin))]
    assert.equal([answer.code, answer.out], [wanted.code, wanted.out], line)
  }
})

test('a raw file is read and written where its format is named', async () => {
  const raw = place('third.raw')
  writeFileSync(raw, new Uint8Array(2000).fill(1))
  const ignore = () => E.right(undefined)
  const session = new IoSession({ print: ignore, report: ignore, flush: ignore })
  const run = (...lines: readonly string[]): Promise<number> => valueOf(session.run(lines))
  await valueOf(session.open(nodeAt(raw, 'raw')))
  assert.is(await run('read -P 1 0 2000', 'write -P 2 512 512', 'write -z 1k 512', 'read -P 2 512 512'), 0)
  assert.is(await run('write -c -P 2 512 512'), 1)
  assert.is(await run('write -b 0 512'), 1)
  assert.is(await run('truncate 1k', 'info'), 0)
  session.close()
  assert.equal(readFileSync(raw), Buffer.concat([Buffer.alloc(512, 1), Buffer.alloc(512, 2)]))
})

test('flushed data is in the file, and a failed write changes nothing', async () => {
  const [image, twin] = [place('a.qcow2'), place('b.qcow2')]
  for (const file of [image, twin]) writeFileSync(file, load('case-01-empty-v3').image)
  assert.is((await ours(image, ['write 1T 1', 'foo', 'write -c 1 1'])).code, 1)
  assert.ok(readFileSync(image).equals(readFileSync(twin)))
  assert.is((await ours(image, ['write -P 3 0 64k'])).code, 0)
  assert.is((await ours(image, ['read -P 3 0 64k'])).code, 0)
})

for (const type of ['zlib', 'zstd'] as const)
  test(`a compressed write is as short as ${type} makes it`, async () => {
    const image = place(`${type}.qcow2`)
    const cluster = new Uint8Array(2 ** 16).map((_, i) => (i * i) >> 7)
    writeFileSync(place('cluster'), cluster)
    writeFileSync(image, newMachine({ size: 2 ** 20, compressionType: type }).files.image)
    assert.is((await ours(image, [`write -c -s ${place('cluster')} 64k 64k`])).code, 0)
    const payload = (await encoderOf(type))(cluster)
    assert.ok(payload !== undefined && readFileSync(image).includes(Buffer.from(payload)))
  })

test.run()
