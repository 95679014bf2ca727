/** Values of one field, from how it is stored and from the rules of its row. */
import fc from 'fast-check'
import { type BitRow, type BitsLeaf, isBits, maskOf } from '../../src/bytes/bits.js'
import type { Leaf } from '../../src/bytes/leaf.js'
import type { NumberRule } from '../../src/bytes/rule.js'
import { allowedNumbers, numbers } from './number.js'
import { octets } from './octets.js'

/** Whether a value is to keep the rules of its table, or may be anything that its storage holds. */
export type Mode = 'any' | 'wellFormed'

/** What to draw for each key of a value. */
export type Drawn = Record<string, fc.Arbitrary<unknown>>

/** Plain objects with a value for each key. */
export const recordOf = (values: Drawn): fc.Arbitrary<unknown> => fc.record(values, { noNullPrototype: true })

const bitRow = (row: BitRow): fc.Arbitrary<unknown> => {
  const lo = BigInt(row.lo)
  const max = maskOf(row) >> lo
  switch (row._tag) {
    case 'Flag':
      return fc.boolean()
    case 'Count':
      return numbers(0n, max).map(Number)
    case 'Masked':
      return numbers(0n, max).map((n) => n << lo)
  }
}

/** Each bit of a mask by itself. */
const bitsIn = (mask: bigint): readonly bigint[] =>
  Array.from({ length: 64 }, (_, i) => 1n << BigInt(i)).filter((bit) => (mask & bit) !== 0n)

/** Some bits of a mask: none in every other case, else one, or any of them. */
const someOf = (mask: bigint): fc.Arbitrary<bigint> =>
  mask === 0n
    ? fc.constant(0n)
    : fc.oneof(
        { withCrossShrink: true },
        { weight: 4, arbitrary: fc.constant(0n) },
        { weight: 3, arbitrary: fc.constantFrom(...bitsIn(mask)) },
        { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: mask }).map((n) => n & mask) }
      )

/** Values of a bit field. Those that keep the rules have reserved bits only where the field lets them be anything. */
export const bitsValue = <A>(leaf: BitsLeaf<A>, mode: Mode): fc.Arbitrary<A> => {
  const free = leaf.rules.length === 0
  const reserved = someOf(mode === 'any' || free ? leaf.reservedMask : 0n)
  const values = {
    ...Object.fromEntries(Object.entries<BitRow>(leaf.rows).map(([key, row]) => [key, bitRow(row)])),
    reserved
  }
  return recordOf(values)
    .filter((u): u is A => leaf.json.is(u))
    .filter((a) => mode === 'any' || leaf.rules.every((rule) => !rule.broken(a, undefined)))
}

/** Values of a field. Of those that may be anything, every other one keeps the rules all the same. */
export const leafValue = (leaf: Leaf<unknown>, rules: readonly NumberRule[], mode: Mode): fc.Arbitrary<unknown> => {
  if (isBits(leaf)) return bitsValue(leaf, mode)
  if (leaf.kind === 'octets')
    return octets(leaf.size).filter(
      (bytes) => mode === 'any' || leaf.rules.every((rule) => !rule.broken(bytes, undefined))
    )
  const max = 2n ** BigInt(8 * leaf.size) - 1n
  const allowed = allowedNumbers(max, rules)
  const drawn = mode === 'any' ? fc.oneof(allowed, numbers(0n, max, rules)) : allowed
  return leaf.kind === 'number' ? drawn.map(Number) : drawn
}
