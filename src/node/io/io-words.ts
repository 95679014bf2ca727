/** The words of a line for qemu-io: options, numbers and patterns, and what it says about wrong ones. */
import * as E from 'fp-ts/lib/Either.js'
import { flow } from 'fp-ts/lib/function.js'
import { decodeWith, integer, sizeWith, type TextCodec } from '../text/values.js'

/** What is wrong with a line: what goes to standard output, and what to standard error. */
export interface Wrong {
  readonly out?: string
  readonly error?: string
}

/** Says it on standard output, as qemu-io says most of it. */
export const wrong = (out: string): E.Either<Wrong, never> => E.left({ out: `${out}\n` })

/** The words of a line. Only spaces part them. */
export const wordsOf = (line: string): readonly string[] => line.split(' ').filter((word) => word !== '')

/** Options and arguments. An option that is given twice has its last value. */
export interface Parsed {
  readonly flags: ReadonlySet<string>
  readonly values: ReadonlyMap<string, string>
  readonly rest: readonly string[]
}

/**
 * Parts options from arguments as getopt does: options may follow arguments, letters may stand together, and `--` ends
 * them. In `allowed` a letter before a colon takes a value.
 */
export const optionsOf = (words: readonly string[], allowed: string): E.Either<string, Parsed> => {
  const flags = new Set<string>()
  const values = new Map<string, string>()
  const rest: string[] = []
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? ''
    if (word === '--') {
      rest.push(...words.slice(i + 1))
      break
    }
    if (!word.startsWith('-') || word === '-') {
      rest.push(word)
      continue
    }
    for (let c = 1; c < word.length; c++) {
      const letter = word.charAt(c)
      const place = letter === ':' ? -1 : allowed.indexOf(letter)
      if (place === -1) return E.left(`invalid option -- '${letter}'`)
      if (allowed.charAt(place + 1) !== ':') {
        flags.add(letter)
        continue
      }
      const value = word.slice(c + 1) === '' ? words[++i] : word.slice(c + 1)
      if (value === undefined) return E.left(`option requires an argument -- '${letter}'`)
      values.set(letter, value)
      break
    }
  }
  return E.right({ flags, values, rest })
}

const onOutput = <A>(codec: TextCodec<A>) =>
  flow(
    decodeWith(codec),
    E.mapLeft((message): Wrong => ({ out: `${message}\n` }))
  )

/** A number of bytes. */
export const bytesOf: (text: string) => E.Either<Wrong, number> = onOutput(
  sizeWith({
    malformed: (text) => `Parsing error: non-numeric argument, or extraneous/unrecognized suffix -- ${text}`,
    tooLarge: (text) => `Parsing error: argument too large -- ${text}`
  })
)

/** A number of milliseconds. */
export const millisecondsOf = onOutput(integer((text) => `${text} is not a valid number`))

const notAPattern = (text: string): string => `${text} is not a valid pattern byte`

/** The value of a byte that is written or compared. */
export const patternOf = (text: string): E.Either<Wrong, number> =>
  E.filterOrElse(
    (byte: number) => byte <= 0xff,
    (): Wrong => ({ out: `${notAPattern(text)}\n` })
  )(onOutput(integer(notAPattern))(text))
