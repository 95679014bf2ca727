/** Option lists: `name=value,...`, in which two commas stand for one. */
import * as E from 'fp-ts/lib/Either.js'

/** The words of a list. */
export const wordsOf = (list: string): readonly string[] =>
  (list.match(/(?:[^,]|,,)+/g) ?? []).map((word) => word.replaceAll(',,', ','))

/** Whether a list can stand between others: commas in front of it, or an odd number behind it, would be theirs. */
const isList = (list: string): boolean => /^[^,]/.test(list) && (/,*$/.exec(list)?.[0].length ?? 0) % 2 === 0

/** The words of lists that stand behind each other; the list that cannot. */
export const wordsOfAll = (lists: readonly string[]): E.Either<string, readonly string[]> => {
  const bad = lists.find((list) => !isList(list))
  return bad === undefined ? E.right(lists.flatMap(wordsOf)) : E.left(`Invalid option list: ${bad}`)
}

/** The name and the value of a word; no value where the name stands alone. */
export const namedValue = (word: string): readonly [name: string, value: string | undefined] => {
  const at = word.indexOf('=')
  return at < 0 ? [word, undefined] : [word.slice(0, at), word.slice(at + 1)]
}
