/** The primitives of decryption by Node's own OpenSSL. */
import { createCipheriv, createDecipheriv, createHash, getHashes, pbkdf2Sync } from 'node:crypto'
import type { Cipher } from '../../encryption/cipher.js'

/**
 * The primitives of decryption by Node's own OpenSSL, many times faster than those of `qcow2-spec/encryption`: AES, and each
 * hash of LUKS that it has. It overwrites its copies of a key when they are freed.
 *
 * @example
 * import { nativeCipher } from 'qcow2-spec/node'
 * import * as assert from 'node:assert/strict'
 *
 * const key = nativeCipher.hash('sha256')?.derive(new Uint8Array(8), new Uint8Array(8), 1000, 32)
 * assert.equal(key?.length, 32)
 */
export const nativeCipher: Cipher = {
  hash: (name) =>
    getHashes().includes(name)
      ? {
          size: createHash(name).digest().length,
          digest: (bytes) => createHash(name).update(bytes).digest(),
          derive: (password, salt, iterations, size) => pbkdf2Sync(password, salt, iterations, size, name)
        }
      : undefined,
  aes: (key) => {
    const name = `aes-${8 * key.length}-ecb`
    const [encryption, decryption] = [createCipheriv(name, key, null), createDecipheriv(name, key, null)]
    for (const each of [encryption, decryption]) each.setAutoPadding(false)
    return {
      encrypt: (blocks) => encryption.update(blocks),
      decrypt: (blocks) => decryption.update(blocks),
      wipe: () => {
        for (const each of [encryption, decryption]) each.final()
      }
    }
  }
}
