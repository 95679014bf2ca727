/** Trials of writers: changes that a program makes to the image of a vector, or must refuse to make. */
import type { ClauseId } from '../../../../spec/clauses/index.js'
import type { Vector } from '../vector.js'
import type { Change, Outcome } from './change.js'
import { rows } from './rows.js'

/** A vector and changes of its image. Its id, title and clauses are those of the trial. */
export interface Trial extends Vector {
  readonly image: string
  readonly changes: readonly Change[]
  readonly outcome: Outcome
  /** The clause that a disk breaks which is not the one that the changes make. */
  readonly blames: ClauseId
}

/** Bytes that a trial writes into images that are only opened: the first of the disk. */
const first: Change = { _tag: 'Write', at: 0, length: 300 }

const isSound = ({ result, check }: Vector): boolean =>
  result === 'valid' && check.opens && check.corruptions === 0 && check.leaks === 0

/** What must become of a write into an image; `undefined` where a writer is not asked. @see OPEN-10 and FEAT-04 */
const outcomeOf = (v: Vector): Outcome | undefined => {
  if (v.options !== undefined || v.flags.includes('encrypted')) return undefined
  const isAsked = isSound(v) && v.disk !== undefined && v.disk.length >= 512
  if (isAsked && v.clauses.includes('FEAT-04')) return 'either'
  if (!v.writable) return 'refused'
  return isAsked ? 'done' : undefined
}

/** A write into each image with one feature: whether a writer opens it, and keeps what it does not know. */
const opening = (v: Vector): readonly Trial[] => {
  const outcome = v.flags.includes('single') ? outcomeOf(v) : undefined
  return outcome === undefined
    ? []
    : [
        {
          ...v,
          id: `write-${v.id}`,
          title: `A write. ${v.title}`,
          clauses: v.clauses.slice(0, 1),
          image: v.id,
          changes: [first],
          outcome,
          blames: 'WR-05'
        }
      ]
}

/** The trials: those of the table, and a write into each image with one feature. */
export const trialsOf = (vectors: readonly Vector[]): readonly Trial[] => [
  ...rows.flatMap(({ clause, image, outcome = 'done', ...rest }) => {
    const vector = vectors.find(({ id }) => id === image)
    return vector === undefined ? [] : [{ ...vector, ...rest, image, outcome, clauses: [clause], blames: clause }]
  }),
  ...vectors.flatMap(opening)
]

/** The bytes of the write with a number: each 16 of them hold the number and their place, so that no others are alike. */
export const bytesOf = (
  number: number,
  { at, length }: { readonly at: number; readonly length: number }
): Uint8Array => {
  const from = at - (at % 16)
  const bytes = new Uint8Array(Math.ceil((at + length - from) / 16) * 16)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < bytes.length; i += 16) {
    view.setUint32(i, 0xc0de_0000 + number)
    view.setUint32(i + 8, from + i)
    view.setUint32(i + 12, 0xffff_ffff)
  }
  return bytes.subarray(at - from, at - from + length)
}

/** The name of the file that holds the bytes of the write with a number. */
export const dataName = (number: number): string => `write-${number}.bin`
