/**
 * Values of arguments, options and lines of `io`: codecs from text, as QEMU's tools read them. A text that is no such value
 * fails with the message of its codec.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'
import type { Preallocation } from '../../../spec/disk.js'
import { inexact, isExactRange } from '../../bytes/exact.js'
import { type CommandError, commandError, failure } from '../command-error.js'

/** A codec whose input and output are text. */
export type TextCodec<A> = t.Type<A, string>

const textCodec = <A>(
  name: string,
  is: t.Is<A>,
  parse: (text: string) => E.Either<CommandError, A>,
  encode: (a: A) => string = String
): TextCodec<A> =>
  new t.Type(
    name,
    is,
    (u, context) => {
      if (typeof u !== 'string') return t.failure(u, context)
      const parsed = parse(u)
      return E.isLeft(parsed) ? t.failure(u, context, parsed.left.message) : parsed
    },
    encode
  )

/** The decoded value, or the message of the first error. */
export const decodeWith =
  <A>(codec: t.Decoder<unknown, A>) =>
  (value: unknown): E.Either<CommandError, A> =>
    E.mapLeft((errors: t.Errors) => commandError(errors[0]?.message ?? 'not a text'))(codec.decode(value))

/** One of some words. */
export const oneOf = <W extends string>(
  words: readonly W[],
  message: (given: string) => string
): t.Type<W, unknown> => {
  const isWord = (u: unknown): u is W => words.some((word) => word === u)
  return new t.Type(
    words.join(),
    isWord,
    (u, context) => (isWord(u) ? t.success(u) : t.failure(u, context, message(String(u)))),
    String
  )
}

/** A codec that also demands a rule of what it decodes. */
export const where = <A, O>(codec: t.Type<A, O>, holds: (a: A) => boolean, message: string): t.Type<A, O> =>
  new t.Type(
    codec.name,
    codec.is,
    (u, context) =>
      E.chain((a: A) => (holds(a) ? t.success(a) : t.failure<A>(u, context, message)))(codec.validate(u, context)),
    codec.encode
  )

/** The messages for a text that is no size. */
interface SizeMessages {
  readonly malformed: (text: string) => string
  readonly tooLarge: (text: string) => string
}

const suffixes = 'BKMGTPE'

/**
 * A number of bytes below a limit, as `qemu_strtosz` reads it: decimal, with a fraction only where a suffix k, M, G, T, P or
 * E makes it whole bytes, or hexadecimal; the suffix b is 1 byte. Parts of a byte are cut off.
 */
const sizeBelow = (limit: bigint, { malformed, tooLarge }: SizeMessages): TextCodec<bigint> =>
  textCodec(
    `Size<${limit}>`,
    (u): u is bigint => typeof u === 'bigint' && u >= 0n && u < limit,
    (text) => {
      const match = /^\s*\+?(?:(0x[0-9a-f]+)|([0-9]+)(\.[0-9]*)?)([bkmgtpe]?)$/i.exec(text)
      if (match === null) return failure(malformed(text))
      const [, hexadecimal, decimal, fraction = '', suffix = ''] = match
      const unit = 1024n ** BigInt(Math.max(0, suffixes.indexOf(suffix.toUpperCase())))
      const part = fraction.length > 1 ? Number(fraction) : 0
      if (unit === 1n && part !== 0) return failure(malformed(text))
      const size = BigInt(hexadecimal ?? decimal ?? 0) * unit + BigInt(Math.trunc(part * Number(unit)))
      return size < limit ? E.right(size) : failure(tooLarge(text))
    }
  )

const exactNumber = new t.Type<number, bigint, bigint>(
  'exactNumber',
  t.number.is,
  (size, context) => (isExactRange(size, 0) ? t.success(Number(size)) : t.failure(size, context, inexact(`${size}`))),
  BigInt
)

/** A size below 2^63 as a number, which is exact; the nearest one for a size that no disk has. */
export const sizeWith = (messages: SizeMessages): TextCodec<number> => sizeBelow(2n ** 63n, messages).pipe(exactNumber)

/**
 * A size below 2^63 as an argument, exact to the last digit.
 *
 * @param what names it in messages, such as `image size`
 */
export const exactSize = (what: string): TextCodec<bigint> =>
  sizeBelow(2n ** 63n, {
    malformed: () =>
      `Invalid ${what} specified. You may use k, M, G, T, P or E suffixes for ` +
      'kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.',
    tooLarge: () => `Invalid ${what} specified. Must be between 0 and 9223372036854775807.`
  })

/** The same as a number, which is exact; the nearest one for a size that no disk has. */
export const byteSize = (what: string): TextCodec<number> => exactSize(what).pipe(exactNumber)

