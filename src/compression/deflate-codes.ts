/**
 * The prefix codes of raw deflate (RFC 1951), and the numbers that its length and distance symbols stand for.
 *
 * @see CMP-07
 */

/** The numbers of one symbol: `2 ** extra` from `base` on, distinguished by `extra` bits after its code. */
export interface SymbolRange {
  readonly base: number
  readonly extra: number
}

const consecutive = (first: number, extras: readonly number[]): readonly SymbolRange[] => {
  let base = first
  return extras.map((extra) => {
    const range = { base, extra }
    base += 2 ** extra
    return range
  })
}

/** The shortest and the longest match in bytes. */
export const minMatch = 3
export const maxMatch = 258

/** The literal symbol that ends a block; the symbols of lengths follow it. */
export const endOfBlock = 256

const lengthExtras = Array.from({ length: 28 }, (_, i) => Math.max(0, (i >> 2) - 1))
const distanceExtras = Array.from({ length: 30 }, (_, i) => Math.max(0, (i >> 1) - 1))

/** The lengths of a match, by symbol from the one after `endOfBlock` on. The greatest has a symbol of its own. */
export const lengthRanges = [...consecutive(minMatch, lengthExtras), { base: maxMatch, extra: 0 }]

/** The distances of a match, by symbol. */
export const distanceRanges = consecutive(1, distanceExtras)

/** The code of a symbol: `length` bits, the first one of the stream lowest. */
export interface SymbolCode {
  readonly symbol: number
  readonly code: number
  readonly length: number
}

const reversed = (code: number, bits: number): number => {
  let out = 0
  for (let i = 0; i < bits; i++) out |= ((code >>> i) & 1) << (bits - 1 - i)
  return out
}

/** The codes of symbols, given the length in bits of each, the shortest first. A symbol of length 0 has none. */
export function* codesOf(lengths: readonly number[]): Generator<SymbolCode> {
  const most = Math.max(...lengths)
  for (let length = 1, next = 0; length <= most; length++, next <<= 1)
    for (const [symbol, of] of lengths.entries())
      if (of === length) yield { symbol, code: reversed(next++, length), length }
}

/** The lengths of the fixed codes in bits, by symbol. */
export const fixedLengths = {
  literals: Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8)),
  distances: Array.from({ length: 30 }, () => 5)
}
