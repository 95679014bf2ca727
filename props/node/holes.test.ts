/** Holes of the host file in the shell: they are asked for, not read, and mapped as qemu-img maps them. */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, loadExpect, names } from '../../corpus/load.js'
import { imageName } from '../../corpus/recipe.js'
import { mapEntryText, map as mapPlan, type MapEntry } from '../../src/image/guest/map.js'
import { run } from '../../src/node/files/source.js'
import { openChain } from '../../src/node/images/open.js'
import { needsQemu } from '../run/qemu.js'
import { drawFromEnvironment } from '../run/seed.js'
import { note, suite } from '../run/suite.js'
import { allocated } from './allocated.js'
import { runHere, valueOf } from './outcome.js'

const test = suite('holes of files')

const folder = mkdtempSync(join(tmpdir(), 'qcow2-holes-'))
const place = (name: string): string => join(folder, name)

test.after(() => {
  rmSync(folder, { recursive: true })
})

const block = 4096

/** Writes a file whose blocks are holes where `isHole` says so. */
const writeSparse = (path: string, bytes: Uint8Array, isHole: (at: number, part: Uint8Array) => boolean): void => {
  const fd = openSync(path, 'w')
  for (let at = 0; at < bytes.length; at += block) {
    const part = bytes.subarray(at, at + block)
    if (!isHole(at, part)) writeSync(fd, part, 0, part.length, at)
  }
  ftruncateSync(fd, bytes.length)
  closeSync(fd)
}

const isZeros = (_: number, part: Uint8Array): boolean => part.every((byte) => byte === 0)

/** A raw file of `size` bytes that holds data at these bytes only. */
const writeRaw = (name: string, size: number, data: readonly (readonly [at: number, length: number])[]): void => {
  const fd = openSync(place(name), 'w')
  for (const [at, length] of data) writeSync(fd, Buffer.alloc(length, 7), 0, length, at)
  ftruncateSync(fd, size)
  closeSync(fd)
}

const mapped = async (path: string): Promise<readonly MapEntry[]> => {
  const open = await valueOf(openChain(path))
  const entries: MapEntry[] = []
  try {
    await valueOf(
      run(
        open,
        () => mapPlan(open.chain),
        (e) => void entries.push(e)
      )
    )
  } finally {
    open.close()
  }
  return entries
}

/** What is printed of a map as JSON. */
const textOf = (entries: readonly MapEntry[]): string => `[${entries.map(mapEntryText).join(',\n')}]\n`

const qemuMap = (path: string): string =>
  spawnSync('qemu-img', ['map', '--output=json', '-f', 'qcow2', basename(path)], {
    cwd: dirname(path),
    encoding: 'utf8'
  }).stdout

const kinds = (entries: readonly MapEntry[]): readonly unknown[] =>
  entries.map(({ start, length, depth, zero, data }) => [start, length, depth, zero, data])

test('preallocated clusters over holes of the recorded files are mapped as qemu-img recorded', async () => {
  let images = 0
  for (const name of names()) {
    const recorded = loadExpect(name).map.stdout
    const holes = (recorded ?? []).filter(({ data, zero }) => data && zero)
    if (holes.length === 0) continue
    const isHole = (at: number): boolean => holes.some(({ offset = 0, length }) => at >= offset && at < offset + length)
    writeSparse(place(name), load(name).image, isHole)
    assert.equal(JSON.parse(textOf(await mapped(place(name)))), recorded, name)
    images++
  }
  assert.ok(images >= 2)
})

test('the holes of a raw backing file are zeros of that layer', async () => {
  writeRaw('base.raw', 2 ** 30, [[2 ** 28, 2 ** 20]])
  await runHere('create', '-q', '-b', 'base.raw', '-F', 'raw', place('over.qcow2'))
  const entries = await mapped(place('over.qcow2'))
  assert.equal(kinds(entries), [
    [0, 2 ** 28, 1, true, false],
    [2 ** 28, 2 ** 20, 1, false, true],
    [2 ** 28 + 2 ** 20, 2 ** 30 - 2 ** 28 - 2 ** 20, 1, true, false]
  ])
})

test('a partial zero write over a hole of the backing file makes a zero cluster', async () => {
  writeRaw('hollow.raw', 2 ** 20, [[2 ** 16 + 2 ** 15, 4096]])
  await runHere('create', '-q', '-b', 'hollow.raw', '-F', 'raw', place('partial.qcow2'))
  await runHere('io', '-c', 'write -q -z 4k 8k', '-c', 'write -q -z 68k 8k', place('partial.qcow2'))
  const [first, ...others] = (await mapped(place('partial.qcow2'))).filter(({ depth }) => depth === 0)
  assert.equal(first === undefined ? [] : kinds([first]), [[0, 2 ** 16, 0, true, false]])
  assert.ok(others.length > 0 && others.every(({ data }) => data))
})

/** One of so many images is copied in a run of the usual length, another one with another seed. */
const usualStride = 16

