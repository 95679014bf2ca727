/** `qcow2 convert -O qcow2`: new images that read as what they were made of, with nothing wrong with them. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { check, type Counts, exitCode } from '../../spec/reference/check.js'
import { openImage } from '../../spec/reference/image.js'
import type { CommandError } from '../../src/node/command-error.js'
import type { ConvertOptions } from '../../src/node/convert/conversion.js'
import { convert } from '../../src/node/convert/convert.js'
import { nodeAt } from '../../src/node/images/image-node.js'
import { noise } from '../../src/fuzz/noise.js'
import { needsQemu, qemu } from '../run/qemu.js'
import { suite } from '../run/suite.js'
import { runHere, valueOf } from './outcome.js'

const test = suite('convert to qcow2')

const main = fileURLToPath(new URL('../../src/node/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'qcow2-made-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

const kibi = 1024

/** Data that shrinks, data that does not, zeros of all lengths, and an end that is no whole cluster. */
const disk = ((): Buffer => {
  const bytes = Buffer.alloc(1500 * kibi + 512)
  bytes.fill('some text, again and again; ', 0, 200 * kibi)
  bytes.set(noise(7, 300 * kibi), 200 * kibi)
  bytes.fill('x', 640 * kibi, 641 * kibi)
  bytes.fill('y', 900 * kibi + 100, 900 * kibi + 200)
  bytes.set(noise(9, 3000), 1000 * kibi)
  bytes.fill('end', 1400 * kibi)
  return bytes
})()
const source = place('source.raw')
writeFileSync(source, disk)

const defaults: ConvertOptions = {
  allow: [],
  compress: false,
  options: [],
  sparse: 4096,
  rate: 0,
  progress: false,
  quiet: true,
  out: 'qcow2',
  over: false,
  targetIsZero: false,
  bitmaps: false,
  skipBrokenBitmaps: false,
  strict: false,
  salvage: false
}
const image = place('image.qcow2')
const unreported = ({ message }: CommandError): never => {
  throw new Error(message)
}

/** Converts images, with a list of options for the output. */
const convertTo = async (
  out: string,
  inputs: readonly string[],
  list: string,
  more: Partial<ConvertOptions> = {}
): Promise<void> => {
  const options = { ...defaults, ...more, options: list === '' ? [] : [list] }
  await valueOf(
    convert(
      inputs.map((name) => nodeAt(name, options.format)),
      nodeAt(out),
      options,
      unreported
    )
  )
}

/** Converts raw files to the image. */
const make = (list: string, more: Partial<ConvertOptions> = {}, inputs = [source]): Promise<void> =>
  convertTo(image, inputs, list, { ...more, format: 'raw' })

/** The guest bytes of the image, as it is read here. */
const content = async (): Promise<Buffer> => {
  await runHere('convert', image, place('back.raw'))
  return readFileSync(place('back.raw'))
}

/** What the reference counts in the image, which has nothing wrong with it. */
const counts = (): Counts => {
  const data = statSync(place('data.raw'), { throwIfNoEntry: false }) === undefined ? undefined : place('data.raw')
  const found = check(openImage(readFileSync(image), data === undefined ? undefined : readFileSync(data)))
  if (E.isLeft(found)) throw new Error(found.left)
  assert.is(exitCode(found.right), 0)
  return found.right
}

const checked = (options: string): void => {
  if (qemu === undefined) return
  const said = spawnSync('qemu-img', ['check', image], { cwd: folder, encoding: 'utf8' })
  assert.is(said.status, 0, `${options}: ${said.stdout}${said.stderr}`)
  const compared = ['compare', '-f', 'qcow2', '-F', 'raw', image, source]
  assert.is(spawnSync('qemu-img', compared, { cwd: folder }).status, 0, options)
}

const layouts: readonly string[] = [
  '',
  'compat=0.10',
  'cluster_size=512',
  'cluster_size=512,refcount_bits=1',
  'cluster_size=4k,refcount_bits=64,lazy_refcounts=on',
  'cluster_size=2M',
  'extended_l2=on',
  'extended_l2=on,cluster_size=16k,refcount_bits=8',
  'preallocation=metadata',
  'preallocation=falloc',
  'preallocation=full,cluster_size=4k',
  'data_file=data.raw',
  'data_file=data.raw,data_file_raw=on'
]

test('an image of any layout reads as the disk it was made of', async () => {
  for (const options of layouts) {
    await make(options)
    counts()
    assert.is(Buffer.compare(await content(), disk), 0, options)
    checked(options)
    if (options.endsWith('raw=on')) assert.is(Buffer.compare(readFileSync(place('data.raw')), disk), 0)
    rmSync(place('data.raw'), { force: true })
  }
})

