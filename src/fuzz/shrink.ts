/** Shrinking: simpler choices than some, from the simplest on. */
import { sum } from '../bytes/list.js'

/** Parts that are left out at once, the longest first. */
const parts = [32, 16, 8, 4, 2, 1]

/** Choices with a part left out, from the end on, so that what was drawn before stays. */
function* shorter(made: readonly number[]): Generator<readonly number[]> {
  for (const size of parts) for (let at = made.length - size; at >= 0; at -= size) yield made.toSpliced(at, size)
}

/** Choices with one of them smaller. */
function* smaller(made: readonly number[]): Generator<readonly number[]> {
  for (const [i, choice] of made.entries()) {
    if (choice > 0) yield made.with(i, 0)
    if (choice > 3) yield made.with(i, choice >> 1)
    if (choice > 1) yield made.with(i, choice - 1)
  }
}

/** Every simpler sequence of choices that is one step away: a part of them is left out, or one of them is smaller. */
export function* simpler(made: readonly number[]): Generator<readonly number[]> {
  for (let length = 0; length < made.length; length = Math.max(1, length * 2)) yield made.slice(0, length)
  yield* shorter(made)
  yield* smaller(made)
}

/** Whether choices are simpler than others: fewer, or as many with a smaller sum. */
export const isSimpler = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length ? sum(a) < sum(b) : a.length < b.length
