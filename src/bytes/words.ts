/** Words: big-endian 64-bit numbers in place, read as two 32-bit halves where millions of them are scanned. */
import { viewOf } from './octets.js'

/** A 64-bit number as two unsigned 32-bit halves: the form of a mask where words are scanned. */
export interface Halves {
  /** Bits 32 to 63. */
  readonly hi: number
  /** Bits 0 to 31. */
  readonly lo: number
}

/** The halves of a 64-bit number. */
export const halves = (word: bigint): Halves => ({ hi: Number(word >> 32n), lo: Number(word & 0xffff_ffffn) })

/** A lazy view over a table of 64-bit words. It copies nothing; an odd tail of fewer than 8 bytes is left out. */
export class Words {
  /** Number of words. */
  readonly length: number
  private readonly view: DataView

  constructor(bytes: Uint8Array) {
    this.view = viewOf(bytes)
    this.length = bytes.length >>> 3
  }

  /** Bits 32 to 63 of word `i`, which lies within the length. */
  hi(i: number): number {
    return this.view.getUint32(8 * i)
  }

  /** Bits 0 to 31 of word `i`. */
  lo(i: number): number {
    return this.view.getUint32(8 * i + 4)
  }

  /** Word `i`. Law: `at(i) = hi(i) * 2^32 + lo(i)`. */
  at(i: number): bigint {
    return this.view.getBigUint64(8 * i)
  }

  /** How many words from `i` on, up to `end`, are each `step` more than the one before, in the same upper half: at least 1. */
  steps(i: number, end: number, step: number): number {
    const hi = this.hi(i)
    let n = 1
    for (let next = this.lo(i) + step; i + n < end; n++, next += step)
      if (this.lo(i + n) !== next || this.hi(i + n) !== hi) break
    return n
  }
}

/** The bytes of 64-bit words, one after the other. Law: word `i` of a view over them is `values[i]`. */
export const encodeWords = (values: readonly (number | bigint)[]): Uint8Array => {
  const bytes = new Uint8Array(8 * values.length)
  const view = viewOf(bytes)
  values.forEach((value, i) => {
    view.setBigUint64(8 * i, BigInt(value))
  })
  return bytes
}