const packed: readonly string[] = [
  '',
  'compat=0.10',
  'cluster_size=4k',
  'cluster_size=512,refcount_bits=1',
  'cluster_size=1k,refcount_bits=2',
  'cluster_size=2M',
  'extended_l2=on',
  'compression_type=zstd',
  'compression_type=zstd,cluster_size=16k,extended_l2=on'
]

test('a compressed image reads as the disk it was made of, and clusters that do not shrink are as they are', async () => {
  for (const options of packed) {
    await make(options, { compress: true })
    const { allocatedClusters, compressedClusters } = counts()
    assert.ok(compressedClusters > 0, options)
    if (!options.includes('2M')) assert.ok(allocatedClusters > compressedClusters, options)
    assert.is(Buffer.compare(await content(), disk), 0, options)
    checked(options)
  }
})

test('threads that compress keep the order', async () => {
  const large = place('large.raw')
  const bytes = Buffer.alloc(24 * kibi * kibi)
  for (let at = 0; at < bytes.length; at += 4096) bytes.fill(`${at} `, at, at + 4096)
  bytes.fill(0, 8 * kibi * kibi, 9 * kibi * kibi)
  bytes.set(noise(3, 100_000), 12_345_678)
  writeFileSync(large, bytes)
  for (const options of ['', 'compression_type=zstd']) {
    await make(options, { compress: true }, [large])
    counts()
    assert.is(Buffer.compare(await content(), bytes), 0)
  }
})

test('zeros of any origin are left out, unless they are asked for', async () => {
  await make('cluster_size=4k')
  const blank = (at: number): boolean => disk.subarray(at, at + 4096).every((b) => b === 0)
  const used = Array.from({ length: Math.ceil(disk.length / 4096) }, (_, i) => blank(i * 4096)).filter((b) => !b).length
  assert.is(counts().allocatedClusters, used)
  const again = place('again.qcow2')
  await convertTo(again, [image], 'cluster_size=8k')
  await make('cluster_size=4k', { sparse: 0 })
  assert.is(counts().allocatedClusters, Math.ceil(disk.length / 4096))
  assert.is(Buffer.compare(await content(), disk), 0)
  await convertTo(again, [image], 'cluster_size=4k')
  const found = check(openImage(readFileSync(again)))
  assert.is(E.isRight(found) && found.right.allocatedClusters, used)
})

test('several disks are joined, each padded to whole sectors', async () => {
  const odd = place('odd.raw')
  writeFileSync(odd, 'odd'.repeat(1000))
  await make('', {}, [odd, source, odd])
  counts()
  const sectors = Buffer.alloc(3072)
  sectors.write('odd'.repeat(1000))
  assert.is(Buffer.compare(await content(), Buffer.concat([sectors, disk, sectors])), 0)
})

test('over a backing file only what the top layer holds is copied, and its zeros hide what lies below', async () => {
  const over = place('over.qcow2')
  await runHere('create', '-q', '-o', 'cluster_size=4k', '-b', 'source.raw', '-F', 'raw', over, '2M')
  writeFileSync(place('other.raw'), disk)
  const named = { backing: 'other.raw', backingFormat: 'raw' }
  for (const options of ['', 'compat=0.10', 'extended_l2=on', 'cluster_size=512']) {
    await convertTo(image, [over], options, named)
    assert.is(counts().allocatedClusters, 0)
    const expected = Buffer.alloc(2 * kibi * kibi)
    expected.set(disk)
    assert.is(Buffer.compare(await content(), expected), 0)
    const short = place('short.raw')
    writeFileSync(short, Buffer.alloc(700 * kibi))
    await make(options, named, [short])
    assert.is(Buffer.compare(await content(), Buffer.alloc(700 * kibi)), 0, options)
  }
})

needsQemu(test)('a snapshot is converted by its name', async () => {
  const from = place('from.qcow2')
  for (const [program, ...args] of [
    ['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', source, from],
    ['qemu-img', 'snapshot', '-c', 'before', from],
    ['qemu-io', '-c', 'write -P 5 0 1M', from]
  ] as const)
    assert.is(spawnSync(program, args).status, 0)
  await convertTo(image, [from], '', { snapshot: 'before' })
  assert.is(Buffer.compare(await content(), disk), 0)
})

