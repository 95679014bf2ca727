/** Entries: a fixed table, then byte strings whose lengths the table holds, then padding to a multiple of 8. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { ByteType } from './byte-type.js'
import { type Issue, malformed, type Place } from './issue.js'
import { type FieldRule, RuleTable } from './judgement.js'
import { type JsonCodec, octetsJson } from './json.js'
import { Draft, objectJson, valueAt } from './object.js'
import { empty, part, viewOf } from './octets.js'
import { jsonRows, type Placed, readRows, rowPlace, rowRules, type StructType, tooShort, writeRows } from './struct.js'

/** What an entry asks of a string that has parts: a byte codec that takes any bytes of the given length. */
export interface Part<A> {
  readonly json: JsonCodec<A>
  decode(bytes: Uint8Array): E.Either<unknown, A>
  encode(a: A): Uint8Array
  sizeOf(a: A): number
  judge(a: A, at?: number): readonly Issue[]
}

/** A string of bytes after the table: which field of the table holds its length, and what it is when it has parts. */
export interface Tail<A, Size> {
  /** The field of the table that holds the length in bytes; it is not part of the value. */
  readonly size: Size
  /** The format's own name. */
  readonly name: string
  readonly clause: ClauseId
  readonly doc: string
  /** How the string decodes; absent when it is kept as bytes. */
  readonly as?: Part<A>
}

/** What every entry has beside the fields of its table and its strings. */
export interface Padded {
  /** Bytes up to a multiple of 8, or up to the end of the bytes. */
  readonly padding: Uint8Array
}

/** The strings of an entry whose table is an `F`: what the entry has beside the fields of the table and the padding. */
export type Tails<A, F> = { readonly [K in Exclude<keyof A, keyof F | 'padding'>]: Tail<A[K], keyof F> }

interface Piece {
  readonly key: string
  readonly tail: Tail<unknown, PropertyKey>
  /** The row that holds the length. */
  readonly length: Placed | undefined
  readonly max: number
  readonly json: JsonCodec<unknown>
}

/** Bytes from `length` to the next multiple of 8. */
export const toEight = (length: number): number => (8 - (length % 8)) % 8

/**
 * An entry of variable length. The padding is kept whatever it holds; it may be shorter than the next multiple of 8
 * asks for, where the bytes end before it.
 */
export class EntryType<A extends Padded & Partial<F>, F> extends ByteType<A> {
  readonly _tag = 'EntryType'
  readonly fixed: StructType<F>
  readonly tails: Tails<A, F>
  /** What the fields of the table must satisfy by themselves. */
  readonly rules: readonly FieldRule<unknown>[]
  /** The place of a field in a value, by the key of its row, of its string, or `padding`. */
  readonly placeOf: (key: string, a: A) => Place

  constructor(name: string, fixed: StructType<F>, tails: Tails<A, F>) {
    const pieces: readonly Piece[] = Object.entries<Tail<unknown, PropertyKey>>(tails).map(([key, tail]) => {
      const length = fixed.rows.find((p) => p.key === tail.size)
      const max = 2 ** (8 * (length?.row.as.size ?? 0)) - 1
      const json = tail.as?.json ?? octetsJson(`at most ${max} bytes`, (n) => n <= max)
      return { key, tail, length, max, json }
    })
    const sizes = new Set<PropertyKey>(pieces.map((p) => p.tail.size))
    const rows = fixed.rows.filter((p) => !sizes.has(p.key))
    const bytesOf = (p: Piece, a: unknown): Uint8Array => {
      const v = valueAt(a, p.key)
      return v instanceof Uint8Array ? v : (p.tail.as?.encode(v) ?? empty)
    }
    const lengthOf = (p: Piece, a: unknown): number => p.tail.as?.sizeOf(valueAt(a, p.key)) ?? bytesOf(p, a).length
    const startOf = (a: unknown, n: number): number =>
      pieces.slice(0, n).reduce((at, p) => at + lengthOf(p, a), fixed.size)
    const bare = (a: unknown): number => startOf(a, pieces.length)
    const paddingJson = octetsJson('at most 7 bytes of padding', (n) => n < 8)
    const is = (u: unknown): u is A => {
      const padding = valueAt(u, 'padding')
      return (
        rows.every((p) => p.row.as.json.is(valueAt(u, p.key))) &&
        pieces.every((p) => p.json.is(valueAt(u, p.key)) && bytesOf(p, u).length <= p.max) &&
        paddingJson.is(padding) &&
        padding.length <= toEight(bare(u))
      )
    }
    const named = [
      ...jsonRows(rows),
      ...pieces.map((p) => ({ key: p.key, name: p.tail.name, json: p.json })),
      { key: 'padding', name: 'padding', json: paddingJson, absent: empty }
    ]

    super({
      name,
      is,
      read: (bytes) => {
        if (bytes.length < fixed.size) return E.left(tooShort(name, fixed.rows, bytes.length))
        const view = viewOf(bytes)
        const draft = new Draft<A>()
        readRows(rows, view, draft)
        let at = fixed.size
        for (const p of pieces) {
          const length = Number(p.length?.row.as.get(view, p.length.at))
          const own = part(bytes, at, length)
          const value = p.tail.as?.decode(own) ?? E.right(own)
          if (own.length < length || E.isLeft(value)) {
            const expected = `at most the ${bytes.length - at} bytes that are left`
            return E.left([malformed(fixed.placeOf(String(p.tail.size)), p.tail.clause, String(length), expected)])
          }
          draft.set(p.key, value.right)
          at += length
        }
        draft.set('padding', part(bytes, at, toEight(at)))
        return E.right(draft.done())
      },
      write: (a) => {
        const bytes = new Uint8Array(bare(a) + a.padding.length)
        const view = viewOf(bytes)
        writeRows(rows, view, a)
        let at = fixed.size
        for (const p of pieces) {
          const own = bytesOf(p, a)
          p.length?.row.as.set(view, p.length.at, own.length)
          bytes.set(own, at)
          at += own.length
        }
        bytes.set(a.padding, at)
        return bytes
      },
      sizeOf: (a) => bare(a) + a.padding.length,
      json: objectJson(name, named, is),
      judge: (a) => [
        ...new RuleTable(this, this.rules).judge(a, undefined),
        ...pieces.flatMap((p, i) =>
          (p.tail.as?.judge(valueAt(a, p.key), startOf(a, i)) ?? []).map((c) => ({ ...c, structure: name }))
        )
      ]
    })
    this.fixed = fixed
    this.tails = tails
    this.rules = rows.flatMap(rowRules)
    this.placeOf = (key, a) => {
      const n = pieces.findIndex((p) => p.key === key)
      const at = startOf(a, n < 0 ? pieces.length : n)
      if (n >= 0) return { structure: name, field: pieces[n]?.tail.name ?? key, at, size: startOf(a, n + 1) - at }
      return key === 'padding'
        ? { structure: name, field: key, at, size: a.padding.length }
        : rowPlace(name, fixed.rows, key)
    }
  }
}

/** An entry of variable length from its table and its strings. */
export const entry = <A extends Padded & Partial<F>, F>(
  name: string,
  fixed: StructType<F>,
  tails: Tails<A, F>
): EntryType<A, F> => new EntryType(name, fixed, tails)
