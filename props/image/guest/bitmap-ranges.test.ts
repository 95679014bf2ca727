/** The dirty ranges of a bitmap are those of the reference, bit by bit, and those that QEMU serves. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, loadExpect, names } from '../../../corpus/load.js'
import { directoryOf, dirtyRanges as reference } from '../../../spec/reference/bitmap.js'
import { openImage } from '../../../spec/reference/image.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { isObject } from '../../../src/bytes/json.js'
import { label } from '../../../src/bytes/octets.js'
import { type DirtyRange, dirtyRanges } from '../../../src/image/guest/bitmap-ranges.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { holds } from '../../run/holds.js'
import { needsQemu } from '../../run/qemu.js'
import { drawFromEnvironment } from '../../run/seed.js'
import { note, suite } from '../../run/suite.js'
import { runOn } from '../world.js'

const test = suite('dirty bitmaps')
const live = needsQemu(test)

const folder = mkdtempSync(join(tmpdir(), 'qcow2-bitmaps-'))
test.after(() => {
  rmSync(folder, { recursive: true })
})

/** The parts of ranges that lie in `[from, to)`. */
const clipped = (ranges: readonly DirtyRange[], from: number, to: number): readonly DirtyRange[] =>
  ranges
    .map(({ start, length, dirty }) => {
      const at = Math.max(start, from)
      return { start: at, length: Math.min(start + length, to) - at, dirty }
    })
    .filter(({ length }) => length > 0)

/** The ranges of every bitmap of an image by name, where those asked for in the middle third are the same there; or why they cannot be read. */
const rangesOf = (image: Uint8Array): ReadonlyMap<string, E.Either<readonly Issue[], readonly DirtyRange[]>> => {
  const read = E.flatten(runOn(image, readMetadata()))
  if (E.isLeft(read) || read.right.geometry === undefined) return new Map()
  const { right: m } = read
  const g = read.right.geometry
  return new Map(
    m.bitmaps.map((b) => {
      const ranges: DirtyRange[] = []
      const end = runOn(image, dirtyRanges(m, g, b), (r) => ranges.push(r))
      const third = Math.floor(ranges.reduce((sum, r) => sum + r.length, 0) / 3)
      const part: DirtyRange[] = []
      runOn(image, dirtyRanges(m, g, b, third, 2 * third), (r) => part.push(r))
      same(clipped(part, third, 2 * third), clipped(ranges, third, 2 * third), `bytes ${third} to ${2 * third}`)
      return [label(b.name), E.map(() => ranges)(end)]
    })
  )
}

const right = (ranges: E.Either<readonly Issue[], readonly DirtyRange[]> | undefined): readonly DirtyRange[] => {
  if (ranges === undefined) throw new Error('no such bitmap')
  if (E.isLeft(ranges)) throw new Error(ranges.left[0]?.message)
  return ranges.right
}

/** Fails unless the ranges are equal, and names the first that is not. */
const same = (found: readonly DirtyRange[], wanted: readonly DirtyRange[], name: string): void => {
  const [a, b] = [found, wanted].map((ranges) => ranges.map((r) => JSON.stringify(r)))
  const at = (a ?? []).findIndex((r, i) => r !== b?.[i])
  if (at >= 0 || found.length !== wanted.length)
    throw new Error(`${name}: ${found.length} ranges for ${wanted.length}, ${a?.at(at) ?? ''} for ${b?.at(at) ?? ''}`)
}

/** Images of the corpus that qemu-img opens and that have bitmaps. */
const withBitmaps: string[] = []
test.before(() => {
  const candidates = names().filter((name) => name.includes('bitmap') && loadExpect(name).info.exit === 0)
  withBitmaps.push(...candidates.filter((name) => rangesOf(load(name).image).size > 0))
})

test('the dirty ranges of every bitmap of the corpus are those of the reference, and a bitmap in use has none', () => {
  let compared = 0
  for (const name of withBitmaps) {
    const { image } = load(name)
    const plain = openImage(image)
    for (const [bitmap, ranges] of rangesOf(image)) {
      if (E.isLeft(ranges)) {
        assert.match(ranges.left[0]?.message ?? '', /flags.in_use at byte \d+: .*\[BMP-09\]$/, name)
        assert.is(image[Number(ranges.left[0]?.at) + 3], 3, name)
        continue
      }
      same(ranges.right, reference(plain, directoryOf(plain).get(bitmap) ?? 0), `${name} ${bitmap}`)
      compared++
    }
  }
  assert.ok(compared > 10)
  note(`${compared} bitmaps of ${withBitmaps.length} images as the reference has them`)
})

