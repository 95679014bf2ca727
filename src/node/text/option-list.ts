/** Option lists: `name=value,...`, in which two commas are one comma of a value. */
import * as E from 'fp-ts/lib/Either.js'

/** The name and the value of an option. */
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

/** The options of several lists, in order; the message for a list that is malformed. */
export const optionsOfAll = (lists: readonly string[]): E.Either<string, readonly NamedValue[]> => {
  const malformed = lists.find((list) => !isList(list))
  return malformed === undefined ? E.right(lists.flatMap(optionsOf)) : E.left(`Invalid option list: ${malformed}`)
}

/** Whether the lists ask for help, with `help` or `?`. */
export const asksForHelp = (lists: readonly string[]): boolean =>
  lists.every(isList) && lists.flatMap(wordsOf).some((word) => word === 'help' || word === '?')
