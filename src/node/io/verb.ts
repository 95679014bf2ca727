/** The commands of lines, as qemu-io declares them. */
import * as E from 'fp-ts/lib/Either.js'
import { failedWith, type Line, type Parsed } from './line.js'
import { getopt, type Words } from './words.js'

/** A command of lines: its names, how many arguments it takes, and its parser. */
export interface Verb {
  readonly name: string
  readonly alias?: string
  /** Fewest and most arguments. */
  readonly least: number
  readonly most?: number
  readonly usage: string
  readonly about: string
  /** What must be open for it; any file unless given. */
  readonly needs?: 'nothing' | 'writing'
  readonly parse: (args: readonly string[], verb: Verb) => Parsed<Line>
}

/** A command that takes no arguments. */
export const plain = (name: string, alias: string | undefined, line: Line, about: string): Verb => ({
  name,
  ...(alias === undefined ? {} : { alias }),
  least: 0,
  most: 0,
  usage: '',
  about,
  parse: () => E.right(line)
})

/** How many arguments a command takes. */
export const argumentCount = ({ least, most }: Verb): string => {
  if (most === undefined) return `at least ${least} arguments`
  return least === most ? `${least} arguments` : `between ${least} and ${most} arguments`
}

/** The line with which qemu-io describes a command. */
export const usageLine = ({ name, usage, about }: Verb): string =>
  `${name} ${usage}${usage === '' ? '' : ' '}-- ${about}`

/** The options and operands of a command; the outcome of others is its description, and the message of `getopt`. */
export const parseWords = (args: readonly string[], optstring: string, verb: Verb): Parsed<Words> =>
  E.mapLeft((message: string) => failedWith(`${verb.name}: ${message}`, `${usageLine(verb)}\n`))(
    getopt(args, optstring)
  )
