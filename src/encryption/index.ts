/**
 * Encryption: the primitives that `unlock` of `qcow2-spec/image` decrypts with, in TypeScript. They are an entry of their own,
 * so that a program which reads no encrypted images does not load them.
 */
export { portableCipher } from './portable.js'
export type { BlockCipher, Cipher, Hash, HashName } from './cipher.js'
