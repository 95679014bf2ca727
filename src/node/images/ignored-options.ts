/** Options of images that are accepted for compatibility and ignored: their names, and the codecs of their values. */
import type * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { CommandError } from '../command-error.js'
import { type Scalar, textOf } from '../text/dotted-options.js'
import { decodeWith, integerOption, oneOf, onOff, sizeOption, where } from '../text/values.js'

/** How QEMU caches and names. */
const ofAll = /^(node-name|auto-read-only|cache\..+)$/

const ofDriver = {
  /** How QEMU caches tables and frees clusters of the host file; every write is checked for overlaps here. */
  qcow2: /^(overlap-check(\..+)?|pass-discard-.+|(l2-|refcount-)?cache-(size|entry-size|clean-interval))$/,
  raw: undefined,
  /** How QEMU calls the system. */
  file: /^(aio|aio-max-batch|drop-cache|x-check-cache-dropped|discard|detect-zeroes)$/,
  host_device: /^(aio|aio-max-batch|drop-cache|x-check-cache-dropped|discard|detect-zeroes)$/,
  http: /^(readahead|discard|detect-zeroes)$/,
  https: /^(readahead|discard|detect-zeroes)$/
} as const satisfies Readonly<Record<string, RegExp | undefined>>

/** A driver whose options are known. */
export type Driver = keyof typeof ofDriver

/** Whether a word is the name of a driver whose options are known. */
export const isDriver = (word: string): word is Driver => Object.hasOwn(ofDriver, word)

/** Whether an option of a driver is ignored. */
export const isIgnored = (driver: Driver, name: string): boolean =>
  ofAll.test(name) || ofDriver[driver]?.test(name) === true

/** One of the words of the option `name`. */
export const amongWords = <const W extends string>(name: string, words: readonly W[]) =>
  oneOf(words, (given) => `Parameter '${name}' does not accept value '${given}'`)

/** The codecs of their values, by patterns of their names; the first that fits holds. */
const ignoredValues: readonly (readonly [names: RegExp, codec: (name: string) => t.Decoder<unknown, unknown>])[] = [
  [/^(auto-read-only|pass-discard-.+|cache\..+|overlap-check\.(?!template$).+|drop-cache)$/, onOff],
  [/cache-size$/, sizeOption],
  [
    /cache-entry-size$/,
    (name) =>
      where(
        sizeOption(name),
        (size) => size >= 512n && (size & (size - 1n)) === 0n,
        `Parameter '${name}' must be a power of two from 512`
      )
  ],
  [
    /^cache-clean-interval$/,
    (name) => where(integerOption(name), (seconds) => seconds < 2 ** 32, 'Cache clean interval too big')
  ],
  [/^overlap-check(\.template)?$/, (name) => amongWords(name, ['none', 'constant', 'cached', 'all'])]
]

const codecOf = (name: string): t.Decoder<unknown, unknown> =>
  ignoredValues.find(([names]) => names.test(name))?.[1](name) ?? t.unknown

/** Fails where the value of an ignored option is not one that QEMU takes. */
export const keepIgnored = (name: string, value: Scalar): E.Either<CommandError, unknown> =>
  decodeWith(codecOf(name))(textOf(value))
