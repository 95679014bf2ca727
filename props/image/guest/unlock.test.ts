/** Encrypted images are unlocked by their password, and read as qemu-img reads them; what cannot be unlocked is refused. */
import { createHash } from 'node:crypto'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { copy, equal, fromText, toHex } from '../../../src/bytes/octets.js'
import { orFail, type Plan } from '../../../src/bytes/plan.js'
import { portable } from '../../../src/compression/decompress.js'
import type { Cipher, Hash } from '../../../src/encryption/cipher.js'
import { portableCipher } from '../../../src/encryption/portable.js'
import type { Chain } from '../../../src/image/guest/chain.js'
import { activeDisk, type Decryption, type GuestDisk } from '../../../src/image/guest/extents.js'
import { readGuest } from '../../../src/image/guest/read.js'
import { unlock } from '../../../src/image/guest/unlock.js'
import { readMetadata } from '../../../src/image/metadata.js'
import { nativeCipher } from '../../../src/node/encryption/native.js'
import { suite } from '../../run/suite.js'
import { runOn } from '../world.js'

const test = suite('unlocking')

const password = fromText('abc')
const luks = load('case-59-luks').image
const pointer = Buffer.from(luks).indexOf(Uint8Array.of(0x05, 0x37, 0xbe, 0x77))
const area = Number(Buffer.from(luks).readBigUInt64BE(pointer + 8))

/** The LUKS image with other bytes at an offset in its area. */
const poked = (at: number, bytes: Uint8Array): Uint8Array => {
  const image = Buffer.from(luks)
  image.set(bytes, area + at)
  return image
}

const named = (text: string): Uint8Array => fromText(text.padEnd(32, '\0'))

const derived = new Map<string, Uint8Array>()

/** The same cipher, which derives a key once only, by Node: it takes half a second. */
const quick = (cipher: Cipher): Cipher => ({
  ...cipher,
  hash: (name) => {
    const [hash, native] = [cipher.hash(name), nativeCipher.hash(name)]
    if (hash === undefined || native === undefined) return undefined
    const derive: Hash['derive'] = (...given) => {
      const id = `${name} ${given.map((each) => (typeof each === 'number' ? each : toHex(each))).join(' ')}`
      const key = derived.get(id) ?? native.derive(...given)
      derived.set(id, copy(key))
      return copy(key)
    }
    return { ...hash, derive }
  }
})
const native = quick(nativeCipher)

function* unlocked(given: Uint8Array, cipher: Cipher): Plan<GuestDisk> {
  const m = yield* orFail(yield* readMetadata())
  if (m.geometry === undefined) throw new Error('no geometry')
  const decryption = yield* unlock(m, given, cipher)
  return { ...activeDisk(m, m.geometry), decryption }
}

/** Guest bytes of an image under a password. */
function* guest(given: Uint8Array, cipher: Cipher, at: number, length: number): Plan<Uint8Array> {
  const chain: Chain = [{ _tag: 'Image', disk: yield* unlocked(given, cipher) }]
  return yield* readGuest(chain, at, length, portable)
}

/** The issue over which an image is not unlocked. */
const refusedFor = (image: Uint8Array, cipher = native, given = password): Issue | undefined => {
  const done = runOn(image, unlocked(given, cipher))
  return E.isLeft(done) ? done.left[0] : undefined
}

test('an image that is encrypted by LUKS or AES reads as in qemu-img, by both ciphers', () => {
  for (const name of ['case-59-luks', 'case-60-aes'])
    for (const cipher of [native, quick(portableCipher)]) {
      const { image, expect } = load(name)
      const read = runOn(image, guest(password, cipher, 0, 2 ** 22))
      assert.ok(E.isRight(read), name)
      assert.is(createHash('sha256').update(read.right).digest('hex'), expect.guest.active.sha256, name)
    }
})

test('a part of a sector is read as it is in the whole disk', () => {
  for (const name of ['case-59-luks', 'case-60-aes']) {
    const { image } = load(name)
    for (const [at, length] of [
      [1, 1],
      [511, 2],
      [65535, 2],
      [65536, 1],
      [700, 1300]
    ] as const) {
      const read = runOn(image, guest(password, native, at, length))
      const expected = Uint8Array.from({ length }, (_, i) => (at + i < 65536 ? 7 : 0))
      assert.ok(E.isRight(read) && equal(read.right, expected), `${name} ${at}`)
    }
  }
})

