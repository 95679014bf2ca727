/**
 * Options of an image by their dotted names, `file.filename` say, as QEMU's tools take them: in a list `name=value,...`, or as
 * an object after `json:`. Both are the same options.
 */
import * as E from 'fp-ts/lib/Either.js'
import { isObject } from '../../bytes/json.js'
import { type CommandError, commandError, either, type Failed, failure, get, reason } from '../command-error.js'
import { optionsOf } from './values.js'

/** A value: a text in a list; any of these in JSON. */
export type Scalar = string | number | boolean | null

/** Values by their dotted names. */
export type DottedOptions = ReadonlyMap<string, Scalar>

/** Most characters of a text with options. */
const maxLength = 2 ** 16

/** Most levels of objects in objects. */
const maxDepth = 64

/** A value as a list has it. */
export const textOf = (value: Scalar): string => String(value)

const isScalar = (u: unknown): u is Scalar =>
  u === null || typeof u === 'string' || typeof u === 'number' || typeof u === 'boolean'

/** The options below a name: those of `file` are named without `file.` before them. */
export const optionsUnder = (options: DottedOptions, name: string): DottedOptions =>
  new Map(
    [...options].flatMap(([key, value]) => (key.startsWith(`${name}.`) ? [[key.slice(name.length + 1), value]] : []))
  )

const keepLength = (text: string): E.Either<CommandError, void> =>
  text.length <= maxLength
    ? E.right(undefined)
    : failure(`Options of ${text.length} characters are too many: at most ${maxLength} are supported`)

const inJson = (why: string): CommandError => commandError(`Could not parse the JSON options: ${why}`)

/** A text in QEMU's JSON, where texts in single quotes are texts too, as JSON. */
const asJson = (text: string): string =>
  text.replaceAll(/"(?:[^"\\]|\\.)*"|'((?:[^'\\]|\\.)*)'/gs, (whole, inner?: string) =>
    inner === undefined
      ? whole
      : `"${inner.replaceAll(/\\.|"/gs, (each) => (each === "\\'" ? "'" : each === '"' ? '\\"' : each))}"`
  )

/** How many members the objects of a JSON text have, those of one name in one object counted one by one. */
const membersOf = (json: string): number =>
  [...json.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/gs)].filter(([, colon]) => colon !== undefined).length

/** The scalars of a JSON value with their dotted names, and how many members its objects have. */
function* flattened(value: unknown, name: string, depth: number, out: Map<string, Scalar>): Generator<Failed, number> {
  if (isScalar(value)) {
    if (out.has(name)) yield* get(E.left(inJson(`duplicate key '${name}'`)))
    out.set(name, value)
    return 0
  }
  if (depth > maxDepth) yield* get(E.left(inJson(`more than ${maxDepth} objects in each other`)))
  const members = isObject(value) ? Object.entries(value) : []
  const items = Array.isArray(value) ? [...value.keys()].map((i) => [`${i}`, value[i]] as const) : []
  let count = members.length
  for (const [key, each] of [...members, ...items])
    count += yield* flattened(each, name === '' ? key : `${name}.${key}`, depth + 1, out)
  return count
}

/** Whether a name is that of an image given by options. */
export const isJsonName = (name: string): boolean => name.startsWith('json:')

/** The options in a name `json:{…}`. */
export const optionsOfJson = either(function* (name: string): Generator<Failed, DottedOptions> {
  yield* get(keepLength(name))
  const json = asJson(name.slice('json:'.length))
  const value = yield* get(
    E.tryCatch(
      (): unknown => JSON.parse(json),
      (error) => inJson(reason(error))
    )
  )
  if (!isObject(value)) return yield* get(failure('Invalid JSON object given'))
  const out = new Map<string, Scalar>()
  const members = yield* flattened(value, '', 0, out)
  if (members < membersOf(json)) yield* get(E.left(inJson('duplicate key')))
  return out
})

/**
 * The options in a list, the last of several with one name.
 *
 * @param implied the name of a value that begins the list without one
 */
export const optionsOfList = (list: string, implied?: string): E.Either<CommandError, DottedOptions> => {
  const isImplied = implied !== undefined && /^[^=,]+(,|$)/.test(list)
  return E.map((): DottedOptions => new Map(optionsOf(isImplied ? `${implied}=${list}` : list)))(keepLength(list))
}