needsQemu(test)("maps of sparse copies of the corpus's images equal qemu-img's, entry by entry", async () => {
  let [images, entries, overHoles] = [0, 0, 0]
  const { runs, seed } = drawFromEnvironment()
  const stride = Math.max(1, Math.round(usualStride / runs))
  for (const [i, name] of names().entries()) {
    if ((i + seed) % stride !== 0) continue
    const { expect, files } = load(name)
    if (expect.opts !== undefined || !(expect.map.stdout ?? []).some(({ data }) => data)) continue
    mkdirSync(place(`copy-${name}`))
    for (const [file, bytes] of files) writeSparse(join(folder, `copy-${name}`, file), bytes, isZeros)
    const path = join(folder, `copy-${name}`, imageName)
    const opened = await openChain(path)()
    if (E.isLeft(opened)) continue
    opened.right.close()
    const ours = await mapped(path)
    assert.is(textOf(ours), qemuMap(path), name)
    rmSync(place(`copy-${name}`), { recursive: true })
    images++
    entries += ours.length
    if (ours.some(({ zero, offset, data }) => zero && data && offset !== undefined)) overHoles++
  }
  note(`${images} sparse copies, ${entries} entries equal, ${overHoles} of them with data clusters over holes`)
  assert.ok(images > 0)
})

needsQemu(test)("maps of overlays on sparse files equal qemu-img's", async () => {
  writeRaw('ragged.raw', 2 ** 22 + 1000, [
    [0, 100],
    [2 ** 16 - 4096, 8192],
    [2 ** 21 + 4096, 12288],
    [2 ** 22 + 900, 100]
  ])
  await runHere('create', '-q', '-b', 'ragged.raw', '-F', 'raw', place('a.qcow2'), '5M')
  await runHere('io', '-c', 'write -q -P 5 1M 64k', '-c', 'write -q -z 4k 4k', place('a.qcow2'))
  await runHere('create', '-q', '-b', 'ragged.raw', '-F', 'raw', '-o', 'extended_l2=on', place('b.qcow2'))
  await runHere('io', '-c', 'write -q -P 5 2M 2k', '-c', 'write -q -z 66k 4k', place('b.qcow2'))
  await runHere('create', '-q', '-b', 'b.qcow2', '-F', 'qcow2', place('c.qcow2'), '6M')
  await runHere('create', '-q', '-o', 'preallocation=metadata', place('p.qcow2'), '64M')
  await runHere('io', '-c', 'write -q -P 5 1M 100k', place('p.qcow2'))
  await runHere('create', '-q', '-b', 'p.qcow2', '-F', 'qcow2', place('d.qcow2'))
  await runHere('create', '-q', '-o', 'preallocation=metadata,data_file=e.data', place('e.qcow2'), '64M')
  await runHere('io', '-c', 'write -q -P 5 1M 100k', place('e.qcow2'))
  for (const name of ['a', 'b', 'c', 'p', 'd', 'e']) {
    const path = place(`${name}.qcow2`)
    assert.is(textOf(await mapped(path)), qemuMap(path), name)
  }
})

const qemuConvert = (...words: readonly string[]): number | null =>
  spawnSync('qemu-img', ['convert', ...words], { cwd: folder }).status

needsQemu(test)('convert -S takes up as many blocks, and maps alike, as with qemu-img', async () => {
  const [small, half] = [4096, 2 ** 15]
  // Data in the first block: qemu-img allocates it in every new raw file.
  writeRaw('grains.raw', 2 ** 22, [
    [0, 512],
    [2 * small, small],
    [2 ** 16 + 512, 512],
    [2 ** 17, 2 * half],
    [2 ** 17 + 2 * half + small, 100],
    [2 ** 20, 70_000],
    [3 * 2 ** 20, 1],
    [3 * 2 ** 20 + 5 * small, 1],
    [2 ** 22 - 512, 512]
  ])
  assert.is(qemuConvert('-f', 'raw', '-O', 'qcow2', 'grains.raw', 'grains.qcow2'), 0)
  for (const [format, source] of [
    ['raw', 'grains.raw'],
    ['qcow2', 'grains.qcow2']
  ] as const)
    for (const size of ['0', '512', '4k', '6k', '16k', '64k', '128k', '1M']) {
      const words = ['-S', size, '-f', format]
      const what = `${source} -S ${size}`
      await runHere('convert', ...words, '-O', 'raw', place(source), place('ours.raw'))
      assert.is(qemuConvert(...words, '-O', 'raw', source, 'theirs.raw'), 0)
      assert.ok(readFileSync(place('ours.raw')).equals(readFileSync(place('theirs.raw'))), what)
      assert.is(allocated(place('ours.raw')), allocated(place('theirs.raw')), what)
      const guest = async (name: string): Promise<readonly unknown[]> => {
        const own = (await mapped(place(name))).filter(({ data }) => data)
        return own.map(({ start, length, zero }) => [start, length, zero])
      }
      // Where zeros may be left out, they are left out here by subcluster, in QEMU by so many bytes.
      for (const layout of size === '0' ? ['extended_l2=off', 'extended_l2=on'] : ['extended_l2=off']) {
        const output = [...words, '-O', 'qcow2', '-o', layout]
        await runHere('convert', ...output, place(source), place('ours.qcow2'))
        assert.is(qemuConvert(...output, source, 'theirs.qcow2'), 0)
        assert.equal(await guest('ours.qcow2'), await guest('theirs.qcow2'), `${what} ${layout}`)
      }
    }
})

test.run()
