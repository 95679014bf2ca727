/**
 * Raw deflate (RFC 1951): one final block with the fixed codes and distances of at most 4096 bytes.
 *
 * @see CMP-07, CMP-08 and CMP-09
 */

/** The greatest distance of a match in bytes. @see CMP-08 */
const window = 4096
const minMatch = 3
const maxMatch = 258
/** Earlier positions that are tried for one match. */
const tries = 64
const hashBits = 13

/** The symbol of numbers from `base` on: its code, in the order of output, and its extra bits. */
interface SymbolCode {
  readonly base: number
  readonly code: number
  readonly length: number
  readonly extra: number
}

/** A Huffman code, which is output most significant bit first, as bits that are output least significant bit first. */
const reversed = (code: number, length: number): number =>
  Array.from({ length }, (_, i) => ((code >> i) & 1) << (length - 1 - i)).reduce((a, b) => a | b, 0)

/** The fixed code of a literal, 0 to 255, the end of block, 256, or a length, from 257 on. */
const fixedCode = (symbol: number): Pick<SymbolCode, 'code' | 'length'> => {
  const [code, length] =
    symbol < 144
      ? [0x30 + symbol, 8]
      : symbol < 256
        ? [0x190 + symbol - 144, 9]
        : symbol < 280
          ? [symbol - 256, 7]
          : [0xc0 + symbol - 280, 8]
  return { code: reversed(code, length), length }
}

const literals: readonly SymbolCode[] = Array.from({ length: 257 }, (_, i) => ({ base: i, extra: 0, ...fixedCode(i) }))

/** Consecutive symbols, each for `2 ** extra` numbers. */
const symbols = (
  first: number,
  extras: readonly number[],
  code: (i: number) => Pick<SymbolCode, 'code' | 'length'>
): readonly SymbolCode[] => {
  let base = first
  return extras.map((extra, i) => {
    const symbol = { base, extra, ...code(i) }
    base += 2 ** extra
    return symbol
  })
}

/** The greatest length has a symbol of its own. */
const lengths = [
  ...symbols(
    minMatch,
    Array.from({ length: 28 }, (_, i) => Math.max(0, (i >> 2) - 1)),
    (i) => fixedCode(257 + i)
  ),
  { base: maxMatch, extra: 0, ...fixedCode(285) }
]
const distances = symbols(
  1,
  Array.from({ length: 24 }, (_, i) => Math.max(0, (i >> 1) - 1)),
  (i) => ({ code: reversed(i, 5), length: 5 })
)

/** For each number up to `most` the last symbol that begins at or before it. */
const byNumber = (list: readonly SymbolCode[], most: number): readonly (SymbolCode | undefined)[] =>
  Array.from({ length: most + 1 }, (_, n) => list.findLast((s) => s.base <= n))
const lengthSymbols = byNumber(lengths, maxMatch)
const distanceSymbols = byNumber(distances, window)

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

  /** Writes the symbol of a number, and its extra bits. */
  putSymbol(symbol: SymbolCode | undefined, n: number): void {
    if (symbol === undefined) return
    this.put(symbol.code, symbol.length)
    this.put(n - symbol.base, symbol.extra)
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
      out.putSymbol(lengthSymbols[length], length)
      out.putSymbol(distanceSymbols[distance], distance)
    } else out.putSymbol(literals[cluster[at] ?? 0], cluster[at] ?? 0)
  }
  out.putSymbol(literals[256], 256)
  return out.end()
}