/** The size of a guest disk, as a number; fails for one that no number holds exactly. */
export const diskSize = (bytes: bigint): E.Either<CommandError, number> =>
  bytes <= Number.MAX_SAFE_INTEGER
    ? E.right(Number(bytes))
    : failure(`A disk of ${bytes} bytes is too large: at most ${Number.MAX_SAFE_INTEGER} bytes are supported`)

/** A size below 2^64 as the value of the option `name` in a list. */
export const sizeOption = (name: string): TextCodec<bigint> =>
  sizeBelow(2n ** 64n, {
    malformed: () =>
      `Parameter '${name}' expects a non-negative number below 2^64 ` +
      'Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta- and exabytes, respectively.',
    tooLarge: (text) => `Value '${text}' is out of range for parameter '${name}'`
  })

/** A natural number as C's `strtoull` reads it in base 0: decimal, octal after 0, or hexadecimal after 0x. */
export const integer = (message: (text: string) => string): TextCodec<number> =>
  textCodec('integer', t.number.is, (text) => {
    const digits = /^\s*\+?(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)$/i.exec(text)?.[1]
    if (digits === undefined) return failure(message(text))
    return E.right(/^0[0-7]/.test(digits) ? Number.parseInt(digits, 8) : Number(digits))
  })

/** A natural number as the value of the option `name` in a list. */
export const integerOption = (name: string): TextCodec<number> => integer(() => `Parameter '${name}' expects a number`)

/** A number of at least 0 in decimal, perhaps with a fraction, as the value of the option `name`. */
export const decimalOption = (name: string): TextCodec<number> =>
  textCodec('decimal', t.number.is, (text) =>
    /^\d+(\.\d+)?$/.test(text) ? E.right(Number(text)) : failure(`Parameter '${name}' expects a number`)
  )

const states: ReadonlyMap<string, boolean> = new Map([
  ...['on', 'yes', 'true', 'y'].map((text) => [text, true] as const),
  ...['off', 'no', 'false', 'n'].map((text) => [text, false] as const)
])

/** The value of the option `name` in a list, which is on or off; yes, true and y are on, and no, false and n are off. */
export const onOff = (name: string): TextCodec<boolean> =>
  textCodec(
    'onOff',
    t.boolean.is,
    (text) => E.fromNullable(commandError(`Parameter '${name}' expects 'on' or 'off'`))(states.get(text)),
    (on) => (on ? 'on' : 'off')
  )

/** How to allocate before anything is written. */
export const preallocations = ['off', 'metadata', 'falloc', 'full'] as const

/** Whether a word is a way to allocate before anything is written. */
export const isPreallocation = (word: string): word is Preallocation => preallocations.some((mode) => mode === word)

/** How a host file is cached. */
export const caches = ['none', 'writeback', 'writethrough', 'unsafe', 'directsync', 'off'] as const

/** Whether each write is durable before the next under such a cache. */
export const writesThrough = (mode: string): boolean => mode === 'writethrough' || mode === 'directsync'

/** What becomes of discards. */
export const discards = ['ignore', 'off', 'unmap', 'on'] as const

/** How a host file is read and written. */
export const aios = ['threads', 'native', 'io_uring'] as const

/** The name and the value of an option in a list: `name=value,...`, in which two commas are one comma of a value. */
export type NamedValue = readonly [name: string, value: string]

const wordsOf = (list: string): readonly string[] =>
  (list.match(/(?:[^,]|,,)+/g) ?? []).map((word) => word.replaceAll(',,', ','))

/** A name without a value is on, and off with `no` before it. */
const namedValue = (word: string): NamedValue => {
  const at = word.indexOf('=')
  if (at >= 0) return [word.slice(0, at), word.slice(at + 1)]
  return word.startsWith('no') ? [word.slice(2), 'off'] : [word, 'on']
}

/** The options of a list, in order. */
export const optionsOf = (list: string): readonly NamedValue[] => wordsOf(list).map(namedValue)

/** Whether a list may be joined with others: a comma before it, or an odd number after it, would merge with theirs. */
const isList = (list: string): boolean => /^[^,]/.test(list) && (/,*$/.exec(list)?.[0].length ?? 0) % 2 === 0

/** The options of several lists, in order; a failure for a list that is malformed. */
export const optionsOfAll = (lists: readonly string[]): E.Either<CommandError, readonly NamedValue[]> => {
  const malformed = lists.find((list) => !isList(list))
  return malformed === undefined ? E.right(lists.flatMap(optionsOf)) : failure(`Invalid option list: ${malformed}`)
}

/** Whether the lists ask for help, with `help` or `?`. */
export const asksForHelp = (lists: readonly string[]): boolean =>
  lists.every(isList) && lists.flatMap(wordsOf).some((word) => word === 'help' || word === '?')
