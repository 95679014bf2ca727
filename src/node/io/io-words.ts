/** The words of a line for qemu-io: options, numbers and patterns, and what it says about wrong ones. */
import * as E from 'fp-ts/lib/Either.js'
import { sizeOf } from '../text/size.js'

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

/** A number of bytes. */
export const bytesOf = (text: string): E.Either<Wrong, number> => {
  const size = sizeOf(text)
  if (E.isRight(size)) return size
  const why =
    size.left === 'too large' ? 'argument too large' : 'non-numeric argument, or extraneous/unrecognized suffix'
  return wrong(`Parsing error: ${why} -- ${text}`)
}

/** A number as C reads it: decimal, octal or hexadecimal. */
export const integerOf = (text: string): number | undefined => {
  if (/^\+?0[0-7]*$/.test(text)) return Number.parseInt(text, 8)
  return /^\+?(0x[0-9a-f]+|[1-9][0-9]*)$/i.test(text) ? Number(text.replace('+', '')) : undefined
}

/** The value of a byte that is written or looked for. */
export const patternOf = (text: string): E.Either<Wrong, number> => {
  const value = integerOf(text)
  return value === undefined || value > 0xff ? wrong(`${text} is not a valid pattern byte`) : E.right(value)
}
