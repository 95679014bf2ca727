/** Encryption in TypeScript, for every platform. */
import { ecb } from '@noble/ciphers/aes.js'
import { md5, ripemd160, sha1 } from '@noble/hashes/legacy.js'
import { pbkdf2 } from '@noble/hashes/pbkdf2.js'
import { sha224, sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import type { CHash } from '@noble/hashes/utils.js'
import type { Cipher, Hash, HashName } from './cipher.js'

const hashOf = (hash: CHash): Hash => ({
  size: hash.outputLen,
  digest: (bytes) => hash(bytes),
  derive: (password, salt, iterations, size) => pbkdf2(hash, password, salt, { c: iterations, dkLen: size })
})

const hashes: Readonly<Partial<Record<HashName, Hash>>> = {
  md5: hashOf(md5),
  sha1: hashOf(sha1),
  sha224: hashOf(sha224),
  sha256: hashOf(sha256),
  sha384: hashOf(sha384),
  sha512: hashOf(sha512),
  ripemd160: hashOf(ripemd160)
}

/**
 * The primitives of decryption in TypeScript, for every platform: AES, and each hash of LUKS but sm3.
 *
 * @see LUKS-05 and LUKS-10
 * @example
 * import { portableCipher } from 'qcow2-spec/encryption'
 * import * as assert from 'node:assert/strict'
 *
 * const aes = portableCipher.aes(new Uint8Array(16))
 * const block = new TextEncoder().encode('sixteen bytes...')
 * assert.deepEqual(aes.decrypt(aes.encrypt(block)), block)
 * assert.equal(portableCipher.hash('sha256')?.size, 32)
 */
export const portableCipher: Cipher = {
  hash: (name) => hashes[name],
  aes: (given) => {
    const key = new Uint8Array(given)
    const cipher = () => ecb(key, { disablePadding: true })
    return {
      encrypt: (blocks) => cipher().encrypt(blocks),
      decrypt: (blocks) => cipher().decrypt(blocks),
      wipe: () => {
        key.fill(0)
      }
    }
  }
}