const run = (...args: readonly string[]) => {
  const done = spawnSync(process.execPath, [main, 'convert', ...args], { cwd: folder, encoding: 'utf8' })
  return { code: done.status, out: done.stdout, error: done.stderr }
}

test('a refused conversion prints one error and keeps the old file', () => {
  writeFileSync(image, 'kept')
  const out = ['-O', 'qcow2', 'source.raw', 'image.qcow2']
  for (const [why, ...args] of [
    ['-f raw takes it as it is', ...out],
    ['DATA-10', '-f', 'raw', '-c', '-o', 'data_file=x.raw', ...out],
    ['Compression and preallocation not supported', '-f', 'raw', '-c', '-o', 'preallocation=full', ...out],
    ['Cluster size must be', '-f', 'raw', '-o', 'cluster_size=5', ...out],
    ['without backing format', '-f', 'raw', '-B', 'other.raw', ...out],
    ['absent.raw', '-f', 'raw', '-B', 'absent.raw', '-F', 'raw', ...out],
    ['no effect', '-f', 'raw', '-n', '-o', 'size=1M', ...out],
    ['no such file', '-f', 'raw', '-O', 'qcow2', 'source.raw', 'missing/image.qcow2'],
    ['Compression not supported for this file format', '-f', 'raw', '-c', 'source.raw', 'image.qcow2'],
    ['Invalid parameter', '-f', 'raw', '-o', 'cluster_size=64k', 'source.raw', 'image.qcow2'],
    ["Invalid parameter 'toString'", '-f', 'raw', '-O', 'qcow2', '-o', 'toString=1', 'source.raw', 'image.qcow2'],
    ['image file name', 'image.qcow2']
  ] as const) {
    const { code, error } = run(...args)
    assert.is(code, 1, error)
    assert.match(error, /^qcow2: [^\n]+\n$/)
    assert.ok(error.includes(why), error)
  }
  assert.is(readFileSync(image, 'utf8'), 'kept')
})

test('progress is printed while the disk is copied', () => {
  const { code, out } = run('-f', 'raw', '-p', '-O', 'qcow2', 'source.raw', 'image.qcow2')
  assert.is(code, 0)
  assert.match(out, /^ {4}\(0\.00\/100%\)\r[^\n]* {4}\(100\.00\/100%\)\r\n$/)
})

test('a full disk stops the threads and prints one error', () => {
  const noisy = place('noisy.raw')
  writeFileSync(noisy, noise(5, 2 ** 23))
  writeFileSync(image, 'kept')
  const before = readdirSync(folder).toSorted()
  const args = [main, 'convert', '-f', 'raw', '-O', 'qcow2', '-c', noisy, 'image.qcow2']
  const limited = 'ulimit -f 3000; exec "$0" "$@"'
  const done = spawnSync('sh', ['-c', limited, process.execPath, ...args], { cwd: folder, encoding: 'utf8' })
  assert.is(done.status, 1, done.stderr)
  assert.is(done.stderr, "qcow2: Could not write 'image.qcow2': file too large\n")
  assert.is(readFileSync(image, 'utf8'), 'kept')
  assert.equal(readdirSync(folder).toSorted(), before)
})

test('a full disk or an unreadable input keeps the old file and leaves no other', () => {
  writeFileSync(image, 'kept')
  const before = readdirSync(folder).toSorted()
  for (const more of [[], ['-c'], ['-o', 'data_file=fresh.raw']]) {
    const args = [main, 'convert', '-f', 'raw', '-O', 'qcow2', ...more, 'source.raw', 'image.qcow2']
    const limited = 'ulimit -f 500; exec "$0" "$@"'
    const done = spawnSync('sh', ['-c', limited, process.execPath, ...args], { cwd: folder, encoding: 'utf8' })
    assert.is(done.status, 1, done.stderr)
    assert.match(done.stderr, /^qcow2: Could not write '(image\.qcow2|.*fresh\.raw)': file too large\n$/)
  }
  const broken = readFileSync(place('again.qcow2'))
  broken.writeBigUInt64BE((1n << 63n) | 512n, Number(broken.readBigUInt64BE(40)))
  writeFileSync(place('again.qcow2'), broken)
  const done = run('-O', 'qcow2', 'again.qcow2', 'image.qcow2')
  assert.is(done.code, 1)
  assert.match(done.error, /^qcow2: Could not open 'again.qcow2': [^\n]+\[L1-0\d\]\n$/)
  assert.is(readFileSync(image, 'utf8'), 'kept')
  assert.equal(readdirSync(folder).toSorted(), before)
})

test.run()
