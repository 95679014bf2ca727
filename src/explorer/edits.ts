/** Edits: changes of a copy of the image, laid over the bytes of the file. */

/** Bytes that replace those of the file from byte `at` on. */
export interface Edit {
  readonly at: number
  readonly bytes: Uint8Array
}

/** The answer of a file to a request, with the edits over it. Later edits cover earlier ones. */
export const edited = (edits: readonly Edit[], at: number, answer: Uint8Array): Uint8Array => {
  const end = at + answer.length
  const here = edits.filter((e) => e.at < end && e.at + e.bytes.length > at)
  if (here.length === 0) return answer
  const out = new Uint8Array(answer)
  for (const e of here) {
    const from = Math.max(at, e.at)
    const to = Math.min(end, e.at + e.bytes.length)
    out.set(e.bytes.subarray(from - e.at, to - e.at), from - at)
  }
  return out
}

/** A piece of the edited image: bytes of the file, or bytes that replace them. */
export type Piece =
  | { readonly _tag: 'File'; readonly from: number; readonly to: number }
  | { readonly _tag: 'Edit'; readonly bytes: Uint8Array }

/** An image of `length` bytes as pieces of the file and edits, in order. Law: what `edited` answers for the whole file. */
export const pieces = (edits: readonly Edit[], length: number): readonly Piece[] => {
  const cuts = [...new Set([0, length, ...edits.flatMap((e) => [e.at, e.at + e.bytes.length])])]
    .filter((at) => at <= length)
    .sort((a, b) => a - b)
  return cuts.slice(1).map((to, i): Piece => {
    const from = cuts[i] ?? 0
    const over = edits.findLast((e) => e.at <= from && e.at + e.bytes.length >= to)
    return over === undefined
      ? { _tag: 'File', from, to }
      : { _tag: 'Edit', bytes: over.bytes.subarray(from - over.at, to - over.at) }
  })
}

/** The bytes that somebody typed in hexadecimal, exactly `size` of them; undefined for anything else. */
export const parseBytes = (text: string, size: number): Uint8Array | undefined => {
  const digits = text.replace(/\s/g, '')
  if (digits.length !== 2 * size || !/^[0-9a-f]*$/i.test(digits)) return undefined
  return Uint8Array.from({ length: size }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16))
}

/** The big-endian number that somebody typed, in decimal or as `0x…`, in `size` bytes; undefined where it does not fit. */
export const parseNumber = (text: string, size: number): Uint8Array | undefined => {
  const plain = text.trim()
  if (!/^(?:\d+|0x[0-9a-f]+)$/i.test(plain)) return undefined
  const n = BigInt(plain)
  if (n >> BigInt(8 * size) !== 0n) return undefined
  return Uint8Array.from({ length: size }, (_, i) => Number((n >> BigInt(8 * (size - 1 - i))) & 0xffn))
}

/** The same bytes with bit `bit` of their big-endian number changed, 0 being the least significant one. */
export const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const i = bytes.length - 1 - (bit >> 3)
  return bytes.map((b, k) => (k === i ? b ^ (1 << (bit & 7)) : b))
}
