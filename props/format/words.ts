/** Tables of 64-bit words: which field of an entry each bit belongs to, found one bit at a time. */
import * as assert from 'uvu/assert'
import type { Bits, BitsType } from '../../src/bytes/bits.js'
import { concat } from '../../src/bytes/octets.js'
import { valueOf } from './laws.js'

/** The eight bytes of a word. */
const bytesOfWord = (word: bigint): Uint8Array => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, word)
  return bytes
}

/** The bytes of a table of words. */
export const bytesOfWords = (words: readonly bigint[]): Uint8Array => concat(words.map(bytesOfWord))

/** Fails unless each field has exactly the bits of its mask, and shows them in their places. */
export const hasMasks = <A extends Bits>(type: BitsType<A>, masks: Readonly<Record<keyof A, bigint>>): void => {
  const maskOf = new Map(Object.entries<bigint>(masks))
  for (let bit = 0; bit < 64; bit++) {
    const word = 1n << BigInt(bit)
    for (const [key, value] of Object.entries(valueOf(type, bytesOfWord(word)))) {
      const mine = ((maskOf.get(key) ?? 0n) & word) !== 0n
      const found = value === true || (typeof value === 'bigint' && value !== 0n)
      assert.is(found, mine, `${key} of bit ${bit}`)
      if (typeof value === 'bigint') assert.is(value, mine ? word : 0n, `${key} of bit ${bit}`)
    }
  }
}
