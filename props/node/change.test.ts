/** Commands that change images: they do and say what qemu-img does, and where they are refused nothing changes. */
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { needsQemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { allocated, allocatedFor } from './allocated.js'

const test = suite('change')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-change-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

interface Answer {
  readonly code: number | null
  readonly out: string
  readonly error: string
}

const run = (program: string, args: readonly string[]): Answer => {
  const done = spawnSync(program, args, { encoding: 'utf8', cwd: folder, input: '' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

const qcow2 = (...args: readonly string[]): Answer => run(process.execPath, [main, ...args])

const done = (answer: Answer): string => {
  assert.is(answer.code, 0, answer.error)
  return answer.out
}

const refused = (answer: Answer, ...words: readonly string[]): void => {
  assert.is(answer.code, 1, answer.error)
  assert.match(answer.error, /^qcow2: [^\n]+\n$/)
  for (const word of words) assert.ok(answer.error.includes(word), `${word} in ${answer.error}`)
}

const blank = (text: string): string =>
  text.replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'DATE').replace(/theirs|ours/g, 'X')

/**
 * Both carry out the lines on twins, in which there are 300 KiB of data and 64 KiB of zeros: with the same exit code, the same
 * output, and the same disk after each.
 */
const same = (options: readonly string[], lines: readonly string[]): void => {
  done(run('qemu-img', ['create', '-q', '-f', 'qcow2', ...options, 'theirs.qcow2', '1M']))
  done(run('qemu-io', ['-c', 'write -P 3 0 300k', '-c', 'write -z 512k 64k', 'theirs.qcow2']))
  copyFileSync(place('theirs.qcow2'), place('ours.qcow2'))
  for (const line of lines) {
    const args = (image: string): readonly string[] => line.split(' ').map((word) => (word === 'IMG' ? image : word))
    const [theirs, ours] = [run('qemu-img', args('theirs.qcow2')), qcow2(...args('ours.qcow2'))]
    assert.is(ours.code, theirs.code, `${line}: ${theirs.error}${ours.error}`)
    assert.is(blank(ours.out), blank(theirs.out), line)
    if (ours.code !== 0) continue
    assert.is(run('qemu-img', ['compare', 'theirs.qcow2', 'ours.qcow2']).code, 0, line)
    assert.is(run('qemu-img', ['check', 'ours.qcow2']).code, 0, line)
  }
}

needsQemu(test)('snapshots are taken, listed, gone back to and deleted as by qemu-img', () => {
  same(
    [],
    [
      'snapshot -l IMG',
      'snapshot -c one IMG',
      'snapshot -c one IMG',
      'snapshot -c a-name-that-is-longer-than-its-column IMG',
      'snapshot -l IMG',
      'snapshot -a 1 IMG',
      'snapshot -d 2 IMG',
      'snapshot -q -d one IMG',
      'snapshot -U -l IMG',
      'snapshot -a none IMG'
    ]
  )
})

needsQemu(test)('a disk gets another size as by qemu-img', () => {
  same(
    [],
    [
      'resize IMG 2M',
      'resize IMG +1M',
      'resize IMG -1M',
      'resize --shrink IMG -1M',
      'resize --shrink IMG -10M',
      'resize --shrink IMG 1000',
      'resize IMG x',
      'resize IMG +0',
      'resize -q IMG 4M',
      'resize --preallocation=metadata IMG 5M',
      'resize --preallocation=full --shrink IMG 1M',
      'resize --shrink IMG 128k'
    ]
  )
})

test('preallocated growth takes up space, and metadata-only growth takes none', () => {
  const image = place('grown.qcow2')
  const gained = 8 * 2 ** 20
  const [zeros, hole] = [allocatedFor(image, gained, 'zeros'), allocatedFor(image, gained, 'hole')]
  for (const [mode, least, most] of [
    ['metadata', 0, hole + 2 ** 20],
    ['falloc', zeros, Infinity],
    ['full', zeros, Infinity]
  ] as const) {
    done(qcow2('create', '-q', image, '1M'))
    done(qcow2('resize', '-q', `--preallocation=${mode}`, image, '9M'))
    const used = allocated(image)
    assert.ok(used >= least && used < most, `${mode}: ${used} bytes`)
  }
})

needsQemu(test)('bitmaps are added, changed and removed as by qemu-img', () => {
  same(
    [],
    [
      'bitmap --add IMG b0',
      'bitmap --add IMG b0',
      'bitmap --add -g 1k --disable IMG b1',
      'bitmap --merge b0 --enable IMG b1',
      'bitmap --clear --merge b0 --disable IMG b1',
      'bitmap --remove IMG b0',
      'bitmap --remove --add IMG b0',
      'bitmap -g 64k --clear IMG b1',
      'bitmap IMG b1'
    ]
  )
  assert.match(done(run('qemu-img', ['info', 'ours.qcow2'])), /flags:\n\s+name: b1\n\s+granularity: 1024\n/)
})

needsQemu(test)('properties are amended, and backing files named, as by qemu-img', () => {
  same(
    [],
    [
      'amend -o compat=0.10 IMG',
      'amend -o lazy_refcounts=on IMG',
      'amend -o compat=v3,lazy_refcounts=on,refcount_bits=64,size=2M IMG',
      'amend -o compat=v2 IMG',
      'amend -o refcount_bits=16 -o size=3M -o compat=v2 IMG',
      'amend -o cluster_size=4k IMG',
      'amend -o foo=1 IMG',
      'amend -o backing_file=x IMG',
      'amend -o data_file_raw=off IMG',
      'amend -o data_file_raw=on IMG',
      'amend -o compat=1.1 IMG'
    ]
  )
  writeFileSync(place('base.raw'), new Uint8Array(2 ** 20).fill(7))
  same(
    [],
    [
      'rebase -u -b base.raw -F raw IMG',
      'rebase -u -b base.raw IMG',
      'rebase -u -b base.raw -F foo IMG',
      'amend -o backing_file=base.raw IMG',
      'amend -o backing_fmt=raw IMG',
      'amend -o backing_file=base.raw,backing_fmt=raw IMG',
      'rebase -u IMG',
      'rebase -u -b base.raw -F raw IMG'
    ]
  )
  assert.match(done(run('qemu-img', ['info', 'ours.qcow2'])), /backing file: base\.raw\nbacking file format: raw\n/)
})

/** An image with 128 KiB of data; a leaked cluster behind them, and on request a data cluster that counts 0. */
const wounded = (broken: boolean): void => {
  done(run('qemu-img', ['create', '-q', '-f', 'qcow2', 'theirs.qcow2', '1M']))
  done(run('qemu-io', ['-c', 'write -P 3 0 128k', 'theirs.qcow2']))
  const image = new Uint8Array(8 * 65536)
  image.set(readFileSync(place('theirs.qcow2')))
  image[0x20000 + 15] = 1
  if (broken) image[0x20000 + 11] = 0
  for (const name of ['theirs.qcow2', 'ours.qcow2']) writeFileSync(place(name), image)
}

needsQemu(test)('leaks and corruptions are repaired as by qemu-img check -r', () => {
  for (const broken of [false, true])
    for (const mode of ['leaks', 'all']) {
      wounded(broken)
      const before = readFileSync(place('ours.qcow2'))
      const theirs = run('qemu-img', ['check', '-r', mode, 'theirs.qcow2'])
      const ours = qcow2('check', '-r', mode, 'ours.qcow2')
      assert.is(ours.code, theirs.code, `${mode}: ${ours.error}`)
      if (!broken) assert.is(ours.out, theirs.out)
      if (ours.code === 0) assert.is(run('qemu-img', ['check', 'ours.qcow2']).code, 0)
      else assert.ok(before.equals(readFileSync(place('ours.qcow2'))))
    }
  wounded(false)
  const json: unknown = JSON.parse(done(qcow2('check', '-r', 'all', '--output=json', 'ours.qcow2')))
  assert.is(Object.entries(json ?? {}).find(([key]) => key === 'leaks-fixed')?.[1], 1)
})

test('a command that is refused leaves the image as it was', () => {
  const image = place('refused.qcow2')
  const before = load('case-54-bitmaps').image
  writeFileSync(image, before)
  refused(qcow2('snapshot', '-d', 'none', image), 'SNAP-10')
  refused(qcow2('snapshot', '-c', 'a', '-d', 'b', image), '-c')
  for (const option of ['-c', '-a', '-d']) refused(qcow2('snapshot', option, 'a', option, 'a', image), 'Cannot mix')
  for (const granularity of ['0', '3', '1000'])
    refused(qcow2('bitmap', '--add', '-g', granularity, image, 'new'), 'must be a power of 2')
  refused(qcow2('bitmap', '--add', '--merge', 'none', image, 'new'), "Operation merge on bitmap 'new'", 'BMP-02')
  refused(qcow2('amend', '-o', 'size=64M,cluster_size=4k', image), 'cluster_size')
  refused(qcow2('amend', '-o', 'refcount_bits=64,size=1000', image), 'RS-01')
  refused(qcow2('resize', image, '1'), '--shrink')
  refused(qcow2('resize', '--shrink', image, '1000'), 'RS-01')
  refused(qcow2('rebase', '-b', 'x', '-F', 'raw', image), 'x')
  refused(qcow2('io', '-c', 'write 0 1', 'http://localhost/x'), 'server')
  refused(qcow2('io', '-c', 'write 0 1', folder), folder)
  refused(qcow2('io', '-c', 'write 0 1', place('missing')), 'no such file')
  assert.is(qcow2('io', '-c', 'write 1T 1', '-c', 'write -c 1 1', image).code, 1)
  assert.ok(readFileSync(image).equals(before))
})

test('an image marked corrupt is not changed, and a dirty one is repaired first', () => {
  const image = place('marked.qcow2')
  const mark = (bit: number): void => {
    const bytes = load('case-01-empty-v3').image.slice()
    bytes[79] = bit
    writeFileSync(image, bytes)
  }
  mark(2)
  refused(qcow2('io', '-c', 'write 0 1', image), 'FEAT-05')
  mark(1)
  assert.is(qcow2('io', '-c', 'write -P 3 0 64k', image).code, 0)
  assert.is(readFileSync(image)[79], 0)
  assert.is(qcow2('check', image).code, 0)
})

test('opening checks are in order: the corrupt mark comes before extended L2 entries in too small clusters', () => {
  const image = place('small.qcow2')
  const bytes = load('case-01-empty-v3').image.slice()
  bytes[23] = 13
  bytes[79] = 0x12
  writeFileSync(image, bytes)
  refused(qcow2('io', '-c', 'write 0 1', image), 'FEAT-05')
  refused(qcow2('io', '-r', '-c', 'read 0 1', image), 'SUB-01')
  refused(qcow2('check', '-r', 'all', image), 'SUB-01')
})

test('an image that has lost the refcount block of its header is not written', () => {
  const image = Buffer.from(load('case-01-empty-v3').image)
  image.fill(0, 65536, 65544)
  for (const line of [
    ['io', '-c', 'write 0 64k'],
    ['snapshot', '-c', 'one']
  ]) {
    writeFileSync(place('lost.qcow2'), image)
    const answer = qcow2(...line, 'lost.qcow2')
    assert.is(answer.code, 1)
    assert.match(answer.error, /WR-04/)
    assert.ok(readFileSync(place('lost.qcow2')).equals(image))
  }
})

test.run()
