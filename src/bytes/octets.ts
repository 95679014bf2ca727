/** Byte strings: equality, concatenation, hexadecimal, and text when the bytes really are text. */

/** The text codecs that every engine has, as far as they are used here. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array }
declare const TextDecoder: new (label: 'utf-8', options: { ignoreBOM: true }) => { decode(bytes: Uint8Array): string }

const encoder = new TextEncoder()
/** Keeps a byte order mark as the character it is. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** No bytes. */
export const empty = new Uint8Array(0)

/** Same length, same bytes. */
export const equal = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** The parts one after the other, in a new array. */
export const concat = (parts: readonly Uint8Array[]): Uint8Array => {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const p of parts) {
    out.set(p, at)
    at += p.length
  }
  return out
}

/** Whether the second of two parts goes on in memory where the first ends. */
export const adjoin = (a: Uint8Array, b: Uint8Array): boolean =>
  a.buffer === b.buffer && a.byteOffset + a.length === b.byteOffset

/** The parts one after the other: where each goes on in the memory of the one before, that memory itself. */
export const joined = (parts: readonly Uint8Array[]): Uint8Array => {
  const [first] = parts
  if (first === undefined) return empty
  let length = first.length
  for (let i = 1, last = first; i < parts.length; i++) {
    const next = parts[i] ?? empty
    if (!adjoin(last, next)) return concat(parts)
    length += next.length
    last = next
  }
  return new Uint8Array(first.buffer, first.byteOffset, length)
}

/** Bytes filled up with zeros to this length. */
export const padded = (bytes: Uint8Array, length: number): Uint8Array => {
  const out = new Uint8Array(length)
  out.set(bytes)
  return out
}

/** A part of the bytes as an array of its own: later changes to `bytes` do not show in it. */
export const part = (bytes: Uint8Array, from: number, length: number): Uint8Array =>
  length === 0 ? empty : new Uint8Array(bytes.subarray(from, from + length))

/** The bytes as a plain array of its own. A Node `Buffer` shares its memory on `slice`; this never does. */
export const copy = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)

/** A `DataView` over exactly these bytes. */
export const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const digits = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'))

/** Two lower-case hexadecimal digits a byte. */
export const toHex = (bytes: Uint8Array): string => {
  let out = ''
  for (const b of bytes) out += digits[b] ?? ''
  return out
}

/** A number in hexadecimal, as issues give it: `0x1f`. */
export const hex = (n: number | bigint): string => `0x${n.toString(16)}`

/** The bytes of a hexadecimal string; `undefined` unless it is pairs of digits throughout. */
export const fromHex = (hex: string): Uint8Array | undefined => {
  if (hex.length % 2 !== 0 || /[^0-9a-fA-F]/.test(hex)) return undefined
  const out = new Uint8Array(hex.length / 2)
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16)
  return out
}

/** UTF-8 bytes of a text. */
export const fromText = (text: string): Uint8Array => encoder.encode(text)

/** The text of UTF-8 bytes, with U+FFFD for what is none. */
export const toSomeText = (bytes: Uint8Array): string => decoder.decode(bytes)

/**
 * The text of UTF-8 bytes; `undefined` when they are not the UTF-8 of any text.
 *
 * Law: `toText(b) === undefined || equal(fromText(toText(b)), b)`.
 */
export const toText = (bytes: Uint8Array): string | undefined => {
  const text = toSomeText(bytes)
  return equal(fromText(text), bytes) ? text : undefined
}

/** A short name for people: the text, or the bytes in hexadecimal when they are none. */
export const label = (bytes: Uint8Array): string => toText(bytes) ?? `0x${toHex(bytes)}`

const escaped = (c: string): string => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`

/**
 * A text with an escape, such as `\\u000a`, in place of each character that steers a terminal or the layout of text: controls,
 * separators of lines and paragraphs, bidirectional controls, and surrogates without their pair.
 */
export const visible = (text: string): string => text.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, escaped)

/** The same, but the ends of lines stay. */
export const visibleLines = (text: string): string =>
  text.replace(/(?![\n\r])[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, escaped)

/** Lines, each ended by a line feed; what a name in one contains neither ends it nor reorders it. */
export const textOfLines = (lines: readonly string[]): string => lines.map((line) => `${visible(line)}\n`).join('')

/** Bit `i` of the bytes, least significant first: byte `i >> 3`, bit `i & 7`. `i` lies within the bytes. */
export const bitAt = (bytes: Uint8Array, i: number): boolean => (((bytes[i >>> 3] ?? 0) >>> (i & 7)) & 1) === 1

const setBit = (bytes: Uint8Array, i: number): void => {
  bytes[i >>> 3] = (bytes[i >>> 3] ?? 0) | (1 << (i & 7))
}

/** Bits as bytes, least significant first. Law: `bitAt(packBits(bits), i) === bits[i]`. */
export const packBits = (bits: readonly boolean[]): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(bits.length / 8))
  for (let i = 0; i < bits.length; i++) if (bits[i] === true) setBit(bytes, i)
  return bytes
}

/** Sets bits `[from, to)` of the bytes in place, least significant first; the range lies within the bytes. */
export const setBits = (bytes: Uint8Array, from: number, to: number): void => {
  const [first, last] = [Math.ceil(from / 8), Math.floor(to / 8)]
  if (first < last) bytes.fill(0xff, first, last)
  for (let i = from; i < Math.min(to, 8 * first); i++) setBit(bytes, i)
  for (let i = Math.max(from, 8 * last); i < to; i++) setBit(bytes, i)
}
