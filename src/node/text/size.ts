/** Numbers of bytes as QEMU's tools read them. */
import * as E from 'fp-ts/lib/Either.js'

/** Why a word is no number of bytes. */
export type NoSize = 'not a number' | 'too large'

const suffixes = 'BKMGTPE'

/** A number of bytes, below 2^63: decimal, perhaps with a fraction before a suffix b, k, M, G, T, P or E, or hexadecimal. */
export const exactSizeOf = (text: string): E.Either<NoSize, bigint> => {
  const match = /^\s*\+?(?:(0x[0-9a-f]+)|([0-9]+)(\.[0-9]*)?)([bkmgtpe]?)$/i.exec(text)
  if (match === null) return E.left('not a number')
  const [, hexadecimal, decimal, fraction = '', suffix = ''] = match
  const unit = 1024n ** BigInt(Math.max(0, suffixes.indexOf(suffix.toUpperCase())))
  const part = fraction.length > 1 ? Number(fraction) : 0
  if (unit === 1n && part !== 0) return E.left('not a number')
  const total = BigInt(hexadecimal ?? decimal ?? 0) * unit + BigInt(Math.trunc(part * Number(unit)))
  return total < 2n ** 63n ? E.right(total) : E.left('too large')
}

/** The same as a number, exact below 2^53. */
export const sizeOf = (text: string): E.Either<NoSize, number> => E.map(Number)(exactSizeOf(text))
