/** Growing structures: a table whose rows are present only as far as a length covers them, and the unknown bytes after them. */
import * as E from 'fp-ts/lib/Either.js'
import { ByteType } from './byte-type.js'
import type { Place } from './issue.js'
import { type FieldRule, RuleTable } from './judgement.js'
import { anyOctetsJson, isObject } from './json.js'
import { Draft, objectJson, valueAt } from './object.js'
import { empty, part, viewOf } from './octets.js'
import { type Fields, jsonRows, place, type Placed, readRows, rowPlace, rowRules, writeRows } from './struct.js'

/** A value of a growing structure: each field that the length covers completely, and the bytes after the last of them. */
export interface Growing {
  readonly rest: Uint8Array
}

/** The byte offset of the end of a row, the last one that is present. */
const endOf = (last: Placed | undefined): number => (last === undefined ? 0 : last.at + last.row.as.size)

/**
 * A structure that later versions of the format may lengthen: all bytes given to `decode` belong to it.
 * A field is present if and only if the bytes cover it completely.
 *
 * @see HDR-03 and SNAP-02
 */
export class GrowingType<A extends Growing> extends ByteType<A> {
  readonly _tag = 'GrowingType'
  readonly fields: Fields<Omit<A, 'rest'>>
  readonly rows: readonly Placed[]
  /** What the fields must satisfy by themselves, as far as they are there. */
  readonly rules: readonly FieldRule<unknown>[]
  /** The value of the bytes, whatever they are. */
  readonly of: (bytes: Uint8Array) => A

  constructor(name: string, fields: Fields<Omit<A, 'rest'>>) {
    const rows = place(fields)
    /** The rows before the first that is missing. */
    const rowsUntil = (isMissing: (p: Placed) => boolean): readonly Placed[] => {
      const n = rows.findIndex(isMissing)
      return n < 0 ? rows : rows.slice(0, n)
    }
    const rowsOf = (a: unknown): readonly Placed[] => rowsUntil((p) => valueAt(a, p.key) === undefined)
    const of = (bytes: Uint8Array): A => {
      const present = rowsUntil((p) => endOf(p) > bytes.length)
      const end = endOf(present.at(-1))
      const draft = new Draft<A>()
      readRows(present, viewOf(bytes), draft)
      draft.set('rest', part(bytes, end, bytes.length - end))
      return draft.done()
    }
    const named = [
      ...jsonRows(rows).map((r) => ({ ...r, optional: true })),
      { key: 'rest', name: 'rest', json: anyOctetsJson, absent: empty }
    ]
    const is = (u: unknown): u is A => {
      if (!isObject(u) || !(u['rest'] instanceof Uint8Array)) return false
      const present = rowsOf(u)
      const [next, ...others] = rows.slice(present.length)
      return (
        present.every((p) => p.row.as.json.is(u[p.key])) &&
        others.every((p) => u[p.key] === undefined) &&
        (next === undefined || u['rest'].length < next.row.as.size)
      )
    }
    const sizeOf = (a: A): number => endOf(rowsOf(a).at(-1)) + a.rest.length
    super({
      name,
      is,
      read: (bytes) => E.right(of(bytes)),
      write: (a) => {
        const bytes = new Uint8Array(sizeOf(a))
        writeRows(rowsOf(a), viewOf(bytes), a)
        bytes.set(a.rest, bytes.length - a.rest.length)
        return bytes
      },
      sizeOf,
      json: objectJson(name, named, is),
      judge: (a) => new RuleTable<unknown>(this, this.rules).judge(a, undefined)
    })
    this.fields = fields
    this.rows = rows
    this.of = of
    this.rules = rows.flatMap(rowRules).map((rule) => ({
      ...rule,
      broken: (a, context) => valueAt(a, rule.field) !== undefined && rule.broken(a, context)
    }))
  }

  /** The place of a field, by the key of its row. */
  placeOf(key: string): Place {
    return rowPlace(this.name, this.rows, key)
  }
}

/** A growing structure from its table. */
export const growing = <A extends Growing>(name: string, fields: Fields<Omit<A, 'rest'>>): GrowingType<A> =>
  new GrowingType(name, fields)
