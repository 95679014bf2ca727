/** The JSON of values: numbers a double holds as numbers, larger ones as decimal strings, bytes as text or hexadecimal. */
import * as E from 'fp-ts/lib/Either.js'
import type * as t from 'io-ts'
import { concat, empty, fromHex, fromText, toHex, toText } from './octets.js'
import { Type } from './type.js'

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** A JSON object. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** A codec between a value and its JSON. Law: `decode(encode(a))` is `a`. */
export type JsonType<A> = Type<A, Json>

/** What a table asks of a JSON codec; methods, so that one table holds rows of different types. */
export interface JsonCodec<A> {
  readonly name: string
  is(u: unknown): u is A
  decode(u: unknown): E.Either<t.Errors, A>
  encode(a: A): Json
}

/** A JSON codec from a reading that may fail with a reason, and a writing that does not. */
export const jsonType = <A>(
  name: string,
  is: (u: unknown) => u is A,
  read: (u: unknown) => E.Either<string, A>,
  write: (a: A) => Json
): JsonType<A> =>
  new Type<A, Json>(
    name,
    is,
    (value, context) => {
      const a = read(value)
      return E.isRight(a) ? a : E.left([{ value, context, message: [...pathOf(context), a.left].join(': ') }])
    },
    write
  )

const pathOf = (context: t.Context): readonly string[] => context.map((e) => e.key).filter((k) => k !== '')

/** Reads JSON with the reason for a refusal in words: `refcount_order: "x" is not u32, …`. */
export const readJson =
  <A>(type: JsonCodec<A>) =>
  (u: unknown): E.Either<string, A> =>
    E.mapLeft((errors: t.Errors) => errors[0]?.message ?? misfit(u, `is not ${type.name}`))(type.decode(u))

/** A reason found inside a part of a value, with the part's name in front. */
export const inside =
  (name: string) =>
  <A>(result: E.Either<string, A>): E.Either<string, A> =>
    E.mapLeft((reason: string) => `${name}: ${reason}`)(result)

/** A JSON object, not an array and not null. */
export const isObject = (u: unknown): u is Readonly<Record<string, unknown>> =>
  typeof u === 'object' && u !== null && !Array.isArray(u)

/** A JSON list. */
export const isList = (u: unknown): u is readonly unknown[] => Array.isArray(u)

/** Whether a JSON value is an object. */
export const isJsonObject = (json: Json | undefined): json is JsonObject => isObject(json)

/** Whether a JSON value is a list. */
export const isJsonList = (json: Json | undefined): json is readonly Json[] => Array.isArray(json)

/** Why a JSON value does not fit: it is missing, or the value, cut to 60 characters, and what is `wrong` with it. */
export const misfit = (u: unknown, wrong: string): string => {
  const text: unknown = JSON.stringify(u, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v))
  if (typeof text !== 'string') return 'missing'
  return `${text.length > 60 ? `${text.slice(0, 57)}...` : text} ${wrong}`
}

/** A number as JSON: itself while a double holds it exactly, a decimal string beyond. */
export const integerToJson = (a: bigint | number): number | string =>
  typeof a === 'number' || (a <= Number.MAX_SAFE_INTEGER && a >= Number.MIN_SAFE_INTEGER) ? Number(a) : a.toString()

const integerOf = (u: unknown): bigint | undefined =>
  typeof u === 'number' && Number.isSafeInteger(u)
    ? BigInt(u)
    : typeof u === 'string' && /^-?[0-9]{1,40}$/.test(u)
      ? BigInt(u)
      : undefined

const ranged = (name: string, min: bigint, max: bigint) => (u: unknown) => {
  const n = integerOf(u)
  return n !== undefined && n >= min && n <= max
    ? E.right(n)
    : E.left(misfit(u, `is not ${name}, a whole number from ${min} to ${max}`))
}

/** An unsigned number of at most 53 bits. */
export const smallJson = (name: string, max: number): JsonType<number> => {
  const read = ranged(name, 0n, BigInt(max))
  return jsonType(
    name,
    (u): u is number => typeof u === 'number' && Number.isSafeInteger(u) && u >= 0 && u <= max,
    (u) => E.map(Number)(read(u)),
    integerToJson
  )
}

