/** The words of a line: options, numbers and patterns, as qemu-io parses them. */
import * as E from 'fp-ts/lib/Either.js'
import { flow } from 'fp-ts/lib/function.js'
import { digits, inexact, isExactRange } from '../../bytes/exact.js'
import { type CommandError, failure } from '../command-error.js'
import { decodeWith, integer, sizeWith, type TextCodec, where } from '../text/values.js'
import { orOutput, type Parsed } from './line.js'

/** The words of a line, which only spaces separate. */
export const wordsOf = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '')

/** Options and arguments; of an option that is given twice the last value. */
export interface Words {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly operands: readonly string[]
}

/**
 * Parses options as `getopt` does: they may follow operands, letters may be joined, and `--` ends them. A letter before a
 * colon in `optstring` takes a value. Fails with the message of `getopt`.
 */
export const getopt = (words: readonly string[], optstring: string): E.Either<CommandError, Words> => {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const operands: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--') {
      operands.push(...words.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      operands.push(word)
      continue
    }
    for (let c = 1; c < word.length; c++) {
      const letter = word.charAt(c)
      const place = letter === ':' ? -1 : optstring.indexOf(letter)
      if (place === -1) return failure(`invalid option -- '${letter}'`)
      if (optstring.charAt(place + 1) !== ':') {
        flags.add(letter)
        continue
      }
      const value = word.slice(c + 1) === '' ? words[++i] : word.slice(c + 1)
      if (value === undefined) return failure(`option requires an argument -- '${letter}'`)
      values.set(letter, value)
      break
    }
  }
  return E.right({ flags, values, operands })
}

const parseWith = <A>(codec: TextCodec<A>): ((text: string) => Parsed<A>) => flow(decodeWith(codec), orOutput)

/** Parses a number of bytes. */
export const parseSize = parseWith(
  sizeWith({
    malformed: (text) => `Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- ${text}`,
    tooLarge: (text) => `Parsing error: argument too large -- ${text}`
  })
)

/** Fails for a range of bytes that numbers do not hold exactly. */
export const keepExact = (at: number, length: number): Parsed<void> =>
  orOutput(isExactRange(at, length) ? E.right(undefined) : failure(inexact(`${digits(at)} and ${length} bytes`)))

/** Parses a number of milliseconds. */
export const parseMilliseconds = parseWith(integer((text) => `${text} is not a valid number`))

const notAPattern = (text: string): string => `${text} is not a valid pattern byte`

/** Parses the value of a byte that is written, or that a read must find. */
export const parsePattern = (text: string): Parsed<number> =>
  parseWith(where(integer(notAPattern), (byte) => byte <= 0xff, notAPattern(text)))(text)
