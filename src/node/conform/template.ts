/** Command lines with places for file names: `qemu-img convert -O raw {image} {out}`. */
import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { type CommandError, failure } from '../command-error.js'

/** A program and its arguments, as words with places. */
export interface Template {
  readonly words: readonly [string, ...string[]]
  /** Whether it writes the disk to a file. Otherwise the disk is what it prints. */
  readonly hasOut: boolean
}

/** The words of a line, in which 'single' and "double" quotes keep a word together; `undefined` where a quote stays open. */
export const quotedWords = (line: string): readonly string[] | undefined => {
  const word = /(?:[^\s'"]|'[^']*'|"[^"]*")+/g
  if (line.replace(word, '').trim() !== '') return undefined
  return (line.match(word) ?? []).map((quoted) => quoted.replace(/'([^']*)'|"([^"]*)"/g, '$1$2'))
}

/** A word, as an absolute path where it has a `.` or a `/` and names a file: the program runs in another folder. */
const fromHere = (word: string): string =>
  /[./]/.test(word) && existsSync(word) && statSync(word).isFile() ? resolve(word) : word

/** The template of a line; with `shell`, one that a shell runs. It names `{image}`. */
export const template = (line: string, shell: boolean): E.Either<CommandError, Template> => {
  if (!line.includes('{image}'))
    return failure(`The command '${line}' has no place for the image: write {image} where its name goes`)
  const words = shell ? (['/bin/sh', '-c', line] as const) : quotedWords(line)
  const [program, ...args] = words ?? []
  return program === undefined
    ? failure(`The command '${line}' has no words, or a quote that stays open`)
    : E.right({ words: [fromHere(program), ...args.map(fromHere)], hasOut: line.includes('{out}') })
}

/** The words with values in their places: `{image}` becomes what `image` is. */
export const fill = (
  { words: [program, ...args] }: Template,
  values: Readonly<Record<string, string>>
): readonly [string, ...string[]] => {
  const put = (word: string): string => word.replace(/\{(\w+)\}/g, (place, name: string) => values[name] ?? place)
  return [put(program), ...args.map(put)]
}
