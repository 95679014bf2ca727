/** Field tables: one table of rows gives the decoder, the encoder, the JSON form, the judgement and the documentation of a structure. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { ByteType, tooFew } from './byte-type.js'
import type { Issue, Place } from './issue.js'
import { type FieldRule, onField, RuleTable } from './judgement.js'
import { isObject } from './json.js'
import { Draft, type JsonRow, objectJson, valueAt } from './object.js'
import type { Leaf } from './leaf.js'
import { empty, viewOf } from './octets.js'
import type { NumberRule } from './rule.js'

/** A row of a field table. Rows follow each other without gaps. */
export interface Row<A> {
  /** How the field is stored. */
  readonly as: Leaf<A>
  /** The format's own name. */
  readonly name: string
  readonly clause: ClauseId
  /** One line of prose: meaning and unit. */
  readonly doc: string
  readonly rules: readonly NumberRule[]
}

/** The field table of an `A`: a row for each of its fields, by the name the field has here. */
export type Fields<A> = { readonly [K in keyof A]-?: Row<Exclude<A[K], undefined>> }

/** One row of a field table. */
export const row = <A>(
  as: Leaf<A>,
  name: string,
  clause: ClauseId,
  doc: string,
  ...rules: readonly NumberRule[]
): Row<A> => ({ as, name, clause, doc, rules })

/** A row and its place: byte offset from the start of the structure. */
export interface Placed {
  readonly key: string
  readonly at: number
  readonly row: Row<unknown>
}

/** The rows of a table with their offsets. */
export const place = (fields: Readonly<Record<string, Row<unknown>>>): readonly Placed[] => {
  const out: Placed[] = []
  let at = 0
  for (const [key, r] of Object.entries(fields)) {
    out.push({ key, at, row: r })
    at += r.as.size
  }
  return out
}

/** The place of a row by its key, in a structure of this name that starts with the rows; that of the whole where none has it. */
export const rowPlace = (structure: string, rows: readonly Placed[], key: string): Place => {
  const p = rows.find((each) => each.key === key)
  return { structure, field: p?.row.name ?? '', at: p?.at ?? 0, size: p?.row.as.size ?? 0 }
}

/** The number that a field holds; -1, which no rule allows, for one that is not whole. */
const numberOf = (a: unknown): bigint => (typeof a === 'bigint' ? a : Number.isSafeInteger(a) ? BigInt(Number(a)) : -1n)

/** The rules of a row: those of its table on the number it holds, and those of its storage. */
export const rowRules = ({ key, row: r }: Placed): readonly FieldRule<unknown>[] => [
  ...r.rules.map((rule) => onField(key, rule, (a: unknown) => numberOf(valueAt(a, key)))),
  ...r.as.rules.map((rule) => onField(key, rule, (a: unknown) => valueAt(a, key)))
]

/** The issue of the first row that `length` bytes do not cover. */
export const tooShort = (structure: string, rows: readonly Placed[], length: number): readonly Issue[] =>
  rows
    .filter((p) => p.at + p.row.as.size > length)
    .slice(0, 1)
    .map((p) => tooFew(rowPlace(structure, rows, p.key), length, p.row.clause))

/** Reads rows into a draft; the caller has seen that the bytes cover them. */
export const readRows = (rows: readonly Placed[], view: DataView, draft: Draft<unknown>): void => {
  for (const { key, at, row: r } of rows) draft.set(key, r.as.get(view, at))
}

/** Writes rows from a value. */
export const writeRows = (rows: readonly Placed[], view: DataView, a: unknown): void => {
  if (!isObject(a)) return
  for (const { key, at, row: r } of rows) r.as.set(view, at, a[key])
}

/** The rows of a table as JSON rows. */
export const jsonRows = (rows: readonly Placed[]): readonly JsonRow[] =>
  rows.map((p) => ({ key: p.key, name: p.row.name, json: p.row.as.json }))

/** A structure of fixed length, described by its table. Its laws are those of {@link ByteType}. */
export class StructType<A> extends ByteType<A> {
  readonly _tag = 'StructType'
  /** Bytes. */
  readonly size: number
  readonly fields: Fields<A>
  readonly rows: readonly Placed[]
  /** What the fields must satisfy by themselves. */
  readonly rules: readonly FieldRule<unknown>[]

  constructor(name: string, fields: Fields<A>) {
    const rows = place(fields)
    const size = rows.reduce((n, p) => n + p.row.as.size, 0)
    const is = (u: unknown): u is A => isObject(u) && rows.every((p) => p.row.as.json.is(u[p.key]))
    super({
      name,
      is,
      read: (bytes) =>
        bytes.length < size ? E.left(tooShort(name, rows, bytes.length)) : E.right(this.at(viewOf(bytes))),
      write: (a) => this.encodeBefore(a, empty),
      sizeOf: () => size,
      json: objectJson(name, jsonRows(rows), is),
      judge: (a) => new RuleTable(this, this.rules).judge(a, undefined)
    })
    this.size = size
    this.rules = rows.flatMap(rowRules)
    this.fields = fields
    this.rows = rows
  }

  /** The place of a field, by the key of its row. */
  placeOf(key: string): Place {
    return rowPlace(this.name, this.rows, key)
  }

  /** The value at the start of the view, which covers the structure. */
  at(view: DataView): A {
    const draft = new Draft<A>()
    readRows(this.rows, view, draft)
    return draft.done()
  }

  /** The value at the start of the view, which covers the structure, and beside it what follows from it. */
  atWith<B extends object>(view: DataView, more: (a: A) => B): A & B {
    const draft = new Draft<A & B>()
    readRows(this.rows, view, draft)
    const beside = more(draft.done())
    for (const key in beside) draft.set(key, beside[key])
    return draft.done()
  }

  /** The bytes of a value, followed by these. */
  encodeBefore(a: A, following: Uint8Array): Uint8Array {
    const bytes = new Uint8Array(this.size + following.length)
    writeRows(this.rows, viewOf(bytes), a)
    bytes.set(following, this.size)
    return bytes
  }
}

/** A structure of fixed length from its table. */
export const struct = <A>(name: string, fields: Fields<A>): StructType<A> => new StructType(name, fields)
