/** Fields: the numbers and bits that the bytes of a structure are made of, from its table. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { type Bits, type BitsType, isBits } from '../bytes/bits.js'
import type { ByteType } from '../bytes/byte-type.js'
import type { EntryType, Padded, Tail } from '../bytes/entry.js'
import { type Growing, GrowingType } from '../bytes/growing.js'
import type { Leaf } from '../bytes/leaf.js'
import { startsOf } from '../bytes/list.js'
import { valueAt } from '../bytes/object.js'
import type { NumberRule } from '../bytes/rule.js'
import type { Placed, StructType } from '../bytes/struct.js'

/** A field of an encoded value: where it is, how it is stored, what its table demands. */
export interface Field {
  readonly name: string
  /** Byte offset from the start of the structure. */
  readonly at: number
  readonly leaf: Leaf<unknown>
  readonly rules: readonly NumberRule[]
  /** The clause of its row. */
  readonly clause: ClauseId
}

/** A structure and the fields that its bytes are made of. */
export interface Fielded<A> {
  readonly type: ByteType<A>
  readonly fields: (a: A) => readonly Field[]
}

/** The field that a row of a table describes. */
export const fieldOf = ({ at, row }: Placed): Field => ({
  name: row.name,
  at,
  leaf: row.as,
  rules: row.rules,
  clause: row.clause
})

/** The same fields in a structure that starts `by` bytes further on. */
export const moved = (fields: readonly Field[], by: number): readonly Field[] =>
  fields.map((field) => ({ ...field, at: field.at + by }))

/** The fields of items, one after the other. */
export const fieldsInRow = <A>(item: Fielded<A>, items: readonly A[]): readonly Field[] => {
  const starts = startsOf(item.type, items)
  return items.flatMap((a, i) => moved(item.fields(a), starts[i] ?? 0))
}

/** A structure of fixed length. */
export const fixedFields = <A>(type: StructType<A>): Fielded<A> => ({ type, fields: () => type.rows.map(fieldOf) })

/** A table entry of 8 bytes, whose layout the clause states. */
export const wordFields = <A extends Bits>(type: BitsType<A>, clause: ClauseId): Fielded<A> => ({
  type,
  fields: () => [{ name: type.name, at: 0, leaf: type.leaf, rules: [], clause }]
})

/** The fields of a growing structure that `length` bytes cover. */
export const growingFields = <A extends Growing>(type: GrowingType<A>, length: number): readonly Field[] =>
  type.rows.filter((p) => p.at + p.row.as.size <= length).map(fieldOf)

const isGrowing = (u: unknown): u is GrowingType<Growing> => u instanceof GrowingType

/** The fields of the string that follows the table at once, if it has any. */
const firstTail = <A extends Padded & Partial<F>, F>(type: EntryType<A, F>, a: A): readonly Field[] => {
  const [key, tail] = Object.entries<Tail<unknown, keyof F>>(type.tails)[0] ?? []
  const value = valueAt(a, key ?? '')
  return isGrowing(tail?.as) && tail.as.is(value) ? growingFields(tail.as, tail.as.sizeOf(value)) : []
}

/** An entry: its table, and the fields of the string that follows. */
export const entryFields = <A extends Padded & Partial<F>, F>(type: EntryType<A, F>): Fielded<A> => ({
  type,
  fields: (a) => [...type.fixed.rows.map(fieldOf), ...moved(firstTail(type, a), type.fixed.size)]
})

/** The clause of the reserved bits of a field, or of the field where they may be anything. */
export const reservedClause = ({ leaf, clause }: Field): ClauseId =>
  isBits(leaf) ? (leaf.rules[0]?.clause ?? clause) : clause
