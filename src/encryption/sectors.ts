/** Encrypted sectors: the modes XTS and CBC of AES, and the generators of initialisation vectors. */
import { copy, viewOf } from '../bytes/octets.js'
import { sectorSize } from '../format/limits.js'
import { type BlockCipher, blockSize, type Cipher, type Hash } from './cipher.js'

/** Decrypts sectors of 512 bytes under one key. */
export interface SectorCipher {
  /** The plain bytes of whole sectors, of which the first has the number `first`. */
  readonly decrypt: (sectors: Uint8Array, first: number) => Uint8Array
  /** Overwrites the key; the cipher is not used again. */
  readonly wipe: () => void
}

/** How the number of a sector becomes its initialisation vector; for `essiv`, AES encrypts it under this hash of the key. */
export type VectorGenerator = 'plain' | 'plain64' | { readonly essiv: Hash }

/** How sectors are encrypted. @see LUKS-05 and LUKS-10 */
export interface Scheme {
  readonly mode: 'xts' | 'cbc'
  readonly generator: VectorGenerator
}

/** The initialisation vectors of `count` sectors, a block each. */
type Vectors = (first: number, count: number) => Uint8Array

/** The numbers of sectors as little-endian integers of 64 bits, or of 32. */
const numbers =
  (bits: 32 | 64): Vectors =>
  (first, count) => {
    const blocks = new Uint8Array(count * blockSize)
    const view = viewOf(blocks)
    for (let i = 0; i < count; i++) {
      view.setUint32(i * blockSize, (first + i) % 2 ** 32, true)
      if (bits === 64) view.setUint32(i * blockSize + 4, Math.floor((first + i) / 2 ** 32), true)
    }
    return blocks
  }

/** The vectors of sectors, and a `wipe` that overwrites the key they are made with. */
interface Generator {
  readonly vectors: Vectors
  readonly wipe: () => void
}

const generatorOf = (cipher: Cipher, generator: VectorGenerator, key: Uint8Array): Generator => {
  if (generator === 'plain') return { vectors: numbers(32), wipe: () => undefined }
  if (generator === 'plain64') return { vectors: numbers(64), wipe: () => undefined }
  const salt = generator.essiv.digest(key)
  const aes = cipher.aes(salt)
  salt.fill(0)
  return { vectors: (first, count) => aes.encrypt(numbers(64)(first, count)), wipe: aes.wipe }
}

/** Xors `other` into `out`, which is whole words of 4 bytes and no longer than `other`. */
export const xorInto = (out: Uint8Array, other: Uint8Array): void => {
  const [to, from] = [viewOf(out), viewOf(other)]
  for (let i = 0; i < to.byteLength; i += 4) to.setUint32(i, to.getUint32(i) ^ from.getUint32(i))
}

/** The tweaks of all blocks of sectors: a sector's first is given, each further one is that before it times x in GF(2^128). */
const tweaksOf = (firsts: Uint8Array): Uint8Array => {
  const tweaks = new Uint8Array((firsts.length / blockSize) * sectorSize)
  const [from, to] = [viewOf(firsts), viewOf(tweaks)]
  for (let at = 0, sector = 0; at < tweaks.length; sector++) {
    let a = from.getUint32(sector * blockSize, true)
    let b = from.getUint32(sector * blockSize + 4, true)
    let c = from.getUint32(sector * blockSize + 8, true)
    let d = from.getUint32(sector * blockSize + 12, true)
    for (const end = at + sectorSize; at < end; at += blockSize) {
      to.setUint32(at, a, true)
      to.setUint32(at + 4, b, true)
      to.setUint32(at + 8, c, true)
      to.setUint32(at + 12, d, true)
      const carry = d >>> 31
      d = (d << 1) | (c >>> 31)
      c = (c << 1) | (b >>> 31)
      b = (b << 1) | (a >>> 31)
      a = (a << 1) ^ (carry * 0x87)
    }
  }
  return tweaks
}

/** XTS: each block is masked by a tweak before and after. The second half of the key encrypts the vectors. */
const xts = (cipher: Cipher, key: Uint8Array, { vectors, wipe }: Generator): SectorCipher => {
  const [data, tweak] = [cipher.aes(key.subarray(0, key.length / 2)), cipher.aes(key.subarray(key.length / 2))]
  return {
    decrypt: (sectors, first) => {
      const tweaks = tweaksOf(tweak.encrypt(vectors(first, sectors.length / sectorSize)))
      const masked = copy(sectors)
      xorInto(masked, tweaks)
      const plain = data.decrypt(masked)
      xorInto(plain, tweaks)
      return plain
    },
    wipe: () => {
      for (const each of [data, tweak]) each.wipe()
      wipe()
    }
  }
}

/** What CBC masks each block of sectors with: the encrypted block before it; the first of a sector with the sector's vector. */
const chained = (sectors: Uint8Array, vectors: Uint8Array): Uint8Array => {
  const masks = new Uint8Array(sectors.length)
  masks.set(sectors.subarray(0, sectors.length - blockSize), blockSize)
  for (let at = 0, i = 0; at < sectors.length; at += sectorSize, i += blockSize)
    masks.set(vectors.subarray(i, i + blockSize), at)
  return masks
}

const cbc = (cipher: Cipher, key: Uint8Array, { vectors, wipe }: Generator): SectorCipher => {
  const data: BlockCipher = cipher.aes(key)
  return {
    decrypt: (sectors, first) => {
      const plain = data.decrypt(sectors)
      xorInto(plain, chained(sectors, vectors(first, sectors.length / sectorSize)))
      return plain
    },
    wipe: () => {
      data.wipe()
      wipe()
    }
  }
}

/** Decryption by a scheme under a key of its length. The caller overwrites the key. */
export const sectorCipher = (cipher: Cipher, { mode, generator }: Scheme, key: Uint8Array): SectorCipher =>
  (mode === 'xts' ? xts : cbc)(cipher, key, generatorOf(cipher, generator, key))
