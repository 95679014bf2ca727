/** Mutants of src/encryption, and of what reads encrypted guest data. */
import type { Mutant } from '../mutant.js'

const sectors = { file: 'encryption/sectors.ts', red: 'props/encryption/sectors.test.ts' }
const unlocking = { red: 'props/image/guest/unlock.test.ts' }

export const encryptionMutants: readonly Mutant[] = [
  {
    ...sectors,
    name: 'XTS multiplies by another polynomial',
    change: { in: 'tweaksOf', find: '$carry * 0x87', to: '$carry * 0x1b' },
    rule: 'XTS decrypts the vectors of IEEE 1619'
  },
  {
    ...sectors,
    name: 'plain64 has the lower half of a sector number only',
    change: { in: 'numbers', find: '$bits === 64', to: 'false' },
    rule: 'sectors are decrypted that OpenSSL encrypted in the same mode'
  },
  {
    ...sectors,
    name: 'CBC goes on from one sector to the next',
    change: {
      in: 'chained',
      find: '$vectors.subarray($i, $i + blockSize)',
      to: '$vectors.subarray(0, blockSize)'
    },
    rule: 'sectors are decrypted that OpenSSL encrypted in the same mode'
  },
  {
    ...unlocking,
    name: 'any password unlocks a key slot',
    file: 'encryption/luks.ts',
    change: { in: 'masterKey', find: 'equal($digest, $header.mkDigest)', to: 'true' },
    rule: 'a password that unlocks no key slot is refused in the words of QEMU'
  },
  {
    ...unlocking,
    name: 'the key of a slot is left in memory',
    file: 'encryption/luks.ts',
    change: { in: 'masterKey', find: '[$slotKey, $stripes]', to: '[$stripes]' },
    rule: 'no key is left in memory but in the decryption, and wiping overwrites it there'
  },
  {
    ...unlocking,
    name: 'a key is derived by any number of iterations',
    file: 'image/guest/unlock.ts',
    change: { in: 'supported', find: '$cost > $most', to: 'false' },
    rule: 'a header whose iterations would take too long is refused before any are done'
  },
  {
    ...unlocking,
    name: 'a slot that is not in use is tried',
    file: 'image/guest/unlock.ts',
    change: { in: 'unlockLuks', find: 'active === luksActive', to: 'true' },
    rule: 'a password that unlocks no key slot is refused in the words of QEMU'
  },
  {
    ...unlocking,
    name: 'sectors under LUKS are numbered by guest offsets',
    file: 'image/guest/read.ts',
    change: { in: 'decrypted', find: "$by === 'host'", to: 'false' },
    rule: 'an image that is encrypted by LUKS or AES reads as in qemu-img, by both ciphers'
  },
  {
    ...unlocking,
    name: 'sectors of a tree past the disk are numbered from 0',
    file: 'image/guest/read.ts',
    change: { in: 'decrypted', find: '$first + ($disk.from ?? 0)', to: '$first' },
    rule: 'the sector numbers of a tree that begins past the disk are those of its guest offsets'
  }
]
