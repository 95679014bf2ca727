/** The primitives of encryption: a record of hashes and of AES, which a shell may replace by faster ones. */

/** A hash. */
export interface Hash {
  /** Bytes of a digest. */
  readonly size: number
  readonly digest: (bytes: Uint8Array) => Uint8Array
  /** A key of `size` bytes from a password, by PBKDF2 with HMAC. */
  readonly derive: (password: Uint8Array, salt: Uint8Array, iterations: number, size: number) => Uint8Array
}

/** AES under one key: each block of 16 bytes alone (ECB). */
export interface BlockCipher {
  readonly encrypt: (blocks: Uint8Array) => Uint8Array
  readonly decrypt: (blocks: Uint8Array) => Uint8Array
  /** Overwrites the copies of the key; the cipher is not used again. */
  readonly wipe: () => void
}

/** The names of the hashes that QEMU takes in a LUKS header. @see LUKS-03 */
export const hashNames = ['md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512', 'ripemd160', 'sm3'] as const

/** The name of a hash in a LUKS header. */
export type HashName = (typeof hashNames)[number]

/** What decryption is made of. */
export interface Cipher {
  /** A hash by its name; `undefined` where there is none of that name here. */
  readonly hash: (name: HashName) => Hash | undefined
  /** AES under a key of 16, 24 or 32 bytes, of which it keeps a copy. */
  readonly aes: (key: Uint8Array) => BlockCipher
}

/** Bytes of a block of AES. */
export const blockSize = 16
/** Bytes of the keys that AES takes. */
export const aesKeys: readonly number[] = [16, 24, 32]