/** An unsigned number of at most 64 bits. */
export const bigJson = (name: string, max: bigint): JsonType<bigint> =>
  jsonType(name, (u): u is bigint => typeof u === 'bigint' && u >= 0n && u <= max, ranged(name, 0n, max), integerToJson)

/** `true` or `false`. */
export const flagJson: JsonType<boolean> = jsonType(
  'flag',
  (u): u is boolean => typeof u === 'boolean',
  (u) => (typeof u === 'boolean' ? E.right(u) : E.left(misfit(u, 'is neither true nor false'))),
  (a) => a
)

/** A list of any items; each that does not read is named by its index. */
export const itemsJson = <A>(item: JsonType<A>): JsonType<readonly A[]> =>
  new Type<readonly A[], Json>(
    `ReadonlyArray<${item.name}>`,
    (u): u is readonly A[] => isList(u) && u.every((a) => item.is(a)),
    (value, context) => {
      if (!isList(value)) return E.left([{ value, context }])
      const items: A[] = []
      const errors: t.Errors = []
      value.forEach((actual, i) => {
        const a = item.validate(actual, [...context, { key: String(i), type: item, actual }])
        if (E.isRight(a)) items.push(a.right)
        else errors.push(...a.left)
      })
      return errors.length > 0 ? E.left(errors) : E.right(items)
    },
    (items) => items.map((a) => item.encode(a))
  )

/** A list whose items fit together. */
export const listJson = <A>(
  name: string,
  item: JsonType<A>,
  fits: (items: readonly A[]) => boolean
): JsonType<readonly A[]> => {
  const items = itemsJson(item)
  return jsonType(
    name,
    (u): u is readonly A[] => items.is(u) && fits(u),
    (u) => E.filterOrElse(fits, () => `the items of the ${name} do not fit together`)(readJson(items)(u)),
    (a) => items.encode(a)
  )
}

/** Most zeros a JSON value may ask for; longer runs of zeros belong to regions of a dump. */
const maxZeros = 2 ** 26

const headOf = (u: Readonly<Record<string, unknown>>): Uint8Array | undefined => {
  const { text, hex } = { text: u['text'], hex: u['hex'] }
  if (text === undefined && hex === undefined) return empty
  if (typeof text === 'string' && hex === undefined) return fromText(text)
  return typeof hex === 'string' && text === undefined ? fromHex(hex) : undefined
}

const bytesOf = (u: unknown): Uint8Array | undefined => {
  if (typeof u === 'string') return fromText(u)
  if (!isObject(u) || Object.keys(u).some((k) => k !== 'text' && k !== 'hex' && k !== 'zeros')) return undefined
  const head = headOf(u)
  const zeros = u['zeros'] ?? 0
  if (typeof zeros !== 'number' || !Number.isInteger(zeros) || zeros < 0 || zeros > maxZeros) return undefined
  return head === undefined ? undefined : concat([head, new Uint8Array(zeros)])
}

/**
 * Bytes: a string when they are UTF-8 text without NUL, `{ "hex": "…" }` when not; zeros at the end are counted:
 * `{ "text": "…", "zeros": 3 }`. Reading takes any of these.
 */
export const octetsJson = (name: string, fits: (length: number) => boolean): JsonType<Uint8Array> =>
  jsonType(
    name,
    (u): u is Uint8Array => u instanceof Uint8Array && fits(u.length),
    (u) => {
      const bytes = bytesOf(u)
      if (bytes === undefined) return E.left(misfit(u, 'is neither a string nor {"text" or "hex": "…", "zeros": n}'))
      return fits(bytes.length) ? E.right(bytes) : E.left(`${bytes.length} bytes are not ${name}`)
    },
    (a) => {
      const length = a.findLastIndex((b) => b !== 0) + 1
      const head = a.subarray(0, length)
      const text = head.includes(0) ? undefined : toText(head)
      if (length === a.length && text !== undefined) return text
      const kept = length === 0 ? {} : text === undefined ? { hex: toHex(head) } : { text }
      return length === a.length ? kept : { ...kept, zeros: a.length - length }
    }
  )

/** Bytes of any length. */
export const anyOctetsJson = octetsJson('bytes', () => true)
