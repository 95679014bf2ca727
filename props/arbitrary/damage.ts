/** Damage: wounds that make bytes of a structure into bytes that may be none, one field or one byte at a time. */
import fc from 'fast-check'
import { concat, part } from '../../src/bytes/octets.js'
import { isBits } from './leaf.js'
import { edges } from './number.js'
import { noise, octetsOf } from './octets.js'
import type { Field, Structure } from './structure.js'

/** What is done to a field. `pick` chooses among the possibilities by its remainder, so that every wound is possible. */
type Blow = 'edge' | 'reserved bit' | 'one more' | 'one less' | 'any bit'

/** A wound as drawn: which field or byte, and what happens to it. */
export type Wound =
  | { readonly _tag: 'Field'; readonly which: number; readonly blow: Blow; readonly pick: number }
  | { readonly _tag: 'Byte'; readonly at: number; readonly xor: number }
  | { readonly _tag: 'Cut'; readonly at: number }
  | { readonly _tag: 'Grow'; readonly by: number }

const where = fc.nat({ max: 0xffff })

const blows = fc.constantFrom<Blow[]>('edge', 'reserved bit', 'one more', 'one less', 'any bit')

/** Wounds, most of them to fields. */
export const wounds: fc.Arbitrary<Wound> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ which: where, blow: blows, pick: where })
      .map((drawn): Wound => ({ _tag: 'Field', ...drawn }))
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ at: where, xor: fc.integer({ min: 1, max: 255 }) })
      .map((drawn): Wound => ({ _tag: 'Byte', ...drawn }))
  },
  { weight: 1, arbitrary: where.map((at): Wound => ({ _tag: 'Cut', at })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 16 }).map((by): Wound => ({ _tag: 'Grow', by })) }
)

const pickOf = <A>(list: readonly A[], pick: number): A | undefined => list[pick % Math.max(1, list.length)]

const numberIn = (bytes: Uint8Array): bigint => bytes.reduce((n, b) => n * 256n + BigInt(b), 0n)

const bytesOf = (n: bigint, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Number((n >> BigInt(8 * (size - 1 - i))) & 0xffn))

/** The bytes with others in their place from `at` on. */
export const patched = (bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array =>
  bytes.map((b, i) => by[i - at] ?? b)

/** A field's number after a blow. */
const struck = (field: Field, before: bigint, blow: Blow, pick: number): bigint => {
  const max = 2n ** BigInt(8 * field.leaf.size) - 1n
  const anyBit = before ^ (1n << BigInt(pick % (8 * field.leaf.size)))
  switch (blow) {
    case 'edge':
      return pickOf(edges(max, field.rules), pick) ?? before
    case 'one more':
      return (before + 1n) & max
    case 'one less':
      return (before - 1n) & max
    case 'any bit':
      return anyBit
    case 'reserved bit': {
      const mask = isBits(field.leaf) ? field.leaf.reservedMask : 0n
      const bits = Array.from({ length: 64 }, (_, i) => 1n << BigInt(i)).filter((bit) => (bit & mask) !== 0n)
      return before ^ (pickOf(bits, pick) ?? 1n)
    }
  }
}

/** The bytes after a wound; `fields` are those they are made of. */
export const wounded = (bytes: Uint8Array, fields: readonly Field[], wound: Wound): Uint8Array => {
  switch (wound._tag) {
    case 'Field': {
      const field = pickOf(fields, wound.which)
      if (field === undefined || field.at + field.leaf.size > bytes.length) return bytes
      const before = part(bytes, field.at, field.leaf.size)
      return patched(bytes, field.at, bytesOf(struck(field, numberIn(before), wound.blow, wound.pick), before.length))
    }
    case 'Byte': {
      const at = wound.at % Math.max(1, bytes.length)
      return bytes.map((b, i) => (i === at ? b ^ wound.xor : b))
    }
    case 'Cut':
      return part(bytes, 0, wound.at % (bytes.length + 1))
    case 'Grow':
      return concat([bytes, noise(wound.by, wound.by)])
  }
}

/** Bytes of a structure after some wounds, of any value or of a well-formed one. */
export const damaged = <A>(s: Structure<A>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.oneof(s.wellFormed, s.anyValue), fc.array(wounds, { minLength: 1, maxLength: 3 }))
    .map(([a, list]) => list.reduce((bytes, wound) => wounded(bytes, s.fields(a), wound), s.type.encode(a)))

/** Bytes that a decoder of the structure may meet: those of a value with others behind, damaged ones, and noise. */
export const anyBytes = <A>(s: Structure<A>): fc.Arbitrary<Uint8Array> => {
  const behind = octetsOf(fc.nat({ max: 40 }))
  return fc.oneof(
    { weight: 2, arbitrary: damaged(s) },
    { weight: 1, arbitrary: fc.tuple(s.anyValue, behind).map(([a, more]) => concat([s.type.encode(a), more])) },
    { weight: 1, arbitrary: octetsOf(fc.nat({ max: 160 })) }
  )
}
