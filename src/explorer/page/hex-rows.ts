/** Rows of bytes: cut into groups of neighbours that belong to one field. */
import { type Blocks, blockAt } from './blocks.js'
import type { Span } from '../spans.js'

/** Neighbouring bytes of a row that belong to one span, or to none. */
export interface Group {
  readonly hex: string
  readonly text: string
  readonly span: Span | undefined
  /** Whether the span began in an earlier row, and whether it goes on in the next one. */
  readonly isContinued: boolean
  readonly goesOn: boolean
  readonly isZero: boolean
  /** Whether it begins after the gap in the middle of a row. */
  readonly isSecondHalf: boolean
}

/** A row; without groups while its bytes are not there. */
export interface Row {
  readonly at: number
  readonly groups: readonly Group[] | undefined
}

const digits = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))
const letters = Array.from({ length: 256 }, (_, n) => (n > 0x20 && n < 0x7f ? String.fromCharCode(n) : '\u00b7'))

/** The column, in characters, at which byte `i` of a row begins in hexadecimal: a wider gap after eight. */
export const columnOf = (i: number): number => 3 * i + (i >= 8 ? 1 : 0)

/** The byte of a row under a column of the hexadecimal digits. */
export const byteAtColumn = (column: number, perRow: number): number => {
  const i = Math.floor((column - (column >= columnOf(8) ? 1 : 0)) / 3)
  return Math.max(0, Math.min(perRow - 1, i))
}

const hexOf = (bytes: Uint8Array, first: number): string => {
  let out = ''
  for (let i = 0; i < bytes.length; i++) {
    if (i > 0) out += first + i === 8 ? '\u00a0\u00a0' : '\u00a0'
    out += digits[bytes[i] ?? 0] ?? ''
  }
  return out
}

const textOf = (bytes: Uint8Array): string => {
  let out = ''
  for (const byte of bytes) out += letters[byte] ?? ''
  return out
}

/** The row of `perRow` bytes from byte `at` on, as far as the file goes. */
export const rowAt = (blocks: Blocks, at: number, perRow: number): Row => {
  const block = blockAt(blocks, at)
  if (block === undefined) return { at, groups: undefined }
  const start = at - block.at
  const end = Math.min(block.bytes.length, start + perRow)
  const groups: Group[] = []
  for (let i = start, next = start; i < end; i = next) {
    const owner = block.owner[i] ?? 0
    while (next < end && block.owner[next] === owner) next++
    const bytes = block.bytes.subarray(i, next)
    const span = block.spans[owner - 1]
    groups.push({
      hex: hexOf(bytes, i - start),
      text: textOf(bytes),
      span,
      isContinued: span !== undefined && span.at < block.at + i,
      goesOn: span !== undefined && span.at + span.size > block.at + next,
      isZero: bytes.every((byte) => byte === 0),
      isSecondHalf: i - start === 8
    })
  }
  return { at, groups }
}
