/** Rules for numbers: what a table demands of one field, as data that a judgement, a document, a generator and a mutator read. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import type { Rule } from './judgement.js'
import { maxU64 } from './leaf.js'

/** The numbers a field may hold. */
export type Allowed =
  | { readonly _tag: 'Range'; readonly min: bigint; readonly max: bigint }
  | { readonly _tag: 'Multiple'; readonly of: bigint }
  | { readonly _tag: 'OneOf'; readonly values: readonly bigint[] }

/** A rule for a number by itself. */
export interface NumberRule extends Rule<bigint> {
  readonly allowed: Allowed
  readonly source: Source
  readonly phase: 'invalid' | 'limit'
}

type Whole = number | bigint

const numberRule = (allowed: Allowed, clause: ClauseId, source: Source): NumberRule => ({
  allowed,
  clause,
  source,
  phase: 'invalid',
  broken: (n) => !allows(allowed, n),
  expected: inWords(allowed)
})

/** At least `min` and at most `max`. */
export const between = (min: Whole, max: Whole, clause: ClauseId, source: Source = 'both'): NumberRule =>
  numberRule({ _tag: 'Range', min: BigInt(min), max: BigInt(max) }, clause, source)

/** At least `min`. */
export const atLeast = (min: Whole, clause: ClauseId, source: Source = 'both'): NumberRule =>
  between(min, maxU64, clause, source)

/** At most `max`, a named limit: see `format/limits`. */
export const atMost = (max: Whole, clause: ClauseId, source: Source = 'qemu'): NumberRule => ({
  ...between(0n, max, clause, source),
  phase: 'limit'
})

/** A multiple of `of`. */
export const multipleOf = (of: Whole, clause: ClauseId, source: Source = 'both'): NumberRule =>
  numberRule({ _tag: 'Multiple', of: BigInt(of) }, clause, source)

/** One of these values. */
export const oneOf = (values: readonly Whole[], clause: ClauseId, source: Source = 'both'): NumberRule =>
  numberRule({ _tag: 'OneOf', values: values.map(BigInt) }, clause, source)

/** The same demand, which QEMU's opening checks make in this row. */
export const refusing = (refusal: ClauseId, rule: NumberRule): NumberRule => ({ ...rule, refusal })

/** Zero. */
export const zero = (clause: ClauseId, source: Source = 'both'): NumberRule => oneOf([0n], clause, source)

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
