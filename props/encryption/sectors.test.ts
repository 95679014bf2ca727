/** Sectors are decrypted as OpenSSL's own XTS and CBC and the vectors of IEEE 1619 say, by both ciphers. */
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { toHex } from '../../src/bytes/octets.js'
import { type Cipher, hashNames } from '../../src/encryption/cipher.js'
import { portableCipher } from '../../src/encryption/portable.js'
import { sectorCipher, type VectorGenerator } from '../../src/encryption/sectors.js'
import { nativeCipher } from '../../src/node/encryption/native.js'
import { noise } from '../../src/fuzz/noise.js'
import { holds } from '../run/holds.js'
import { suite } from '../run/suite.js'
import { encryptSectors } from './luks-area.js'

const test = suite('encrypted sectors')

const ciphers: readonly (readonly [name: string, cipher: Cipher])[] = [
  ['portable', portableCipher],
  ['native', nativeCipher]
]

const plain512 = Array.from({ length: 512 }, (_, i) => (i % 256).toString(16).padStart(2, '0')).join('')

/** Vectors of IEEE 1619-2007, annex B, whose data may end before the sector does: key, sector, plain bytes, start of the encrypted. */
const vectors: readonly (readonly [number: number, key: string, sector: number, plain: string, encrypted: string])[] = [
  [1, '00'.repeat(32), 0, '00'.repeat(32), '917cf69ebd68b2ec9b9fe9a3eadda692cd43d2f59598ed858c02c2652fbf922e'],
  [
    2,
    '11'.repeat(16) + '22'.repeat(16),
    0x33_3333_3333,
    '44'.repeat(32),
    'c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0'
  ],
  [
    3,
    `fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0${'22'.repeat(16)}`,
    0x33_3333_3333,
    '44'.repeat(32),
    'af85336b597afc1a900b2eb21ec949d292df4c047e0b21532186a5971a227a89'
  ],
  [
    4,
    '2718281828459045235360287471352631415926535897932384626433832795',
    0,
    plain512,
    '27a7479befa1d476489f308cd4cfa6e2a96e4bbe3208ff25287dd3819616e89cc78cf7f5e543445f8333d8fa7f560000'
  ],
  [
    10,
    '27182818284590452353602874713526624977572470936999595749669676273141592653589793238462643383279502884197169399375105820974944592',
    0xff,
    plain512,
    '1c3b3a102f770386e4836c99e370cf9bea00803f5e482357a4ae12d414a3e63b5d31e276f8fe4a8d66b317f9ac683f44'
  ]
]

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

const generatorOf = (name: string, cipher: Cipher): VectorGenerator => {
  if (name === 'plain' || name === 'plain64') return name
  const hash = cipher.hash(name === 'essiv:md5' ? 'md5' : 'sha256')
  if (hash === undefined) throw new Error(`no ${name}`)
  return { essiv: hash }
}

test('XTS decrypts the vectors of IEEE 1619', () => {
  for (const [number, key, sector, plain, start] of vectors) {
    for (const [name, cipher] of ciphers) {
      const sectors = sectorCipher(cipher, { mode: 'xts', generator: 'plain64' }, bytesOf(key))
      const found = toHex(sectors.decrypt(bytesOf(start.padEnd(1024, '0')), sector))
      assert.is(found.slice(0, start.length), plain.slice(0, start.length), `${number} ${name}`)
    }
  }
})

/** Keys that OpenSSL has the mode for; it has no XTS of AES-192. */
const keys = fc.oneof(
  fc.tuple(fc.constant('xts' as const), fc.constantFrom(32, 64)),
  fc.tuple(fc.constant('cbc' as const), fc.constantFrom(16, 24, 32))
)

test('sectors are decrypted that OpenSSL encrypted in the same mode', () => {
  holds(
    fc.property(
      keys,
      fc.constantFrom('plain', 'plain64', 'essiv:sha256', 'essiv:md5'),
      fc.nat(),
      fc.oneof(fc.constantFrom(0, 2 ** 32 - 2, 2 ** 47 - 3), fc.nat()),
      fc.integer({ min: 1, max: 5 }),
      ([mode, size], generator, seed, first, count) => {
        const [key, plain] = [noise(seed, size), noise(seed + 1, 512 * count)]
        const sealed = encryptSectors(`${mode}-${generator}`, key, first, plain)
        for (const [name, cipher] of ciphers) {
          const sectors = sectorCipher(cipher, { mode, generator: generatorOf(generator, cipher) }, key)
          assert.is(toHex(sectors.decrypt(sealed, first)), toHex(plain), name)
        }
      }
    ),
    { runs: 200 }
  )
})

test('both ciphers have the same AES, digests and derived keys', () => {
  holds(
    fc.property(fc.nat(), fc.constantFrom(16, 24, 32), fc.nat({ max: 200 }), (seed, size, length) => {
      const [key, bytes, blocks] = [noise(seed, size), noise(seed, length), noise(seed, 16 * (length % 7))]
      const made = ciphers.map(([, cipher]) => {
        const aes = cipher.aes(key)
        const hashes = hashNames.flatMap((name) => (name === 'sm3' ? [] : [cipher.hash(name)]))
        return [
          toHex(aes.encrypt(blocks)),
          toHex(aes.decrypt(blocks)),
          ...hashes.map((hash) => hash?.size),
          ...hashes.map((hash) => hash !== undefined && toHex(hash.digest(bytes))),
          ...hashes.map((hash) => hash !== undefined && toHex(hash.derive(bytes, key, 1 + (seed % 3), length + 1)))
        ]
      })
      assert.equal(made[0], made[1])
      assert.ok(!made.flat().includes(false))
    })
  )
})

test('a cipher keeps a key of its own, and overwrites it', () => {
  const key = noise(1, 32)
  const aes = portableCipher.aes(key)
  const block = noise(2, 16)
  const sealed = toHex(aes.encrypt(block))
  const [under, underZeros] = [key, new Uint8Array(32)].map((each) => toHex(nativeCipher.aes(each).encrypt(block)))
  assert.is(sealed, under)
  key.fill(1)
  assert.is(toHex(aes.encrypt(block)), under)
  aes.wipe()
  assert.is(toHex(aes.encrypt(block)), underZeros)
  const native = nativeCipher.aes(key)
  native.wipe()
  assert.throws(() => native.decrypt(block))
})

test.run()
