/** Options of `--image-opts` and of `open -o`: which file is meant, and as what. */
import * as E from 'fp-ts/lib/Either.js'
import { flow } from 'fp-ts/lib/function.js'
import { discards } from './modes.js'
import { optionsOf } from './option-list.js'
import { decodeWith, integerOption, onOff, sizeOption } from './values.js'

/** A file that is to be opened. */
export interface OpenRequest {
  readonly name: string
  readonly format: 'qcow2' | 'raw'
  readonly readOnly: boolean
}

/** Options that are accepted for compatibility and ignored: how QEMU caches, locks and names. */
const ignored =
  /^((file\.|backing\.)?node-name|discard|detect-zeroes|auto-read-only|force-share|lazy-refcounts|overlap-check(\..+)?|pass-discard-.+|cache\..+|(l2-|refcount-)?cache-(size|entry-size|clean-interval)|file\.(locking|aio|discard|cache\..+))$/

/** An option with one of some words. */
const oneOf = (words: readonly string[]) => (name: string) => (value: string) =>
  words.includes(value) ? E.right(value) : E.left(`Parameter '${name}' does not accept value '${value}'`)

/** The parsers of the values of ignored options, by patterns of their names. */
const ignoredValues: readonly (readonly [
  names: RegExp,
  parse: (name: string) => (value: string) => E.Either<string, unknown>
])[] = [
  [
    /^(auto-read-only|force-share|lazy-refcounts|pass-discard-.+|cache\..+|overlap-check\.(?!template$).+)$/,
    (name) => decodeWith(onOff(name))
  ],
  [/cache-size$/, (name) => decodeWith(sizeOption(name))],
  [
    /cache-entry-size$/,
    (name) =>
      flow(
        decodeWith(sizeOption(name)),
        E.filterOrElse(
          (size) => size >= 512n && Number.isInteger(Math.log2(Number(size))),
          () => `Parameter '${name}' must be a power of two from 512`
        )
      )
  ],
  [
    /^cache-clean-interval$/,
    (name) =>
      flow(
        decodeWith(integerOption(name)),
        E.filterOrElse(
          (seconds) => seconds < 2 ** 32,
          () => 'Cache clean interval too big'
        )
      )
  ],
  [/^discard$/, oneOf(discards)],
  [/^detect-zeroes$/, oneOf(['off', 'on', 'unmap'])],
  [/^overlap-check(\.template)?$/, oneOf(['none', 'constant', 'cached', 'all'])]
]

const parserOf = (name: string): ((value: string) => E.Either<string, unknown>) =>
  ignoredValues.find(([names]) => names.test(name))?.[1](name) ?? E.right

const formats = ['qcow2', 'raw'] as const

const one = (name: string, value: string): E.Either<string, Partial<OpenRequest>> => {
  const format = formats.find((f) => f === value)
  switch (name) {
    case 'driver':
    case 'format':
      return format === undefined ? E.left(`Unknown driver '${value}'`) : E.right({ format })
    case 'file.driver':
      return value === 'file' ? E.right({}) : E.left(`Unknown driver '${value}'`)
    case 'file.filename':
    case 'filename':
    case 'file':
      return E.right({ name: value })
    case 'read-only':
      return E.map((readOnly: boolean) => ({ readOnly }))(decodeWith(onOff(name))(value))
    default:
      if (!ignored.test(name)) return E.left(`Parameter '${name}' is not known`)
      return E.map(() => ({}))(parserOf(name)(value))
  }
}

/** Why options that are valid by themselves exclude each other. */
const conflict = (values: ReadonlyMap<string, string>): string | undefined => {
  const size = (name: string): bigint | undefined =>
    E.getOrElse<string, bigint | undefined>(() => undefined)(decodeWith(sizeOption(name))(values.get(name)))
  const [whole, l2, refcount] = ['cache-size', 'l2-cache-size', 'refcount-cache-size'].map(size)
  if (whole !== undefined) {
    if (l2 !== undefined && refcount !== undefined)
      return 'cache-size, l2-cache-size and refcount-cache-size may not be set at the same time'
    if ((l2 ?? 0n) > whole) return 'l2-cache-size may not exceed cache-size'
    if ((refcount ?? 0n) > whole) return 'refcount-cache-size may not exceed cache-size'
  }
  const [check, template] = [values.get('overlap-check'), values.get('overlap-check.template')]
  return check === undefined || template === undefined || check === template
    ? undefined
    : `Conflicting values for qcow2 options 'overlap-check' ('${check}') and 'overlap-check.template' ('${template}')`
}

/** The file that a list of options names; the message for a list that does not. */
export const imageOptsOf = (text: string): E.Either<string, Partial<OpenRequest>> => {
  const given = optionsOf(text)
  let request: Partial<OpenRequest> = {}
  for (const [name, value] of given) {
    const more = one(name, value)
    if (E.isLeft(more)) return more
    request = { ...request, ...more.right }
  }
  const why = conflict(new Map(given))
  return why === undefined ? E.right(request) : E.left(why)
}
