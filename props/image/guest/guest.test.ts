/** The guest bytes are those that qemu-img reads, of the active disk and of every snapshot of the corpus. */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../../corpus/load.js'
import { runSync } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import * as limits from '../../../src/format/limits.js'
import { type Chain, chainSize } from '../../../src/image/guest/chain.js'
import { map, type MapEntry } from '../../../src/image/guest/map.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { snapshotDisk } from '../../../src/image/guest/extents.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { snapshotStarts } from '../../../src/format/snapshot.js'
import { runOn } from '../world.js'
import { native } from '../../../src/node/compression/native.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { note, suite } from '../../run/suite.js'
import { type Machine, newMachine, perhaps, right } from '../../transition/model/machine.js'
import { chainOf, type MemoryChain, runChain } from './chains.js'

const test = suite('guest')

const step = 2 ** 22

/** The digest of the first `size` guest bytes of a chain; the reason when they cannot be read. */
const digest = (c: MemoryChain, size: number, decompressor = native): E.Either<string, string> => {
  const hash = createHash('sha256')
  for (let at = 0; at < size; at += step) {
    const bytes = runChain(c, readGuest(c.chain, at, Math.min(step, size - at), decompressor))
    if (E.isLeft(bytes)) return bytes
    hash.update(bytes.right)
  }
  return E.right(hash.digest('hex'))
}

/** QEMU reads a snapshot at the size of the active disk, whatever its own. */
const ofSize = ({ chain: [top, ...rest], read }: MemoryChain, size: number): MemoryChain => {
  const chain: Chain = [top._tag === 'Raw' ? top : { ...top, disk: { ...top.disk, size } }, ...rest]
  return { chain, read }
}

/** Keys are not for this reader: qemu-img was given one. @see LUKS-08 */
const encrypted = ['case-59-luks', 'case-60-aes']

test('the digest of the active disk is that of qemu-img, and a disk is unreadable where qemu-img cannot read it', () => {
  let equal = 0
  let unreadable = 0
  for (const name of names()) {
    const loaded = load(name)
    const { active } = loaded.expect.guest
    const ours = E.chain((c: MemoryChain) => digest(c, chainSize(c.chain)))(chainOf(loaded))
    if (encrypted.includes(name)) {
      assert.match(E.isLeft(ours) ? ours.left : 'read', 'LUKS-08')
      continue
    }
    assert.is(E.isRight(ours), active.exit === 0, `${name}: ${E.isLeft(ours) ? ours.left : 'read'}`)
    if (E.isRight(ours)) {
      assert.is(ours.right, active.sha256, name)
      equal++
    } else unreadable++
  }
  note(`${equal} disks equal, ${unreadable} unreadable for both`)
})

test('the digest of every snapshot is that of qemu-img', () => {
  let equal = 0
  for (const name of names().filter((n) => !encrypted.includes(n))) {
    const loaded = load(name)
    const active = chainOf(loaded)
    for (const s of loaded.expect.guest.snapshots) {
      const c = chainOf(loaded, s.id)
      const size = E.isRight(active) ? chainSize(active.right.chain) : 0
      const ours = E.chain((x: MemoryChain) => digest(ofSize(x, size), size))(c)
      assert.is(E.isRight(ours), s.exit === 0, `${name} ${s.id}: ${E.isLeft(ours) ? ours.left : 'read'}`)
      if (E.isLeft(ours)) continue
      assert.is(ours.right, s.sha256, `${name} ${s.id}`)
      equal++
    }
  }
  assert.ok(equal > 300)
  note(`${equal} snapshots equal`)
})

test('the portable decoders read what the native ones read', () => {
  for (const name of names().filter((n) => /compress|deflate|zstd/.test(n) && !n.startsWith('matrix'))) {
    const c = chainOf(load(name))
    if (E.isLeft(c)) continue
    const size = chainSize(c.right.chain)
    assert.equal(E.isRight(digest(c.right, size, portable)), E.isRight(digest(c.right, size)), name)
    assert.equal(E.toUnion(digest(c.right, size, portable)), E.toUnion(digest(c.right, size)), name)
  }
})

