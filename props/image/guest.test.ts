/** The guest bytes are those that qemu-img reads, of the active disk and of every snapshot of the corpus. */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load, names } from '../../corpus/load.js'
import { portable } from '../../src/compression/decompress.js'
import { type Chain, chainSize } from '../../src/image/chain.js'
import { readGuest } from '../../src/image/read.js'
import { native } from '../../src/node/decompress.js'
import { note, suite } from '../suite.js'
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

test.run()
