/**
 * Properties of a raw deflate stream (RFC 1951) that decoding hides: how far back its matches reach, how many bytes it yields,
 * and whether it ends. Symbols are decoded and nothing is output.
 *
 * @see CMP-08
 */
import { codesOf, distanceRanges, endOfBlock, fixedLengths, lengthRanges, type SymbolRange } from './deflate-codes.js'

/** The properties of a stream, as far as it was decoded. */
export interface DeflateFacts {
  /** Bytes that it yields. */
  readonly length: number
  /** The greatest distance of a match, in bytes. */
  readonly distance: number
  /** Whether its final block ends. */
  readonly finished: boolean
  /** Whether it goes on past the end of the payload. */
  readonly cut: boolean
}

/** The order of the code lengths of the code length code. */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** A prefix code: for the next `bits` bits of input, a symbol times 16 plus its length in bits; 0 for none. */
interface Code {
  readonly bits: number
  readonly table: Uint16Array
}

/** A code as zlib takes it: no more codes than fit, and no fewer unless there is none, or with `one` none of over one bit. */
const codeOf = (lengths: readonly number[], one = false): Code | undefined => {
  const bits = Math.max(1, ...lengths)
  const used = lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** (bits - length)), 0)
  if (used > 2 ** bits || (used > 0 && used < 2 ** bits && !(one && bits === 1))) return undefined
  const table = new Uint16Array(2 ** bits)
  for (const { symbol, code, length } of codesOf(lengths))
    for (let i = code; i < table.length; i += 2 ** length) table[i] = symbol * 16 + length
  return { bits, table }
}

/** The codes of a block. */
interface Codes {
  readonly literals: Code
  readonly distances: Code
}

/** The codes of these lengths in bits; `undefined` where they are malformed. */
const codesWith = (literals: readonly number[], distances: readonly number[]): Codes | undefined => {
  const [first, second] = [codeOf(literals, true), codeOf(distances, true)]
  return first === undefined || second === undefined ? undefined : { literals: first, distances: second }
}

/** The codes of a fixed block: two distances of its code stand for nothing. */
const fixed = codesWith(fixedLengths.literals, [...fixedLengths.distances, 5, 5])

/** The bits of the input, least significant first; zeros past its end. */
class Bits {
  private at = 0
  private held = 0
  private count = 0

  constructor(private readonly bytes: Uint8Array) {}

  /** The next `n` bits, at most 16, without consuming them. */
  peek(n: number): number {
    for (; this.count < n; this.count += 8) this.held |= (this.bytes[this.at++] ?? 0) << this.count
    return this.held & ((1 << n) - 1)
  }

  take(n: number): number {
    const value = this.peek(n)
    this.held >>>= n
    this.count -= n
    return value
  }

  /** The next symbol of a code; -1 for none. */
  symbol(code: Code): number {
    const found = code.table[this.peek(code.bits)] ?? 0
    this.take(found & 15)
    return found === 0 ? -1 : found >>> 4
  }

  /** The value of a symbol with its extra bits; 0 for none. */
  value(range: SymbolRange | undefined): number {
    return range === undefined ? 0 : range.base + this.take(range.extra)
  }

  /** Skips to the next byte boundary, and then some bytes. */
  skip(bytes: number): void {
    this.at += bytes - (this.count >>> 3)
    this.held = 0
    this.count = 0
  }

  /** Whole bytes that are left. */
  get left(): number {
    return Math.max(0, this.bytes.length - this.at + (this.count >>> 3))
  }

  /** Whether more bits were taken than there are. */
  over(): boolean {
    return this.at - (this.count >>> 3) > this.bytes.length
  }
}

/** The codes of a dynamic block; `undefined` where they are malformed. */
const dynamicCodes = (bits: Bits): Codes | undefined => {
  const [literals, distances] = [bits.take(5) + 257, bits.take(5) + 1]
  if (literals > 286 || distances > 30) return undefined
  const all = literals + distances
  const sizes = new Array<number>(19).fill(0)
  for (const at of lengthOrder.slice(0, bits.take(4) + 4)) sizes[at] = bits.take(3)
  const code = codeOf(sizes)
  const out: number[] = []
  while (code !== undefined && out.length < all) {
    const symbol = bits.symbol(code)
    if (symbol < 0 || bits.over() || (symbol === 16 && out.length === 0)) return undefined
    if (symbol < 16) out.push(symbol)
    else {
      const again = symbol === 16 ? (out.at(-1) ?? 0) : 0
      const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7)
      for (let i = 0; i < times; i++) out.push(again)
    }
  }
  if (out.length !== all || out[endOfBlock] === 0) return undefined
  return codesWith(out.slice(0, literals), out.slice(literals))
}

/** The properties of a stream, decoded until it ends, is malformed, or has yielded more than `most` bytes. */
export const deflateFacts = (payload: Uint8Array, most: number): DeflateFacts => {
  const bits = new Bits(payload)
  let length = 0
  let distance = 0
  /** Whether the block ends. */
  const block = (codes: Codes): boolean => {
    while (length <= most && !bits.over()) {
      const symbol = bits.symbol(codes.literals)
      if (symbol === endOfBlock) return true
      if (symbol < 0 || bits.over()) return false
      if (symbol < endOfBlock) {
        length += 1
        continue
      }
      const run = bits.value(lengthRanges[symbol - endOfBlock - 1])
      const back = bits.value(distanceRanges[bits.symbol(codes.distances)])
      // What lies before the stream is missed only where the bytes are to be output.
      if (bits.over() || run === 0 || back === 0 || (back > length && length < most)) return false
      length += run
      distance = Math.max(distance, back)
    }
    return false
  }
  const stored = (): boolean => {
    bits.skip(0)
    const size = bits.take(16)
    if ((bits.take(16) ^ size) !== 0xffff) return false
    length += Math.min(size, bits.left)
    bits.skip(size)
    return !bits.over()
  }
  const next = (type: number): boolean => {
    if (type === 0) return stored()
    const codes = type === 1 ? fixed : type === 2 ? dynamicCodes(bits) : undefined
    return codes !== undefined && block(codes)
  }
  while (length <= most) {
    const final = bits.take(1) === 1
    if (!next(bits.take(2)) || bits.over()) break
    if (final) return { length, distance, finished: true, cut: false }
  }
  return { length, distance, finished: false, cut: bits.over() }
}
