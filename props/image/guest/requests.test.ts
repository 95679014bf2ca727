/** Tables are asked for in large runs, and the extents are those of requests one by one. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { fromMemory, type Read, runSync } from '../../../src/bytes/plan.js'
import { type GuestDisk, type Extent, extents } from '../../../src/image/guest/extents.js'
import { suite } from '../../run/suite.js'
import { inPlansMemory } from '../world.js'

const test = suite('requests')

const size = 512
const entries = size / 8
const coverage = entries * size
const l1TableOffset = 1024

/** No two of these are neighbours. */
const hostOf = (i: number): number => (2 * i + 1) * size

/** A disk of 512-byte clusters whose L2 tables stand where `l2At` says; each has one cluster, named by its table. */
const diskOf = (l1Size: number, l2At: (i: number) => number) => {
  const last = Array.from({ length: l1Size }, (_, i) => l2At(i)).reduce((a, b) => Math.max(a, b), 0)
  const image = new Uint8Array(Math.max(l1TableOffset + 8 * l1Size, last + size))
  const view = new DataView(image.buffer)
  for (let i = 0; i < l1Size; i++) {
    const at = l2At(i)
    view.setBigUint64(l1TableOffset + 8 * i, BigInt(at))
    if (at !== 0) view.setBigUint64(at + 8 * (i % entries), BigInt(hostOf(i)))
  }
  const g = { version: 3, clusterBits: 9, extendedL2: false, externalDataFile: false, refcountOrder: 4 }
  const disk: GuestDisk = { g, size: l1Size * coverage, l1TableOffset, l1Size, compressionType: 0, encrypted: false }
  return { disk, image }
}

const extentsFound = (disk: GuestDisk, image: Uint8Array, from = 0, to = disk.size) => {
  const requests: Read[] = []
  const found: Extent[] = []
  const answer = inPlansMemory(fromMemory(image))
  const done = runSync(extents(disk, from, to), {
    read: (request) => {
      requests.push(request)
      return answer(request)
    },
    emit: (e) => {
      found.push(e)
    }
  })
  assert.ok(E.isRight(done))
  return { requests, found }
}

/** The clusters that hold data, and where. */
const dataOf = (found: readonly Extent[]): readonly (readonly [number, number | undefined])[] =>
  found.filter((e) => e.kind === 'data').map((e) => [e.start, e.host])

const wanted = (l1Size: number, l2At: (i: number) => number): ReturnType<typeof dataOf> =>
  Array.from({ length: l1Size }, (_, i) => i)
    .filter((i) => l2At(i) !== 0)
    .map((i) => [i * coverage + (i % entries) * size, hostOf(i)])

const l1Size = 20_000
const tables = Math.ceil((l1TableOffset + 8 * l1Size) / size) * size

const places: Readonly<Record<string, { readonly l2At: (i: number) => number; readonly most: number }>> = {
  'no L2 table': { l2At: () => 0, most: 3 },
  'L2 tables one behind the other': { l2At: (i) => tables + i * size, most: 15 },
  'L2 tables in pairs': { l2At: (i) => (i % 50 > 1 ? 0 : tables + (i + (i >> 1)) * size), most: 403 },
  'L2 tables backwards': { l2At: (i) => (i % 100 === 0 ? tables + (l1Size - i) * size : 0), most: 203 }
}

for (const [name, { l2At, most }] of Object.entries(places))
  test(`the extents of a disk of ${l1Size} L1 entries with ${name} take at most ${most} requests`, () => {
    const { disk, image } = diskOf(l1Size, l2At)
    const { requests, found } = extentsFound(disk, image)
    assert.ok(JSON.stringify(dataOf(found)) === JSON.stringify(wanted(l1Size, l2At)))
    assert.is(
      found.reduce((sum, e) => sum + e.length, 0),
      disk.size
    )
    assert.ok(requests.length <= most, `${requests.length} requests`)
    assert.ok(requests.every((r) => r.length <= 2 ** 20))
  })

test('the extents of a part of a disk request its own L1 and L2 entries only', () => {
  const { disk, image } = diskOf(100, (i) => 8192 + i * size)
  const { requests, found } = extentsFound(disk, image, 10 * coverage + 700, 13 * coverage - 700)
  assert.equal(
    requests.map(({ at, length }) => [at, length]),
    [
      [l1TableOffset + 80, 24],
      [8192 + 10 * size + 8, 3 * size - 16]
    ]
  )
  assert.is(found[0]?.start, 10 * coverage + 700)
  assert.equal(extentsFound(disk, image, 700, 700).requests, [])
})

test('neighbouring compressed clusters are one extent where that is asked for, and each its own elsewhere', () => {
  const { disk, image } = diskOf(2, (i) => 8192 + i * size)
  const view = new DataView(image.buffer)
  for (let i = 3; i < 7; i++) view.setBigUint64(8192 + 8 * i, (1n << 62n) | BigInt(20_000 + i))
  const emitted = (joinsCompressed: boolean): readonly unknown[] => {
    const found: Extent[] = []
    const plan = extents(disk, 4 * size, coverage, undefined, joinsCompressed)
    assert.ok(E.isRight(runSync(plan, { read: fromMemory(image), emit: (e) => found.push(e) })))
    return found.map(({ kind, start, length, host }) => [kind, start / size, length / size, host])
  }
  const rest = ['absent', 7, entries - 7, undefined]
  assert.equal(emitted(true), [['compressed', 4, 3, 20_004], rest])
  assert.equal(emitted(false), [
    ['compressed', 4, 1, 20_004],
    ['compressed', 5, 1, 20_005],
    ['compressed', 6, 1, 20_006],
    rest
  ])
})

test.run()
