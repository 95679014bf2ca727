/** Lists of items of varying length, one behind the other. */
import * as E from 'fp-ts/lib/Either.js'

/** An item and where the next one starts. */
export interface Step<A> {
  readonly value: A
  /** Byte offset behind the item, past the start of it. */
  readonly next: number
}

/**
 * Reads items from `at` on until `more` says that there are none. Every step moves forward, so that the walk ends.
 * The first failure is the result.
 */
export const walk = <Err, A>(
  at: number,
  more: (at: number, index: number) => boolean,
  read: (at: number, index: number) => E.Either<Err, Step<A>>
): E.Either<Err, Step<readonly A[]>> => {
  const value: A[] = []
  let here = at
  while (more(here, value.length)) {
    const item = read(here, value.length)
    if (E.isLeft(item)) return item
    value.push(item.right.value)
    here = item.right.next
  }
  return E.right({ value, next: here })
}

/** Where each item starts, given the length of each. */
export const startsOf = (sizes: readonly number[]): readonly number[] => {
  let at = 0
  return sizes.map((size) => {
    const start = at
    at += size
    return start
  })
}

/** Sum of the numbers. */
export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** Positions of the keys that stand earlier in the list too. */
export const repeats = (keys: readonly (string | number)[]): readonly number[] => {
  const seen = new Set<string | number>()
  return keys.flatMap((key, i) => {
    if (seen.has(key)) return [i]
    seen.add(key)
    return []
  })
}
