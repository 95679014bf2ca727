/** Rules: what a table demands of one field, as data that a judge, a document, a generator and a mutator can read. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import { maxU64 } from './leaf.js'

/** The numbers a field may hold. */
export type Allowed =
  | { readonly _tag: 'Range'; readonly min: bigint; readonly max: bigint }
  | { readonly _tag: 'Multiple'; readonly of: bigint }
  | { readonly _tag: 'OneOf'; readonly values: readonly bigint[] }

/** One demand on one field, with the clause that states it and the party that holds to it. */
export interface Rule {
  readonly allowed: Allowed
  readonly clause: ClauseId
  readonly source: Source
  readonly phase: 'invalid' | 'limit'
  /** The row of QEMU's opening checks, when it is another clause. */
  readonly refusal?: ClauseId
}

type Whole = number | bigint

/** At least `min` and at most `max`. */
export const between = (min: Whole, max: Whole, clause: ClauseId, source: Source = 'both'): Rule => ({
  allowed: { _tag: 'Range', min: BigInt(min), max: BigInt(max) },
  clause,
  source,
  phase: 'invalid'
})

/** At least `min`. */
export const atLeast = (min: Whole, clause: ClauseId, source: Source = 'both'): Rule =>
  between(min, maxU64, clause, source)

/** At most `max`, a named limit: see `format/limits`. */
export const atMost = (max: Whole, clause: ClauseId, source: Source = 'qemu'): Rule => ({
  ...between(0n, max, clause, source),
  phase: 'limit'
})

/** A multiple of `of`. */
export const multipleOf = (of: Whole, clause: ClauseId, source: Source = 'both'): Rule => ({
  allowed: { _tag: 'Multiple', of: BigInt(of) },
  clause,
  source,
  phase: 'invalid'
})

/** One of these values. */
export const oneOf = (values: readonly Whole[], clause: ClauseId, source: Source = 'both'): Rule => ({
  allowed: { _tag: 'OneOf', values: values.map(BigInt) },
  clause,
  source,
  phase: 'invalid'
})

/** The same demand, which QEMU's opening checks make in this row. */
export const refusing = (refusal: ClauseId, rule: Rule): Rule => ({ ...rule, refusal })

/** Zero. */
export const zero = (clause: ClauseId, source: Source = 'both'): Rule => oneOf([0n], clause, source)

/** Whether a number is allowed. */
export const allows = (a: Allowed, n: bigint): boolean => {
  switch (a._tag) {
    case 'Range':
      return n >= a.min && n <= a.max
    case 'Multiple':
      return n % a.of === 0n
    case 'OneOf':
      return a.values.includes(n)
  }
}

/** What is allowed, in words. */
export const inWords = (a: Allowed): string => {
  switch (a._tag) {
    case 'Range':
      if (a.min === 0n) return `at most ${a.max}`
      return a.max === maxU64 ? `at least ${a.min}` : `${a.min} to ${a.max}`
    case 'Multiple':
      return `a multiple of ${a.of}`
    case 'OneOf':
      return a.values.join(' or ')
  }
}
