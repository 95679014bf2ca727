/** Holes of files: a hole reads as zeros, is mapped as QEMU maps it, and is never read. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import { fromMemory, runSync } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import type { Chain } from '../../../src/image/guest/chain.js'
import { activeDisk } from '../../../src/image/guest/extents.js'
import { hasPreallocatedClusters } from '../../../src/image/guest/holes.js'
import { map, type MapEntry } from '../../../src/image/guest/map.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { holds } from '../../run/holds.js'
import { suite } from '../../run/suite.js'
import { right, runOn } from '../world.js'

const test = suite('holes')

const block = 512
const blocks = 24

/** A file of stored blocks and holes, and what is asked of it. */
const world = (stored: readonly boolean[]) => {
  const file = Uint8Array.from({ length: stored.length * block }, (_, i) =>
    stored[Math.floor(i / block)] === true ? 7 : 0
  )
  const next = (from: number, what: boolean): number => {
    const found = stored.findIndex((s, i) => i >= from && s === what)
    return found < 0 ? stored.length : found
  }
  const read: number[] = []
  return {
    file,
    blocksRead: read,
    read: ({ at, length }: { readonly at: number; readonly length: number }) => {
      for (let i = Math.floor(at / block); i * block < at + length; i++) read.push(i)
      return fromMemory(file)({ at, length })
    },
    seekData: ({ at }: { readonly at: number }) => {
      const i = Math.floor(at / block)
      const from = next(i, true)
      return from === stored.length
        ? { from: Infinity, to: Infinity }
        : { from: Math.max(at, from * block), to: next(from, false) * block }
    }
  }
}

const files = fc.array(fc.boolean(), { minLength: blocks, maxLength: blocks })
const range = fc.tuple(fc.nat(blocks * block), fc.nat(blocks * block)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)])

const mapped = (chain: Chain, answers: ReturnType<typeof world>): readonly MapEntry[] => {
  const entries: MapEntry[] = []
  right(runSync(map(chain), { ...answers, emit: (e: MapEntry) => entries.push(e) }))
  return entries
}

test('a raw file is mapped as its stored parts and its holes, and its holes are not read', () => {
  holds(
    fc.property(files, range, (stored, [from = 0, to = 0]) => {
      const answers = world(stored)
      const chain: Chain = [{ _tag: 'Raw', size: blocks * block, hasHoles: true }]
      const entries = mapped(chain, answers)
      for (const { start, length, data, zero, present, offset } of entries) {
        assert.equal([zero, present, offset], [!data, true, start])
        for (let i = start / block; i < (start + length) / block; i++) assert.is(stored[i], data)
      }
      assert.is(
        entries.reduce((end, { start, length }) => (start === end ? end + length : NaN), 0),
        blocks * block
      )
      const read = right(runSync(readGuest(chain, from, to - from, portable), answers))
      assert.equal(read, answers.file.slice(from, to))
      assert.ok(answers.blocksRead.every((i) => stored[i] === true))
    })
  )
})

test('a raw file whose holes are unknown is mapped as data', () => {
  const { read } = world([false, true])
  const entries: MapEntry[] = []
  right(runSync(map([{ _tag: 'Raw', size: 1024, hasHoles: true }]), { read, emit: (e: MapEntry) => entries.push(e) }))
  assert.equal(
    entries.map(({ length, data }) => [length, data]),
    [[1024, true]]
  )
})

/** An image whose clusters are all preallocated. */
const { image } = load('case-46-preallocation-metadata')
const m = right(E.flattenW(runOn(image, readMetadata())))
const g = m.geometry
if (g === undefined) throw new Error('the image has no geometry')
const disk = activeDisk(m, g)

/** A file of the image, with a hole from byte `from` on. */
const holeFrom = (from: number) => ({
  read: fromMemory(image),
  seekData: ({ at }: { readonly at: number }) => (at < from ? { from: at, to: from } : { from: Infinity, to: Infinity })
})

const guestEntries = (top: Chain[0], from: number): readonly unknown[] => {
  const entries: MapEntry[] = []
  right(runSync(map([top]), { ...holeFrom(from), emit: (e: MapEntry) => entries.push(e) }))
  return entries.map(({ start, length, zero, data, offset }) => [start, length, zero, data, offset])
}

test('data clusters of an image in a hole are data and zero, with their offset', () => {
  const [whole] = guestEntries({ _tag: 'Image', disk }, 0)
  const [, , , , host] = Array.isArray(whole) ? whole.map(Number) : []
  const from = (host ?? 0) + 4096
  assert.equal(guestEntries({ _tag: 'Image', disk, hasHoles: true }, from), [
    [0, 4096, false, true, host],
    [4096, disk.size - 4096, true, true, from]
  ])
})

test('encrypted clusters are not zeros in a hole', () => {
  const encrypted = { ...disk, encrypted: true }
  assert.equal(guestEntries({ _tag: 'Image', disk: encrypted, hasHoles: true }, 0), [
    [0, disk.size, false, true, undefined]
  ])
})

test('an image has preallocated clusters if its file takes up less than nine tenths of the clusters in use, and two less', () => {
  const size = 2 ** g.clusterBits
  const used = Math.ceil(image.length / size)
  const isPreallocated = (stored: number, length = image.length): boolean =>
    right(runOn(image, hasPreallocatedClusters(m, g, { length, actualSize: stored * size })))
  for (let stored = 0; stored <= used; stored++)
    assert.is(
      isPreallocated(stored),
      used >= stored + 2 && used >= Math.floor((stored * 10) / 9),
      `${stored} of ${used}`
    )
  assert.is(isPreallocated(used, image.length * 2), false, 'clusters that are not in use count')
})

test.run()
