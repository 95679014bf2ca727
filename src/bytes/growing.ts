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

/** How far a value reaches: the rows that are there. */
interface Stage {
  readonly rows: readonly Placed[]
  /** Bytes of these rows. */
  readonly end: number
  /** The first row that is not there. */
  readonly next: Placed | undefined
}

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
    const stage = (n: number): Stage => {
      const here = rows.slice(0, n)
      return { rows: here, end: here.reduce((m, p) => m + p.row.as.size, 0), next: rows[n] }
    }
    const all = stage(rows.length)
    const stages = [...rows.map((_, n) => stage(n)), all]
    const stopAt = (missing: (p: Placed) => boolean): Stage =>
      stages.find((s) => s.next !== undefined && missing(s.next)) ?? all
    const stageOf = (a: unknown): Stage => stopAt((p) => valueAt(a, p.key) === undefined)
    const of = (bytes: Uint8Array): A => {
      const { rows: here, end } = stopAt((p) => p.at + p.row.as.size > bytes.length)
      const draft = new Draft<A>()
      readRows(here, viewOf(bytes), draft)
      draft.set('rest', part(bytes, end, bytes.length - end))
      return draft.done()
    }
    const named = [
      ...jsonRows(rows).map((r) => ({ ...r, optional: true })),
      { key: 'rest', name: 'rest', json: anyOctetsJson, absent: empty }
    ]
    const is = (u: unknown): u is A => {
      if (!isObject(u) || !(u['rest'] instanceof Uint8Array)) return false
      const { rows: here, next } = stageOf(u)
      return (
        here.every((p) => p.row.as.json.is(u[p.key])) &&
        rows.slice(here.length).every((p) => u[p.key] === undefined) &&
        (next === undefined || u['rest'].length < next.row.as.size)
      )
    }
    const sizeOf = (a: A): number => stageOf(a).end + a.rest.length
    super({
      name,
      is,
      read: (bytes) => E.right(of(bytes)),
      write: (a) => {
        const { rows: here, end } = stageOf(a)
        const bytes = new Uint8Array(end + a.rest.length)
        writeRows(here, viewOf(bytes), a)
        bytes.set(a.rest, end)
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
