/** Gaps: the bytes that no structure covers, cut into segments of one byte value and others. */
import type { ByteRange } from '../byte-range.js'

/** The gaps that ranges leave in `[0, length)`, in order. Ranges may overlap and reach past the end. */
export const gaps = (ranges: readonly ByteRange[], length: number): readonly ByteRange[] => {
  const sorted = ranges.toSorted((a, b) => a.at - b.at)
  const out: ByteRange[] = []
  let done = 0
  for (const { at, size } of sorted) {
    if (done >= length) return out
    if (at > done) out.push({ at: done, size: Math.min(at, length) - done })
    done = Math.max(done, at + size)
  }
  if (done < length) out.push({ at: done, size: length - done })
  return out
}

const block = 512

/** The value of every byte in `bytes[from..to)` when all are equal. */
const fillOf = (bytes: Uint8Array, from: number, to: number): number | undefined => {
  const first = bytes[from]
  for (let i = from + 1; i < to; i++) if (bytes[i] !== first) return undefined
  return first
}

/** Bytes that all have the value `fill`, or any bytes. */
export interface Segment extends ByteRange {
  readonly fill: number | undefined
}

/** Cuts bytes, which start at byte `at` of the file, into segments of whole blocks of 512 bytes; the first and the last may be shorter. */
export const segments = (bytes: Uint8Array, at: number): readonly Segment[] => {
  const out: Segment[] = []
  for (let from = 0; from < bytes.length;) {
    const to = Math.min(bytes.length, from + block - ((at + from) % block))
    const fill = fillOf(bytes, from, to)
    const last = out.at(-1)
    if (last !== undefined && last.fill === fill) out[out.length - 1] = { ...last, size: last.size + to - from }
    else out.push({ at: at + from, size: to - from, fill })
    from = to
  }
  return out
}
