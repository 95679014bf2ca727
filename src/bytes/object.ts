/** Values of named rows, whose types only their tables know, and their JSON form. */
import * as E from 'fp-ts/lib/Either.js'
import {
  inside,
  isObject,
  type Json,
  type JsonCodec,
  type JsonObject,
  type JsonType,
  jsonType,
  readJson,
  misfit
} from './json.js'

/** A row: its key in the value, its name in the JSON. */
export interface JsonRow {
  readonly key: string
  readonly name: string
  readonly json: JsonCodec<unknown>
  /** The value of an absent row; without it the row must be there. */
  readonly absent?: unknown
  /** Whether the row may be missing from the value altogether. */
  readonly optional?: boolean
}

/** Reads a value by name from a value whose type is known only to a table. */
export const valueAt = (a: unknown, key: string): unknown => (isObject(a) ? a[key] : undefined)

/** A value on its way, made by a table, which alone knows its keys. */
export class Draft<A> {
  private readonly value: Record<string, unknown> = {}

  set(key: string, value: unknown): void {
    this.value[key] = value
  }

  /** The value, once every key is set: the table that set them answers for the type. */
  done(): A
  done(): unknown {
    return this.value
  }
}

/** The rows of a JSON object, beside what it does not hold. */
const read = (
  name: string,
  rows: readonly JsonRow[],
  u: unknown,
  add: Readonly<Record<string, unknown>>
): E.Either<string, unknown> => {
  if (!isObject(u)) return E.left(misfit(u, 'is not an object'))
  const stray = Object.keys(u).find((k) => !rows.some((r) => r.name === k))
  if (stray !== undefined) return E.left(`${name} has no field ${stray}`)
  const out: Record<string, unknown> = { ...add }
  for (const r of rows) {
    if (u[r.name] === undefined && r.absent !== undefined) out[r.key] = r.absent
    else if (u[r.name] !== undefined || r.optional !== true) {
      const v = inside(r.name)(readJson(r.json)(u[r.name]))
      if (E.isLeft(v)) return v
      out[r.key] = v.right
    }
  }
  return E.right(out)
}

const fitting = <A>(name: string, is: (u: unknown) => u is A) =>
  E.filterOrElse(is, () => `the fields of the ${name} do not fit together`)

const sameAsAbsent = (v: unknown, absent: unknown): boolean =>
  v instanceof Uint8Array && absent instanceof Uint8Array ? v.length === 0 && absent.length === 0 : v === absent

const write = (rows: readonly JsonRow[], a: unknown): JsonObject => {
  const out: Record<string, Json> = {}
  for (const r of rows) {
    const v = valueAt(a, r.key)
    if (v !== undefined && (r.absent === undefined || !sameAsAbsent(v, r.absent))) out[r.name] = r.json.encode(v)
  }
  return out
}

/**
 * The JSON codec of a value with these rows. A key that no row names is refused, so that a slip in an edited dump shows;
 * so is an object whose rows do not fit together, by `is`. `add` gives what the JSON does not hold.
 */
export const objectJson = <A>(
  name: string,
  rows: readonly JsonRow[],
  is: (u: unknown) => u is A,
  add: Readonly<Record<string, unknown>> = {}
): JsonType<A> =>
  jsonType(
    name,
    is,
    (u) => fitting(name, is)(read(name, rows, u, add)),
    (a) => write(rows, a)
  )

/** A variant of a tagged union: its tag in the value, its name in the JSON, and its rows. */
export interface JsonVariant {
  readonly tag: string
  readonly name: string
  readonly rows: readonly JsonRow[]
}

/** The JSON codec of a union distinguished by `_tag`; `label` names the tag in the JSON. */
export const taggedJson = <A>(
  name: string,
  label: string,
  variants: readonly JsonVariant[],
  is: (u: unknown) => u is A
): JsonType<A> =>
  jsonType(
    name,
    is,
    (u) => {
      const { [label]: tag, ...rest } = isObject(u) ? u : {}
      const variant = variants.find((v) => v.name === tag)
      if (variant === undefined)
        return E.left(`${label}: ${misfit(tag, `is none of ${variants.map((v) => v.name).join(', ')}`)}`)
      return fitting(variant.name, is)(read(variant.name, variant.rows, rest, { _tag: variant.tag }))
    },
    (a) => {
      const variant = variants.find((v) => v.tag === valueAt(a, '_tag'))
      return { [label]: variant?.name ?? '', ...write(variant?.rows ?? [], a) }
    }
  )
