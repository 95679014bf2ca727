/** Corruption: bytes of a structure with a field or a byte changed, so that they may not decode. */
import fc from 'fast-check'
import { isBits } from '../../src/bytes/bits.js'
import { concat, part } from '../../src/bytes/octets.js'
import type { Field } from '../../src/fuzz/field.js'
import { edges } from '../../src/fuzz/edges.js'
import { noise } from '../../src/fuzz/noise.js'
import { octetsOf } from './octets.js'
import type { Structure } from './structure.js'

/** How a field changes. `pick` chooses among the possibilities by its remainder, so that every corruption is possible. */
type Change = 'edge' | 'reserved bit' | 'one more' | 'one less' | 'any bit'

/** A corruption as drawn: which field or byte, and how it changes. */
export type Corruption =
  | { readonly _tag: 'Field'; readonly which: number; readonly change: Change; readonly pick: number }
  | { readonly _tag: 'Byte'; readonly at: number; readonly xor: number }
  | { readonly _tag: 'Cut'; readonly at: number }
  | { readonly _tag: 'Grow'; readonly by: number }

const where = fc.nat({ max: 0xffff })

const changes = fc.constantFrom<Change[]>('edge', 'reserved bit', 'one more', 'one less', 'any bit')

/** Corruptions, most of them of fields. */
export const corruptions: fc.Arbitrary<Corruption> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({ which: where, change: changes, pick: where })
      .map((drawn): Corruption => ({ _tag: 'Field', ...drawn }))
  },
  {
    weight: 2,
    arbitrary: fc
      .record({ at: where, xor: fc.integer({ min: 1, max: 255 }) })
      .map((drawn): Corruption => ({ _tag: 'Byte', ...drawn }))
  },
  { weight: 1, arbitrary: where.map((at): Corruption => ({ _tag: 'Cut', at })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 16 }).map((by): Corruption => ({ _tag: 'Grow', by })) }
)

const pickOf = <A>(list: readonly A[], pick: number): A | undefined => list[pick % Math.max(1, list.length)]

const numberIn = (bytes: Uint8Array): bigint => bytes.reduce((n, b) => n * 256n + BigInt(b), 0n)

const bytesOf = (n: bigint, size: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => Number((n >> BigInt(8 * (size - 1 - i))) & 0xffn))

/** The bytes with others in their place from `at` on. */
const patched = (bytes: Uint8Array, at: number, by: Uint8Array): Uint8Array => bytes.map((b, i) => by[i - at] ?? b)

/** A field's number after a change. */
const changed = (field: Field, before: bigint, change: Change, pick: number): bigint => {
  const max = 2n ** BigInt(8 * field.leaf.size) - 1n
  const anyBit = before ^ (1n << BigInt(pick % (8 * field.leaf.size)))
  switch (change) {
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

/** The bytes after a corruption; `fields` are those they are made of. */
const corrupt = (bytes: Uint8Array, fields: readonly Field[], corruption: Corruption): Uint8Array => {
  switch (corruption._tag) {
    case 'Field': {
      const field = pickOf(fields, corruption.which)
      if (field === undefined || field.at + field.leaf.size > bytes.length) return bytes
      const before = part(bytes, field.at, field.leaf.size)
      return patched(
        bytes,
        field.at,
        bytesOf(changed(field, numberIn(before), corruption.change, corruption.pick), before.length)
      )
    }
    case 'Byte': {
      const at = corruption.at % Math.max(1, bytes.length)
      return bytes.map((b, i) => (i === at ? b ^ corruption.xor : b))
    }
    case 'Cut':
      return part(bytes, 0, corruption.at % (bytes.length + 1))
    case 'Grow':
      return concat([bytes, noise(corruption.by, corruption.by)])
  }
}

/**
 * Bytes of a structure after some corruptions, of any value or of a well-formed one.
 *
 * @example
 * import fc from 'fast-check'
 * import { corrupted, headers } from 'qcow2-spec/arbitraries'
 * import { header } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(corrupted(headers), (bytes) => ['Left', 'Right'].includes(header.decode(bytes)._tag)))
 */
export const corrupted = <A>(s: Structure<A>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.oneof(s.wellFormed, s.anyValue), fc.array(corruptions, { minLength: 1, maxLength: 3 }))
    .map(([a, list]) => list.reduce((bytes, corruption) => corrupt(bytes, s.fields(a), corruption), s.type.encode(a)))

/**
 * Bytes that a decoder of the structure may meet: those of a value with others behind, corrupted ones, and noise.
 *
 * @example
 * import fc from 'fast-check'
 * import { anyBytes, l1Entries } from 'qcow2-spec/arbitraries'
 * import { l1Entry } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(anyBytes(l1Entries), (bytes) => l1Entry.decode(bytes)._tag === 'Right' || bytes.length < 8))
 */
export const anyBytes = <A>(s: Structure<A>): fc.Arbitrary<Uint8Array> => {
  const behind = octetsOf(fc.nat({ max: 40 }))
  return fc.oneof(
    { weight: 2, arbitrary: corrupted(s) },
    { weight: 1, arbitrary: fc.tuple(s.anyValue, behind).map(([a, more]) => concat([s.type.encode(a), more])) },
    { weight: 1, arbitrary: octetsOf(fc.nat({ max: 160 })) }
  )
}
