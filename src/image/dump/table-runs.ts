/** Runs: neighbouring entries of a table that follow one rule, so that a table of one pattern is one line. */
import { maskOf } from '../../bytes/bits.js'
import { bitAt } from '../../bytes/octets.js'
import { halves, type Words } from '../../bytes/words.js'
import { standardBits } from '../../format/l2.js'
import type { RefcountView } from '../../format/views.js'

/** `count` entries from `index` on; each word is the one before plus `step`. */
export interface Run {
  readonly index: number
  readonly count: number
  readonly step: number
}

/** The bits of the offset that a step moves, which are the same in the entries of all tables. */
const offset = halves(maskOf(standardBits.rows.hostClusterOffset))

/**
 * The step from word `i` to word `j`: 0 for equal words, else the distance of two offsets with the same flags;
 * `undefined` where they follow no rule.
 */
const stepBetween = (words: Words, i: number, j: number): number | undefined => {
  const [hi, lo, hi2, lo2] = [words.hi(i), words.lo(i), words.hi(j), words.lo(j)]
  if (hi === hi2 && lo === lo2) return 0
  const isPlaced = ((hi & offset.hi) | (lo & offset.lo)) !== 0
  const hasSameFlags = (((hi ^ hi2) & ~offset.hi) | ((lo ^ lo2) & ~offset.lo)) === 0
  if (!isPlaced || !hasSameFlags) return undefined
  const step = (hi2 - hi) * 0x1_0000_0000 + (lo2 - lo)
  return step > 0 && Number.isSafeInteger(step) ? step : undefined
}

/** Whether entry `i`, of `stride` words, is all zeros. */
const isZero = (words: Words, i: number, stride: number): boolean => {
  for (let w = i * stride; w < (i + 1) * stride; w++) if (words.hi(w) !== 0 || words.lo(w) !== 0) return false
  return true
}

/** Whether all words but the first of entries `i` and `j` are equal. */
const sameTail = (words: Words, i: number, j: number, stride: number): boolean => {
  for (let w = 1; w < stride; w++)
    if (words.hi(i * stride + w) !== words.hi(j * stride + w) || words.lo(i * stride + w) !== words.lo(j * stride + w))
      return false
  return true
}

/** The runs of entries that are not all zeros, in order. An entry is `stride` words, of which the first may step. */
export function* wordRuns(words: Words, stride: number): Generator<Run> {
  const length = Math.floor(words.length / stride)
  const follows = (i: number): number | undefined =>
    i + 1 < length && sameTail(words, i, i + 1, stride) ? stepBetween(words, i * stride, (i + 1) * stride) : undefined
  for (let i = 0; i < length;) {
    if (isZero(words, i, stride)) {
      i++
      continue
    }
    const step = follows(i)
    let end = i + 1
    while (step !== undefined && follows(end - 1) === step) end++
    yield { index: i, count: end - i, step: step ?? 0 }
    i = end
  }
}

/** The runs of equal counts that are not zero, in order. */
export function* refcountRuns(view: RefcountView): Generator<{ readonly index: number; readonly count: number }> {
  for (let i = 0; i < view.length;) {
    if (view.count(i) === 0) {
      i++
      continue
    }
    const value = view.entry(i)
    const number = view.count(i)
    let end = i + 1
    while (end < view.length && view.count(end) === number && (number < 2 ** 53 || view.entry(end) === value)) end++
    yield { index: i, count: end - i }
    i = end
  }
}

/** The runs of set bits, in order. */
export function* bitRuns(bytes: Uint8Array): Generator<{ readonly index: number; readonly count: number }> {
  const length = 8 * bytes.length
  for (let i = 0; i < length;) {
    if (bytes[i >>> 3] === 0) i = (i | 7) + 1
    else if (!bitAt(bytes, i)) i++
    else {
      let end = i + 1
      while (end < length && (bytes[end >>> 3] === 0xff && (end & 7) === 0 ? true : bitAt(bytes, end)))
        end += bytes[end >>> 3] === 0xff && (end & 7) === 0 ? 8 : 1
      yield { index: i, count: end - i }
      i = end
    }
  }
}
