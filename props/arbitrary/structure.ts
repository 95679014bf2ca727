/** Generators of a structure, derived from its table: values of any kind, and values that keep the table's rules. */
import fc from 'fast-check'
import type { Bits, BitsType } from '../../src/bytes/bits.js'
import { type EntryType, type Padded, type Tail, type Tails, toEight } from '../../src/bytes/entry.js'
import { type Growing, GrowingType } from '../../src/bytes/growing.js'
import type { Placed, StructType } from '../../src/bytes/struct.js'
import { entryFields, type Fielded, fixedFields, growingFields } from '../../src/fuzz/field.js'
import { bitsValue, type Drawn, leafValue, type Mode, recordOf } from './leaf.js'
import { lengths } from './number.js'
import { octets, octetsOf } from './octets.js'

/** A structure, its fields, and what to draw of it. */
export interface Structure<A> extends Fielded<A> {
  /** The structure's name, and the context it is read with when it has one. */
  readonly name: string
  /** Any value `is` takes, drawn mostly at the limits of its fields. */
  readonly anyValue: fc.Arbitrary<A>
  /** Values that `judge` finds nothing wrong with. */
  readonly wellFormed: fc.Arbitrary<A>
}

/** A value for each row, by key. */
export const rowValues = (rows: readonly Placed[], mode: Mode): Drawn =>
  Object.fromEntries(rows.map((p) => [p.key, leafValue(p.row.as, p.row.rules, mode)]))

/** A structure from one generator for each mode. */
export const structure = <A>(
  name: string,
  { type, fields }: Fielded<A>,
  draw: (mode: Mode) => fc.Arbitrary<A>
): Structure<A> => ({ name, type, anyValue: draw('any'), wellFormed: draw('wellFormed'), fields })

/** A structure of fixed length. */
export const fixed = <A>(type: StructType<A>, name = type.name): Structure<A> =>
  structure(name, fixedFields(type), (mode) => recordOf(rowValues(type.rows, mode)).filter((u): u is A => type.is(u)))

/** A table entry of 8 bytes. */
export const wordOf = <A extends Bits>(type: BitsType<A>, fielded: Fielded<A>): Structure<A> =>
  structure(type.name, fielded, (mode) => bitsValue(type.leaf, mode))

const isGrowing = (u: unknown): u is GrowingType<Growing> => u instanceof GrowingType

/** Values of a growing structure that fill `length` bytes: the fields they cover, and unknown bytes behind. */
export const growingValue = <A extends Growing>(type: GrowingType<A>, length: number, mode: Mode): fc.Arbitrary<A> => {
  const here = type.rows.filter((p) => p.at + p.row.as.size <= length)
  const end = here.reduce((n, p) => n + p.row.as.size, 0)
  const values = { ...rowValues(here, mode), rest: octets(length - end) }
  return recordOf(values).filter((u): u is A => type.is(u))
}

/** A growing structure, with lengths around each of its fields. */
export const growing = <A extends Growing>(type: GrowingType<A>, name = type.name): Structure<A> => {
  const ends = type.rows.flatMap((p) => [p.at + p.row.as.size - 1, p.at + p.row.as.size, p.at + p.row.as.size + 1])
  return structure(name, { type, fields: (a) => growingFields(type, type.sizeOf(a)) }, (mode) =>
    lengths(80, ...ends).chain((length) => growingValue(type, length, mode))
  )
}

/** Bytes that fill a record up to a multiple of 8: any bytes, or zeros. */
export const paddingOf = (size: number, mode: Mode): fc.Arbitrary<Uint8Array> =>
  mode === 'any' ? octets(toEight(size)) : fc.constant(new Uint8Array(toEight(size)))

/** Lengths that the strings of an entry often have. */
type Often<A, F> = Partial<Record<keyof Tails<A, F>, readonly number[]>>

/** Values of an entry: its strings are drawn with these lengths, and it is padded to a multiple of 8. */
export const entryValue = <A extends Padded & Partial<F>, F>(
  type: EntryType<A, F>,
  mode: Mode,
  often: Often<A, F>
): fc.Arbitrary<A> => {
  const tails = Object.entries<Tail<unknown, keyof F>>(type.tails)
  const frequent = new Map(Object.entries<readonly number[] | undefined>(often))
  const sizes = new Set<PropertyKey>(tails.map(([, tail]) => tail.size))
  const strings = tails.map(([key, tail]) => {
    const length = fc.oneof(lengths(40), fc.constantFrom(0, ...(frequent.get(key) ?? [])))
    const as = tail.as
    return [key, isGrowing(as) ? length.chain((n) => growingValue(as, n, mode)) : octetsOf(length)] as const
  })
  const values = {
    ...rowValues(
      type.fixed.rows.filter((p) => !sizes.has(p.key)),
      mode
    ),
    ...Object.fromEntries(strings),
    padding: fc.constant(new Uint8Array(0))
  }
  return recordOf(values)
    .filter((u): u is A => type.is(u))
    .chain((a) => paddingOf(type.sizeOf(a), mode).map((padding) => ({ ...a, padding })))
}

/** An entry whose strings are drawn with these lengths. Its padding is whole, or in any value cut off. */
export const entry = <A extends Padded & Partial<F>, F>(type: EntryType<A, F>, often: Often<A, F>): Structure<A> =>
  structure(type.name, entryFields(type), (mode) =>
    mode === 'wellFormed'
      ? entryValue(type, mode, often)
      : fc
          .tuple(entryValue(type, mode, often), fc.nat({ max: 7 }))
          .map(([a, kept]) => ({ ...a, padding: a.padding.subarray(0, kept) }))
  )