test('the sector numbers of a tree that begins past the disk are those of its guest offsets', () => {
  const seen: number[] = []
  const decryption = {
    decrypt: (sectors: Uint8Array, first: number) => {
      seen.push(first)
      return sectors
    },
    wipe: () => undefined
  }
  for (const numberedBy of ['guest', 'host'] as const) {
    const read = runOn(
      load('case-60-aes').image,
      (function* (): Plan<Uint8Array> {
        const disk = yield* unlocked(password, native)
        const counted: Decryption = { ...decryption, numberedBy }
        return yield* readGuest(
          [{ _tag: 'Image', disk: { ...disk, decryption: counted, from: 2 ** 30 } }],
          1024,
          1,
          portable
        )
      })()
    )
    assert.ok(E.isRight(read))
  }
  const [byGuest, byHost = 0] = seen
  assert.is(byGuest, 2 ** 21 + 2)
  assert.is(byHost % 128, 2)
})

test('a password that unlocks no key slot is refused in the words of QEMU', () => {
  for (const wrong of ['abd', '', 'abc\n']) {
    const issue = refusedFor(luks, native, fromText(wrong))
    assert.is(issue?.message, 'Invalid password, cannot unlock any keyslot [OPEN-25]')
    assert.is(issue?.refusal, 'OPEN-25')
  }
  const unused = Buffer.from(luks)
  unused.writeUInt32BE(0xdead, area + 208)
  assert.is(refusedFor(unused)?.clause, 'OPEN-25')
})

test('a cipher, a mode, a hash or a length of key that is not supported is refused by name', () => {
  for (const [at, name, field, found] of [
    [8, 'serpent', 'cipher_name', "'serpent'"],
    [8, 'twofish', 'cipher_name', "'twofish'"],
    [40, 'ctr-plain64', 'cipher_mode', "'ctr-plain64'"],
    [40, 'xts', 'cipher_mode', "'xts'"],
    [40, 'xts-benbi', 'cipher_mode', "'xts-benbi'"],
    [40, 'cbc-essiv:sha1', 'cipher_mode', "'cbc-essiv:sha1'"],
    [40, 'cbc-essiv', 'cipher_mode', "the hash ''"],
    [72, 'whirlpool', 'hash_spec', "the hash 'whirlpool'"],
    [72, 'toString', 'hash_spec', "the hash 'toString'"],
    [40, 'cbc-plain64', 'key_bytes', '64']
  ] as const) {
    const issue = refusedFor(poked(at, named(name)))
    assert.equal(
      [issue?.field, issue?.found, issue?.clause, issue?.refusal],
      [field, found, 'LUKS-10', 'OPEN-25'],
      name
    )
  }
  assert.is(refusedFor(poked(72, named('sm3')), portableCipher)?.found, "the hash 'sm3'")
})

test('a header whose iterations would take too long is refused before any are done', () => {
  const slow: Cipher = {
    ...nativeCipher,
    hash: (name) => {
      const hash = nativeCipher.hash(name)
      const derive = (): Uint8Array => {
        throw new Error('a key is derived')
      }
      return hash === undefined ? hash : { ...hash, derive }
    }
  }
  const many = Uint8Array.of(0xff, 0xff, 0xff, 0xff)
  for (const at of [164, 208 + 4]) {
    const issue = refusedFor(poked(at, many), slow)
    assert.equal([issue?.phase, issue?.clause, issue?.refusal], ['limit', 'LUKS-03', 'OPEN-25'])
  }
  // Slots that are not in use cost nothing.
  assert.is(refusedFor(poked(208 + 48 + 4, many)), undefined)
})

test('no key is left in memory but in the decryption, and wiping overwrites it there', () => {
  const made: Uint8Array[] = []
  const keep = (bytes: Uint8Array): Uint8Array => {
    made.push(bytes)
    return bytes
  }
  const wiped: boolean[] = []
  const watched: Cipher = {
    hash: (name) => {
      const hash = native.hash(name)
      return hash === undefined ? hash : { ...hash, derive: (...given) => keep(hash.derive(...given)) }
    },
    aes: (key) => {
      const aes = nativeCipher.aes(key)
      const index = wiped.push(false) - 1
      const wipe = (): void => {
        wiped[index] = true
        aes.wipe()
      }
      return { ...aes, decrypt: (blocks) => keep(aes.decrypt(blocks)), wipe }
    }
  }
  const disk = runOn(luks, unlocked(password, watched))
  assert.ok(E.isRight(disk))
  // The slot key, the stripes, and the digest, which is not secret.
  assert.equal(
    made.map((bytes) => bytes.every((byte) => byte === 0)),
    [true, true, false]
  )
  assert.equal(wiped, [true, true, false, false])
  disk.right.decryption?.wipe()
  assert.equal(wiped, [true, true, true, true])
})

test.run()