test('adjacent bits of one value are one range, and the last one ends with the disk', () => {
  const mib = 2 ** 20
  const b = rangesOf(load('case-54-bitmaps').image)
  assert.equal(right(b.get('b0')), [
    { start: 0, length: mib, dirty: false },
    { start: mib, length: 2 ** 17, dirty: true },
    { start: mib + 2 ** 17, length: 9 * mib - 2 ** 17, dirty: false }
  ])
  assert.equal(right(b.get('b1')), [{ start: 0, length: 10 * mib, dirty: false }])
  assert.equal(right(b.get('b2')), [
    { start: 0, length: 2 * mib, dirty: true },
    { start: 2 * mib, length: 8 * mib, dirty: false }
  ])
  assert.equal(right(rangesOf(load('case-57-bitmap-table-of-clusters').image).get('b0')), [
    { start: 0, length: 1024, dirty: true },
    { start: 1024, length: 200 * mib - 1024, dirty: false },
    { start: 200 * mib, length: 1024, dirty: true },
    { start: 200 * mib + 1024, length: 56 * mib - 1024, dirty: false }
  ])
})

/** An image of 512-byte clusters whose only bitmap has a table of 128 entries. */
const roomy = load('case-57-bitmap-table-of-clusters').image
const entryAt = directoryOf(openImage(roomy)).get('b0') ?? 0
const tableAt = Number(new DataView(roomy.buffer).getBigUint64(entryAt))

/** The same image with other entries, other data, another granularity and another size of the disk. */
const remade = (
  entries: readonly (readonly [kind: 'zeros' | 'ones' | 'data', fill: number])[],
  granularityBits: number,
  size: number
): Uint8Array => {
  const end = Math.ceil(roomy.length / 512) * 512
  const image = new Uint8Array(end + 512 * entries.length)
  image.set(roomy)
  const view = new DataView(image.buffer)
  view.setBigUint64(24, BigInt(size))
  view.setUint8(entryAt + 17, granularityBits)
  for (let i = 0; i < 128; i++) {
    const [kind, fill] = entries[i % entries.length] ?? ['zeros', 0]
    const at = end + 512 * (i % entries.length)
    view.setBigUint64(tableAt + 8 * i, kind === 'data' ? BigInt(at) : BigInt(kind === 'ones'))
    for (let j = 0; j < 512; j++)
      image[at + j] = fill < 4 ? ([0, 0xff, 0xf0, 0x01][fill] ?? 0) : (j * fill) >> (fill & 7)
  }
  return image
}

test('the dirty ranges of any table and data are those of the reference, also where the disk ends within a bit', () => {
  const entry = fc.tuple(fc.constantFrom('zeros', 'ones', 'data', 'data'), fc.nat(255))
  const anyBitmap = fc.tuple(
    fc.array(entry, { minLength: 1, maxLength: 5 }),
    fc.integer({ min: 9, max: 16 }),
    fc.integer({ min: 1, max: 2 ** 25 })
  )
  holds(
    fc.property(anyBitmap, ([entries, granularityBits, size]) => {
      const image = remade(entries, granularityBits, size)
      const ranges = right(rangesOf(image).get('b0'))
      same(ranges, reference(openImage(image), entryAt), 'b0')
      assert.is(
        ranges.reduce((sum, r) => sum + r.length, 0),
        size - (size % 512)
      )
      assert.ok(ranges.every((r, i) => i === 0 || r.dirty !== ranges[i - 1]?.dirty))
    }),
    { runs: 60 }
  )
})

test('a bitmap that must not be used, or whose table cannot be, is refused by clause', () => {
  const refused = (offset: number, bytes: readonly number[]): string => {
    const image = roomy.slice()
    image.set(bytes, offset)
    const ranges = rangesOf(image).get('b0')
    return ranges !== undefined && E.isLeft(ranges) ? (ranges.left[0]?.clause ?? '') : 'read'
  }
  assert.is(refused(entryAt, []), 'read')
  assert.is(refused(entryAt + 15, [3]), 'BMP-09')
  assert.is(refused(entryAt + 16, [2]), 'BMP-02')
  assert.is(refused(entryAt + 17, [32]), 'BMP-12')
  assert.is(refused(entryAt + 8, [0, 0, 0, 1]), 'BMP-07')
  assert.is(refused(entryAt + 7, [1]), 'BMP-02')
  assert.is(refused(tableAt, [0, 0, 0, 0, 0, 0, 2, 1]), 'BMP-05')
  assert.is(refused(tableAt, [0x80]), 'BMP-05')
})

