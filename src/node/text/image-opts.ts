/** Options of `--image-opts` and of `open -o`: which file is meant, and as what. */
import * as E from 'fp-ts/lib/Either.js'
import { discards } from './modes.js'
import { namedValue, wordsOf } from './option-list.js'
import { sizeOf } from './size.js'

/** A file that is to be opened. */
export interface Wanted {
  readonly name: string
  readonly format: 'qcow2' | 'raw'
  readonly readOnly: boolean
}

/** Options of which nothing comes here: how QEMU caches, locks and names. */
const idle =
  /^((file\.|backing\.)?node-name|discard|detect-zeroes|auto-read-only|force-share|lazy-refcounts|overlap-check(\..+)?|pass-discard-.+|cache\..+|(l2-|refcount-)?cache-(size|entry-size|clean-interval)|file\.(locking|aio|discard|cache\..+))$/

/** Those that are on or off, those that are numbers of bytes, and those that are one of some words. */
const kinds: readonly (readonly [names: RegExp, fits: (value: string) => boolean])[] = [
  [
    /^(auto-read-only|force-share|lazy-refcounts|pass-discard-.+|cache\..+|overlap-check\.(?!template$).+)$/,
    (value) => value === 'on' || value === 'off'
  ],
  [/cache-size$/, (value) => E.isRight(sizeOf(value))],
  [/cache-entry-size$/, (value) => E.exists((n: number) => n >= 512 && Number.isInteger(Math.log2(n)))(sizeOf(value))],
  [/^cache-clean-interval$/, (value) => /^[0-9]+$/.test(value) && Number(value) < 2 ** 32],
  [/^discard$/, (value) => discards.some((word) => word === value)],
  [/^detect-zeroes$/, (value) => ['off', 'on', 'unmap'].includes(value)],
  [/^overlap-check(\.template)?$/, (value) => ['none', 'constant', 'cached', 'all'].includes(value)]
]

const formats = ['qcow2', 'raw'] as const

const one = (name: string, value: string): E.Either<string, Partial<Wanted>> => {
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
      return value === 'on' || value === 'off'
        ? E.right({ readOnly: value === 'on' })
        : E.left(`Parameter 'read-only' expects 'on' or 'off'`)
    default:
      if (!idle.test(name)) return E.left(`Parameter '${name}' is not known`)
      return kinds.every(([names, fits]) => !names.test(name) || fits(value))
        ? E.right({})
        : E.left(`Parameter '${name}' does not accept '${value}'`)
  }
}

/** What speaks against options that are each right. */
const conflict = (values: ReadonlyMap<string, string>): string | undefined => {
  const size = (name: string): number | undefined => {
    const value = values.get(name)
    return value === undefined ? undefined : E.getOrElse(() => 0)(sizeOf(value))
  }
  const [whole, l2, refcount] = ['cache-size', 'l2-cache-size', 'refcount-cache-size'].map(size)
  if (whole !== undefined) {
    if (l2 !== undefined && refcount !== undefined)
      return 'cache-size, l2-cache-size and refcount-cache-size may not be set at the same time'
    if ((l2 ?? 0) > whole) return 'l2-cache-size may not exceed cache-size'
    if ((refcount ?? 0) > whole) return 'refcount-cache-size may not exceed cache-size'
  }
  const [check, template] = [values.get('overlap-check'), values.get('overlap-check.template')]
  return check === undefined || template === undefined || check === template
    ? undefined
    : `Conflicting values for qcow2 options 'overlap-check' ('${check}') and 'overlap-check.template' ('${template}')`
}

/** What a list of options says of a file. */
export const imageOptsOf = (text: string): E.Either<string, Partial<Wanted>> => {
  const given = wordsOf(text)
    .map(namedValue)
    .map(([name, value = 'on']) => [name, value] as const)
  const wanted = given.reduce<E.Either<string, Partial<Wanted>>>(
    (before, [name, value]) =>
      E.chain((known: Partial<Wanted>) => E.map((more: Partial<Wanted>) => ({ ...known, ...more }))(one(name, value)))(
        before
      ),
    E.right({})
  )
  const wrong = E.isRight(wanted) ? conflict(new Map(given)) : undefined
  return wrong === undefined ? wanted : E.left(wrong)
}
