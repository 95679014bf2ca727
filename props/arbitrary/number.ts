/** Numbers, drawn mostly where a demand begins or ends to hold and where a representation runs out. */
import fc from 'fast-check'
import { allows, type NumberRule } from '../../src/bytes/rule.js'
import { edges } from '../../src/fuzz/edges.js'

/** Numbers from `min` to `max`: `min` itself, edges, and any, which are most of them where there are few. Shrinks to `min`. */
export const numbers = (min: bigint, max: bigint, rules: readonly NumberRule[] = []): fc.Arbitrary<bigint> => {
  const known = new Set([min, ...edges(max, rules).filter((n) => n >= min), max])
  return fc.oneof(
    { withCrossShrink: true },
    { weight: 1, arbitrary: fc.constant(min) },
    { weight: 4, arbitrary: fc.constantFrom(...known) },
    { weight: max - min < 64n ? 8 : 2, arbitrary: fc.noBias(fc.bigInt({ min, max })) }
  )
}

/** The greatest of numbers, and no less than `floor`. */
const most = (floor: bigint, values: readonly bigint[]): bigint => values.reduce((a, b) => (a > b ? a : b), floor)

/** Numbers up to `max` that all of the rules allow. */
export const allowedNumbers = (max: bigint, rules: readonly NumberRule[]): fc.Arbitrary<bigint> => {
  const all = rules.map((rule) => rule.allowed)
  const fits = (n: bigint): boolean => n <= max && all.every((allowed) => allows(allowed, n))
  const named = all.flatMap((allowed) => (allowed._tag === 'OneOf' ? allowed.values : [])).filter(fits)
  if (named.length > 0) return fc.constantFrom(...named)
  const unit = most(
    1n,
    all.map((allowed) => (allowed._tag === 'Multiple' ? allowed.of : 1n))
  )
  const low = most(
    0n,
    all.map((allowed) => (allowed._tag === 'Range' ? allowed.min : 0n))
  )
  const high = -most(
    -max,
    all.map((allowed) => (allowed._tag === 'Range' ? -allowed.max : -max))
  )
  return numbers((low + unit - 1n) / unit, high / unit)
    .map((n) => n * unit)
    .filter(fits)
}

/** Small numbers for lengths and counts, most of them among those given. */
export const lengths = (max: number, ...often: readonly number[]): fc.Arbitrary<number> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 3, arbitrary: fc.constantFrom(...[0, 1, ...often].filter((n) => n <= max)) },
    { weight: 1, arbitrary: fc.nat({ max }) }
  )
