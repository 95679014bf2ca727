/** Remaining bytes: what no structure of a walk covers, in stretches of one byte value or as they are. */

/** A stretch of a file, in bytes. */
export interface Range {
  readonly at: number
  readonly size: number
}

/** The gaps that ranges leave in `[0, length)`, in order. Ranges may overlap and reach past the end. */
export const gaps = (ranges: readonly Range[], length: number): readonly Range[] => {
  const sorted = ranges.toSorted((a, b) => a.at - b.at)
  const out: Range[] = []
  let done = 0
  for (const { at, size } of sorted) {
    if (at > done) out.push({ at: done, size: Math.min(at, length) - done })
    done = Math.max(done, at + size)
    if (done >= length) break
  }
  if (done < length) out.push({ at: done, size: length - done })
  return out.filter((g) => g.size > 0)
}

const block = 512

/** The value of every byte in `bytes[from..to)` when all are equal. */
const fillOf = (bytes: Uint8Array, from: number, to: number): number | undefined => {
  const first = bytes[from]
  for (let i = from + 1; i < to; i++) if (bytes[i] !== first) return undefined
  return first
}

/** A stretch of bytes: all of one value, or any. */
export interface Stretch extends Range {
  readonly fill: number | undefined
}

/** Cuts bytes, which start at byte `at` of the file, into stretches of whole blocks of 512 bytes; the ends may be shorter. */
export const stretches = (bytes: Uint8Array, at: number): readonly Stretch[] => {
  const out: Stretch[] = []
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