const sockets = { count: 0 }

/** Ends a process, if it has not ended yet. */
const end = (pid: number): void => {
  try {
    process.kill(pid)
  } catch (error) {
    if (!String(error).includes('ESRCH')) throw error
  }
}

/** What qemu-nbd serves of a bitmap, as qemu-img maps it: dirty where there is no data. */
const served = async (path: string, bitmap: string): Promise<readonly DirtyRange[]> => {
  const [socket, pid] = ['sock', 'pid'].map((end) => join(folder, `${sockets.count}.${end}`))
  sockets.count++
  if (socket === undefined || pid === undefined) throw new Error('no names')
  const args = ['--fork', '--pid-file', pid, '-r', '-f', 'qcow2', '-B', bitmap, '-k', socket, path]
  // With --fork it exits once the server listens. The server keeps the pipe, so that its end is the end of the server.
  const starting = spawn('qemu-nbd', args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe'] })
  const gone = once(starting, 'close')
  await once(starting, 'exit')
  assert.is(starting.exitCode, 0, bitmap)
  try {
    const options = `driver=nbd,server.type=unix,server.path=${socket},x-dirty-bitmap=qemu:dirty-bitmap:${bitmap}`
    const said: unknown = JSON.parse(
      execFileSync('qemu-img', ['map', '--output=json', '--image-opts', options], { encoding: 'utf8' })
    )
    if (!Array.isArray(said)) throw new Error('no map')
    return said
      .filter(isObject)
      .map((e) => ({ start: Number(e['start']), length: Number(e['length']), dirty: e['data'] === false }))
  } finally {
    // A server that had a client ends by itself.
    if (existsSync(pid)) end(Number(readFileSync(pid, 'utf8')))
    await gone
  }
}

live('every bitmap of the corpus that is not in use says what QEMU serves of it', async () => {
  let compared = 0
  for (const name of withBitmaps) {
    const path = join(folder, 'img.qcow2')
    writeFileSync(path, load(name).image)
    for (const [bitmap, ranges] of rangesOf(load(name).image)) {
      if (E.isLeft(ranges)) continue
      same(ranges.right, await served(path, bitmap), `${name} ${bitmap}`)
      compared++
    }
  }
  note(`${compared} bitmaps as QEMU serves them`)
})

live('bitmaps that QEMU made of writes anywhere on disks of many shapes say what QEMU serves of them', async () => {
  const shapes = fc.record({
    size: fc.integer({ min: 1, max: 4000 }).map((n) => n * 512),
    clusterBits: fc.integer({ min: 9, max: 16 }),
    granularityBits: fc.integer({ min: 9, max: 17 }),
    writes: fc.array(fc.tuple(fc.nat(4000), fc.integer({ min: 1, max: 300 })), { minLength: 1, maxLength: 12 })
  })
  const { seed, runs } = drawFromEnvironment()
  const drawn = fc.sample(shapes, { numRuns: Math.ceil(12 * runs), seed })
  for (const { size, clusterBits, granularityBits, writes } of drawn) {
    const path = join(folder, 'drawn.qcow2')
    const run = (tool: string, ...args: readonly string[]) => execFileSync(tool, args, { stdio: 'ignore' })
    run('qemu-img', 'create', '-f', 'qcow2', '-o', `cluster_size=${2 ** clusterBits}`, path, String(size))
    run('qemu-img', 'bitmap', '--add', '-g', String(2 ** granularityBits), path, 'b')
    const commands = writes.flatMap(([at, n]) => {
      const start = (at * 512) % size
      return ['-c', `write ${start} ${Math.min(n * 512, size - start)}`]
    })
    run('qemu-io', ...commands, path)
    const image = new Uint8Array(readFileSync(path))
    same(right(rangesOf(image).get('b')), await served(path, 'b'), JSON.stringify({ size, clusterBits, writes }))
  }
  note(`${drawn.length} bitmaps drawn`)
})

test.run()
