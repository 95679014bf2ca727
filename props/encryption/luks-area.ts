/** LUKS headers with one key slot, made by OpenSSL's own modes: an encrypted image gets another cipher, and the same password. */
import { createCipheriv, createHash, pbkdf2Sync } from 'node:crypto'
import { noise } from '../../src/fuzz/noise.js'

/** How an image is to be encrypted. */
export interface LuksWay {
  /** Bits of the key of AES. */
  readonly bits: number
  /** In the words of the header, such as `cbc-essiv:sha256`. */
  readonly mode: string
  readonly hash: string
}

const stripes = 4000
const iterations = 1000

/** The initialisation vector of a sector. */
const vectorOf = (generator: string, key: Uint8Array, sector: number): Buffer => {
  const vector = Buffer.alloc(16)
  vector.writeBigUInt64LE(BigInt(sector))
  if (generator === 'plain') vector.fill(0, 4)
  if (!generator.startsWith('essiv:')) return vector
  const salt = createHash(generator.slice(6)).update(key).digest()
  return createCipheriv(`aes-${8 * salt.length}-ecb`, salt, null).update(vector)
}

/** Sectors that OpenSSL encrypts one by one, in its own mode; `mode` is in the words of a LUKS header. */
export const encryptSectors = (mode: string, key: Uint8Array, first: number, plain: Uint8Array): Buffer => {
  const [chaining = '', generator = ''] = mode.split(/-(.*)/)
  const bits = (chaining === 'xts' ? key.length / 2 : key.length) * 8
  return Buffer.concat(
    Array.from({ length: plain.length / 512 }, (_, i) => {
      const aes = createCipheriv(`aes-${bits}-${chaining}`, key, vectorOf(generator, key, first + i))
      return aes.setAutoPadding(false).update(plain.subarray(512 * i, 512 * (i + 1)))
    })
  )
}

const xor = (a: Uint8Array, b: Uint8Array): Buffer => Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)))

/** What spreads each bit of a block over all of it. */
const diffused = (hash: string, block: Buffer): Buffer => {
  const { length } = createHash(hash).digest()
  const parts = Array.from({ length: Math.ceil(block.length / length) }, (_, i) => {
    const number = Buffer.alloc(4)
    number.writeUInt32BE(i)
    return createHash(hash)
      .update(number)
      .update(block.subarray(i * length, (i + 1) * length))
      .digest()
  })
  return Buffer.concat(parts).subarray(0, block.length)
}

/** A key that is split into stripes. */
const split = (hash: string, key: Uint8Array): Buffer => {
  const parts: Uint8Array[] = []
  let block: Buffer = Buffer.alloc(key.length)
  for (let i = 1; i < stripes; i++) {
    const stripe = noise(i, key.length)
    parts.push(stripe)
    block = diffused(hash, xor(block, stripe))
  }
  return Buffer.concat([...parts, xor(block, key)])
}

/**
 * The start of a LUKS area with a key slot that the password unlocks: what is before the payload, in an area for keys of 64 bytes.
 *
 * @param area that of an image made by QEMU
 */
export const luksArea = (area: Uint8Array, { bits, mode, hash }: LuksWay, password: string): Buffer => {
  const out = Buffer.from(area)
  const size = (mode.startsWith('xts') ? 2 : 1) * (bits / 8)
  const [key, salt, digestSalt] = [noise(1, size), noise(2, 32), noise(3, 32)]
  const text = (at: number, value: string): unknown => out.fill(0, at, at + 32).write(value, at)
  text(8, 'aes')
  text(40, mode)
  text(72, hash)
  out.writeUInt32BE(size, 108)
  pbkdf2Sync(key, digestSalt, iterations, 20, hash).copy(out, 112)
  out.set(digestSalt, 132)
  out.writeUInt32BE(iterations, 164)
  out.writeUInt32BE(iterations, 212)
  out.set(salt, 216)
  const slotKey = pbkdf2Sync(password, salt, iterations, size, hash)
  encryptSectors(mode, slotKey, 0, split(hash, key)).copy(out, 512 * out.readUInt32BE(248))
  return out
}
