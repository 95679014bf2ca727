/**
 * Raw deflate (RFC 1951): one final block with the fixed codes and distances of at most 4096 bytes.
 *
 * @see CMP-07, CMP-08 and CMP-09
 */
import {
  codesOf,
  distanceRanges,
  endOfBlock,
  fixedLengths,
  lengthRanges,
  maxMatch,
  minMatch,
  type SymbolCode,
  type SymbolRange
} from './deflate-codes.js'

/** The greatest distance of a match in bytes. @see CMP-08 */
const window = 4096
/** Earlier positions that are tried for one match. */
const tries = 64
const hashBits = 13

const fixedCodes = (lengths: readonly number[]): readonly SymbolCode[] =>
  [...codesOf(lengths)].sort((a, b) => a.symbol - b.symbol)
const literals = fixedCodes(fixedLengths.literals)

/** The code of a length or a distance, and the extra bits after it. */
interface NumberCode {
  readonly code: SymbolCode | undefined
  readonly value: number
  readonly extra: number
}

/** The codes of all numbers up to `most`, given the ranges and the codes of their symbols. */
const numberCodes = (
  ranges: readonly SymbolRange[],
  codes: readonly SymbolCode[],
  most: number
): readonly NumberCode[] =>
  Array.from({ length: most + 1 }, (_, n) => {
    const i = ranges.findLastIndex(({ base }) => base <= n)
    const { base = 0, extra = 0 } = ranges[i] ?? {}
    return { code: codes[i], value: n - base, extra }
  })
const lengthCodes = numberCodes(lengthRanges, literals.slice(endOfBlock + 1), maxMatch)
const distanceCodes = numberCodes(distanceRanges, fixedCodes(fixedLengths.distances), window)

/** Output bits, the first one lowest in its byte. */
class BitSink {
  private readonly bytes: Uint8Array
  private at = 0
  private held = 0
  private bits = 0

  constructor(most: number) {
    this.bytes = new Uint8Array(most)
  }

  put(value: number, bits: number): void {
    this.held |= value << this.bits
    this.bits += bits
    for (; this.bits >= 8; this.bits -= 8, this.held >>>= 8) this.bytes[this.at++] = this.held
  }

  putCode(symbol: SymbolCode | undefined): void {
    if (symbol !== undefined) this.put(symbol.code, symbol.length)
  }

  putNumber(number: NumberCode | undefined): void {
    this.putCode(number?.code)
    if (number !== undefined) this.put(number.value, number.extra)
  }

  end(): Uint8Array {
    this.put(0, -this.bits & 7)
    return this.bytes.subarray(0, this.at)
  }
}

/** Earlier positions of the bytes, by a hash of three of them, the latest first. */
class History {
  private readonly head = new Int32Array(2 ** hashBits).fill(-1)
  private readonly before: Int32Array

  constructor(private readonly bytes: Uint8Array) {
    this.before = new Int32Array(bytes.length)
  }

  add(at: number): void {
    const hash = this.hash(at)
    this.before[at] = this.head[hash] ?? -1
    this.head[hash] = at
  }

  /** The longest match for the bytes at `at`; its length is 0 for none. */
  match(at: number): { readonly length: number; readonly distance: number } {
    const most = Math.min(maxMatch, this.bytes.length - at)
    let best = { length: 0, distance: 0 }
    if (most < minMatch) return best
    let there = this.head[this.hash(at)] ?? -1
    for (let i = 0; i < tries && there >= 0 && at - there <= window && best.length < most; i++) {
      const length = this.common(there, at, most)
      if (length >= minMatch && length > best.length) best = { length, distance: at - there }
      there = this.before[there] ?? -1
    }
    return best
  }

  private hash(at: number): number {
    const [a = 0, b = 0, c = 0] = [this.bytes[at], this.bytes[at + 1], this.bytes[at + 2]]
    return (Math.imul((a << 16) | (b << 8) | c, 0x9e37_79b1) >>> (32 - hashBits)) & (2 ** hashBits - 1)
  }

  private common(there: number, at: number, most: number): number {
    let n = 0
    while (n < most && this.bytes[there + n] === this.bytes[at + n]) n++
    return n
  }
}

/** Compresses a cluster to one stream, which may be longer than the cluster. */
export const deflate = (cluster: Uint8Array): Uint8Array => {
  const out = new BitSink(Math.ceil((cluster.length * 9) / 8) + 3)
  const history = new History(cluster)
  out.put(1, 1)
  out.put(1, 2)
  for (let at = 0, next = 0; at < cluster.length; at = next) {
    const { length, distance } = history.match(at)
    next = at + Math.max(1, length)
    for (let i = at; i < next; i++) history.add(i)
    if (length > 0) {
      out.putNumber(lengthCodes[length])
      out.putNumber(distanceCodes[distance])
    } else out.putCode(literals[cluster[at] ?? 0])
  }
  out.putCode(literals[endOfBlock])
  return out.end()
}
