/** Lists of items of varying length, one after the other. */
import * as E from 'fp-ts/lib/Either.js'
import { ByteType } from './byte-type.js'
import type { Issue } from './issue.js'
import { listJson } from './json.js'
import { concat } from './octets.js'

/** An item and where the next one starts. */
export interface Step<A> {
  readonly value: A
  /** Byte offset of the next item, past that of this one. */
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

/** Sum of the numbers. */
export const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0)

/** A codec whose values have a size in bytes. */
type Sized<A> = Pick<ByteType<A>, 'sizeOf'>

/** Size of all items in bytes. */
export const sizeOfAll = <A>(item: Sized<A>, items: readonly A[]): number => sum(items.map((a) => item.sizeOf(a)))

/** Byte offset of each item from the first. */
export const startsOf = <A>(item: Sized<A>, items: readonly A[]): readonly number[] => {
  let at = 0
  return items.map((a) => {
    const start = at
    at += item.sizeOf(a)
    return start
  })
}

/** How a list of items is read, and what its items must satisfy together. */
export interface Listing<A> {
  /** Whether an item follows at byte `at` of `length`. */
  readonly more: (at: number, index: number, length: number) => boolean
  readonly read: (bytes: Uint8Array, at: number, index: number) => E.Either<readonly Issue[], Step<A>>
  /** Whether a list of values is that of some bytes. */
  readonly fits: (items: readonly A[]) => boolean
  /** The rules that items break beside those of each. */
  readonly judge?: (items: readonly A[]) => readonly Issue[]
}

/** A structure that is a list of items, one after the other. */
export const listOf = <A>(name: string, item: ByteType<A>, { more, read, fits, judge }: Listing<A>) => {
  const json = listJson(name, item.json, fits)
  return new ByteType<readonly A[]>({
    name,
    is: (u): u is readonly A[] => json.is(u),
    read: (bytes) =>
      E.map(({ value }: Step<readonly A[]>) => value)(
        walk(
          0,
          (at, index) => more(at, index, bytes.length),
          (at, index) => read(bytes, at, index)
        )
      ),
    write: (items) => concat(items.map((a) => item.encode(a))),
    sizeOf: (items) => sizeOfAll(item, items),
    json,
    judge: (items) => {
      const starts = startsOf(item, items)
      return [...items.flatMap((a, i) => item.judge(a, starts[i])), ...(judge?.(items) ?? [])]
    }
  })
}

/** Positions of the keys that are earlier in the list too. */
export const repeats = (keys: readonly (string | number)[]): readonly number[] => {
  const seen = new Set<string | number>()
  return keys.flatMap((key, i) => {
    if (seen.has(key)) return [i]
    seen.add(key)
    return []
  })
}
