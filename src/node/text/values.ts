/**
 * Values of arguments, options and lines of `io`: codecs from text, as QEMU's tools read them. A text that is no such value
 * fails with the message of its codec.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as t from 'io-ts'

/** A codec whose input and output are text. */
export type TextCodec<A> = t.Type<A, string>

const textCodec = <A>(
  name: string,
  is: t.Is<A>,
  parse: (text: string) => E.Either<string, A>,
  encode: (a: A) => string = String
): TextCodec<A> =>
  new t.Type(
    name,
    is,
    (u, context) => {
      if (typeof u !== 'string') return t.failure(u, context)
      const parsed = parse(u)
      return E.isLeft(parsed) ? t.failure(u, context, parsed.left) : parsed
    },
    encode
  )

/** The decoded value, or the message of the first error. */
export const decodeWith =
  <A>(codec: t.Decoder<unknown, A>) =>
  (value: unknown): E.Either<string, A> =>
    E.mapLeft((errors: t.Errors) => errors[0]?.message ?? 'not a text')(codec.decode(value))

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
      if (match === null) return E.left(malformed(text))
      const [, hexadecimal, decimal, fraction = '', suffix = ''] = match
      const unit = 1024n ** BigInt(Math.max(0, suffixes.indexOf(suffix.toUpperCase())))
      const part = fraction.length > 1 ? Number(fraction) : 0
      if (unit === 1n && part !== 0) return E.left(malformed(text))
      const size = BigInt(hexadecimal ?? decimal ?? 0) * unit + BigInt(Math.trunc(part * Number(unit)))
      return size < limit ? E.right(size) : E.left(tooLarge(text))
    }
  )

const nearestNumber = new t.Type<number, bigint, bigint>(
  'nearestNumber',
  t.number.is,
  (size) => t.success(Number(size)),
  BigInt
)

/** A size below 2^63 as a number, which is exact below 2^53. */
export const sizeWith = (messages: SizeMessages): TextCodec<number> =>
  sizeBelow(2n ** 63n, messages).pipe(nearestNumber)

/**
 * A size below 2^63 as an argument, or as the value of an option of the command line.
 *
 * @param what names it in messages, such as `image size`
 */
export const byteSize = (what: string): TextCodec<number> =>
  sizeWith({
    malformed: () =>
      `Invalid ${what} specified. You may use k, M, G, T, P or E suffixes for ` +
      'kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.',
    tooLarge: () => `Invalid ${what} specified. Must be between 0 and 9223372036854775807.`
  })

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
    if (digits === undefined) return E.left(message(text))
    return E.right(/^0[0-7]/.test(digits) ? Number.parseInt(digits, 8) : Number(digits))
  })

/** A natural number as the value of the option `name` in a list. */
export const integerOption = (name: string): TextCodec<number> => integer(() => `Parameter '${name}' expects a number`)

const states: ReadonlyMap<string, boolean> = new Map([
  ...['on', 'yes', 'true', 'y'].map((text) => [text, true] as const),
  ...['off', 'no', 'false', 'n'].map((text) => [text, false] as const)
])

/** The value of the option `name` in a list, which is on or off; yes, true and y are on, and no, false and n are off. */
export const onOff = (name: string): TextCodec<boolean> =>
  textCodec(
    'onOff',
    t.boolean.is,
    (text) => E.fromNullable(`Parameter '${name}' expects 'on' or 'off'`)(states.get(text)),
    (on) => (on ? 'on' : 'off')
  )