const [size, part] = [2 ** 16, 2 ** 12]
const own = new Uint8Array(part).fill(255)
const parts = Array.from({ length: size / part }, (_, i) => i)

/** A disk of one compressed cluster, and an overlay that has every second of its own smaller parts. */
const overPacked = (options: CreateOptions): MemoryChain => {
  const bytes = Uint8Array.from({ length: size }, (_, i) => i / 512)
  const packed = right(perhaps(newMachine({ size }), { _tag: 'WriteCompressed', at: 0, bytes }))
  const over = newMachine({ ...options, backing: { name: 'packed', format: 'qcow2' } })
  const { files } = parts
    .filter((i) => i % 2 === 0)
    .reduce<Machine>((m, i) => right(perhaps(m, { _tag: 'Write', at: i * part, bytes: own })), over)
  const chain = chainOf({ image: files.image, files: new Map([['packed', packed.files.image]]), expect: {} })
  if (E.isLeft(chain)) throw new Error(chain.left)
  return chain.right
}

test('a read through an overlay with smaller clusters takes only its part of a compressed cluster of the backing file', () => {
  for (const options of [
    { size, clusterBits: 12 },
    { size, extendedL2: true }
  ]) {
    const c = overPacked(options)
    const disk = runChain(c, readGuest(c.chain, 0, size, portable))
    const wanted = Uint8Array.from({ length: size }, (_, i) => (Math.floor(i / part) % 2 === 0 ? 255 : i / 512))
    assert.ok(E.isRight(disk) && Buffer.compare(disk.right, wanted) === 0)
    const entries: MapEntry[] = []
    assert.ok(E.isRight(runChain(c, map(c.chain), (e) => entries.push(e))))
    assert.equal(
      entries.map(({ start, length, depth }) => [start, length, depth]),
      parts.map((i) => [i * part, part, i % 2])
    )
  }
})

test('a snapshot whose L1 table is not aligned has no disk; the issue is at its entry', () => {
  const image = load('case-53-many-snapshots').image.slice()
  const { header, snapshots } = right(right(runOn(image, readMetadata())))
  const starts = snapshotStarts(snapshots).map((start) => Number(header.snapshotsOffset) + start)
  for (const at of starts) image[at + 7] = 8
  const m = right(right(runOn(image, readMetadata())))
  const { geometry } = m
  assert.ok(geometry !== undefined && starts.length > 2)
  const disks = m.snapshots.map((s) => snapshotDisk(m, geometry, s))
  assert.equal(
    disks.map((disk) => E.isLeft(disk) && disk.left.map(({ clause, at }) => [clause, at])),
    starts.map((at) => [['SNAP-01', at]])
  )
})

test('a walk ends soon whatever a disk is said to be: no more entries are read than an L1 table may have', () => {
  const g = { version: 3, clusterBits: 16, refcountOrder: 4, extendedL2: false, externalDataFile: false } as const
  const none = { compressionType: 0, encrypted: false, l1TableOffset: 2 ** 61 }
  for (const l1Size of [0, 1, 2 ** 32 - 1]) {
    let bytes = 0
    const found: MapEntry[] = []
    const disk = { g, size: 2 ** 62, l1Size, ...none }
    runSync(map([{ _tag: 'Image', disk }]), {
      read: ({ length }) => {
        bytes += length
        return new Uint8Array(length)
      },
      emit: (e: MapEntry) => {
        found.push(e)
      }
    })
    assert.equal(
      found.map(({ start, length, present }) => [start, length, present]),
      [[0, 2 ** 62, false]]
    )
    assert.ok(bytes <= 8 * limits.maxL1Entries)
  }
})

test.run()
