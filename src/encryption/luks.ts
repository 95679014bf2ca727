/** LUKS1: how a header says that sectors are encrypted, and the master key that a password unlocks. */
import * as E from 'fp-ts/lib/Either.js'
import { concat, equal, viewOf } from '../bytes/octets.js'
import { sectorSize } from '../format/limits.js'
import { type LuksHeader, type LuksSlot, luksStripes, luksText } from '../format/luks.js'
import { aesKeys, type Cipher, type Hash, hashNames, type HashName } from './cipher.js'
import { type Scheme, sectorCipher, type VectorGenerator, xorInto } from './sectors.js'

/** What a LUKS header says of its keys and sectors. */
export interface LuksScheme extends Scheme {
  /** The hash of key derivation. */
  readonly hash: Hash
  /** Bytes of the master key. */
  readonly keyBytes: number
}

/** A field of a LUKS header that is not supported, with what was found and what is. */
export interface Unsupported {
  readonly field: 'cipherName' | 'cipherMode' | 'hashSpec' | 'keyBytes'
  readonly found: string
  readonly expected: string
}

const unsupported = (field: Unsupported['field'], found: string, expected: string): E.Either<Unsupported, never> =>
  E.left({ field, found, expected })

const isHashName = (name: string): name is HashName => hashNames.some((known) => known === name)

const hashOf = ({ hash }: Cipher, field: 'hashSpec' | 'cipherMode', name: string): E.Either<Unsupported, Hash> => {
  const found = isHashName(name) ? hash(name) : undefined
  const names = hashNames.filter((known) => hash(known) !== undefined)
  return found === undefined ? unsupported(field, `the hash '${name}'`, `one of ${names.join(', ')}`) : E.right(found)
}

/** The mode and the generator of a text such as `xts-plain64` or `cbc-essiv:sha256`. As in QEMU, only essiv takes a hash. */
const modeOf = (cipher: Cipher, text: string): E.Either<Unsupported, Scheme> => {
  const [, mode, generator, hash] = /^([^-]*)-([^:]*)(?::(.*))?$/.exec(text) ?? []
  const other = unsupported('cipherMode', `'${text}'`, 'xts or cbc, with plain, plain64 or essiv')
  if (mode !== 'xts' && mode !== 'cbc') return other
  if (generator === 'plain' || generator === 'plain64') return E.right({ mode, generator })
  if (generator !== 'essiv') return other
  return E.chain((essiv: Hash): E.Either<Unsupported, { mode: 'xts' | 'cbc'; generator: VectorGenerator }> =>
    aesKeys.includes(essiv.size)
      ? E.right({ mode, generator: { essiv } })
      : unsupported('cipherMode', `'${text}'`, 'essiv with a hash of 16, 24 or 32 bytes')
  )(hashOf(cipher, 'cipherMode', hash ?? ''))
}

/** How a LUKS header says that sectors are encrypted, as far as it is supported. @see LUKS-10 */
export const schemeOf = (header: LuksHeader, cipher: Cipher): E.Either<Unsupported, LuksScheme> => {
  const { keyBytes } = header
  const name = luksText(header.cipherName)
  if (name !== 'aes') return unsupported('cipherName', `'${name}'`, "'aes'")
  const [scheme, hash] = [
    modeOf(cipher, luksText(header.cipherMode)),
    hashOf(cipher, 'hashSpec', luksText(header.hashSpec))
  ]
  if (E.isLeft(scheme)) return scheme
  if (E.isLeft(hash)) return hash
  const sizes = aesKeys.map((size) => (scheme.right.mode === 'xts' ? 2 * size : size))
  return sizes.includes(keyBytes)
    ? E.right({ ...scheme.right, hash: hash.right, keyBytes })
    : unsupported('keyBytes', String(keyBytes), sizes.join(', '))
}

/** Bytes of the digest of a master key. */
const digestSize = 20

/** The HMACs that it takes to try a password on these slots: each block of a derived key takes one an iteration. */
export const derivationCost = (
  { hash, keyBytes }: LuksScheme,
  header: LuksHeader,
  slots: readonly LuksSlot[]
): number => {
  const blocks = (size: number): number => Math.ceil(size / hash.size)
  return slots.reduce(
    (sum, { iterations }) => sum + iterations * blocks(keyBytes) + header.mkDigestIter * blocks(digestSize),
    0
  )
}

/** Bytes of the key material of a slot, in whole sectors. */
export const materialSize = ({ keyBytes }: LuksScheme): number =>
  Math.ceil((keyBytes * luksStripes) / sectorSize) * sectorSize

/** Replaces each part of a block that is as long as a digest by the digest of its number and of itself. */
const diffuse = ({ size, digest }: Hash, block: Uint8Array): void => {
  const number = new Uint8Array(4)
  for (let at = 0; at < block.length; at += size) {
    viewOf(number).setUint32(0, at / size)
    const part = block.subarray(at, at + size)
    const numbered = concat([number, part])
    part.set(digest(numbered).subarray(0, part.length))
    numbered.fill(0)
  }
}

/** The key of `size` bytes that was split into stripes. */
const merge = (hash: Hash, stripes: Uint8Array, size: number): Uint8Array => {
  const key = new Uint8Array(size)
  for (let i = 0; i < luksStripes; i++) {
    if (i > 0) diffuse(hash, key)
    xorInto(key, stripes.subarray(i * size))
  }
  return key
}

/**
 * The master key in a slot, if the password unlocks it. The caller overwrites it; all that it was made of is overwritten here.
 *
 * @param material key material of the slot, in whole sectors
 */
export const masterKey = (
  cipher: Cipher,
  scheme: LuksScheme,
  header: LuksHeader,
  { salt, iterations }: LuksSlot,
  material: Uint8Array,
  password: Uint8Array
): Uint8Array | undefined => {
  const { hash, keyBytes } = scheme
  const slotKey = hash.derive(password, salt, iterations, keyBytes)
  const slotCipher = sectorCipher(cipher, scheme, slotKey)
  const stripes = slotCipher.decrypt(material, 0)
  const key = merge(hash, stripes, keyBytes)
  slotCipher.wipe()
  for (const used of [slotKey, stripes]) used.fill(0)
  const digest = hash.derive(key, header.mkDigestSalt, header.mkDigestIter, digestSize)
  if (equal(digest, header.mkDigest)) return key
  key.fill(0)
  return undefined
}
