/** Options of `--image-opts` and of `open -o`: which file is meant, and as what. */
import * as E from 'fp-ts/lib/Either.js'
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
  [/^cache-clean-interval$/, (value) => /^[0-9]+$/.test(value)],
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

/** What a list of options says of a file. */
export const imageOptsOf = (text: string): E.Either<string, Partial<Wanted>> =>
  wordsOf(text)
    .map(namedValue)
    .reduce<E.Either<string, Partial<Wanted>>>(
      (before, [name, value = 'on']) =>
        E.chain((known: Partial<Wanted>) =>
          E.map((more: Partial<Wanted>) => ({ ...known, ...more }))(one(name, value))
        )(before),
      E.right({})
    )
