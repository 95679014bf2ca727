/** Choices: a digit for each of several things. All choices where they are few, else those that show the most. */
import type { Draw } from './draw.js'

/** A digit for each thing: from 0 to its radix, exclusive. */
export type Choice = readonly number[]

/** The number of choices with these radices. */
export const countOf = (radices: Choice): number => radices.reduce((product, radix) => product * radix, 1)

/**
 * Every choice once, in reflected Gray code: each differs from the one before in one digit. The first is all zeros. All
 * choices are one array, which the next one changes.
 */
export function* everyChoice(radices: Choice): Generator<Choice, void> {
  const digits = radices.map(() => 0)
  const steps = radices.map(() => 1)
  for (;;) {
    yield digits
    let i = 0
    for (; i < digits.length; i++) {
      const next = (digits[i] ?? 0) + (steps[i] ?? 0)
      if (next >= 0 && next < (radices[i] ?? 0)) {
        digits[i] = next
        break
      }
      steps[i] = -(steps[i] ?? 0)
    }
    if (i === digits.length) return
  }
}

/** Numbers from 0 to `count - 1`: all of them, or `most` draws if there are more. */
export const someOf = (count: number, most: number, draw: Draw): readonly number[] =>
  Array.from({ length: Math.min(count, most) }, (_, i) => (count <= most ? i : draw(count)))

/** The choices that differ from `centre` in one digit, and some of those that differ in two. */
function* around(centre: Choice, radices: Choice, most: number, draw: Draw): Generator<Choice, void> {
  const moves = radices.flatMap((radix, i) =>
    Array.from({ length: radix }, (_, digit) => ({ i, digit })).filter(({ digit }) => digit !== centre[i])
  )
  for (const { i, digit } of moves) yield centre.with(i, digit)
  // Pair n is that of move `row` with one before it: row 1 begins at pair 0, row 2 at 1, row 3 at 3.
  for (const n of someOf((moves.length * (moves.length - 1)) / 2, most, draw)) {
    const row = Math.floor((1 + Math.sqrt(1 + 8 * n)) / 2)
    const [a, b] = [moves[row], moves[n - (row * (row - 1)) / 2]]
    if (a !== undefined && b !== undefined) yield centre.with(a.i, a.digit).with(b.i, b.digit)
  }
}

/** A choice near another has one in this many digits drawn anew. */
const stir = 8

/** A random choice: any, or one near one of the centres. */
export const anyChoice = (radices: Choice, centres: readonly Choice[], draw: Draw): Choice => {
  const centre = draw(2) === 0 ? undefined : centres[draw(centres.length)]
  return radices.map((radix, i) => (centre === undefined || draw(stir) === 0 ? draw(radix) : (centre[i] ?? 0)))
}

/**
 * The choices that show the most where there are too many: the milestones, those that differ little from the first and the
 * last milestone, and random ones, half of them near a milestone.
 */
export function* someChoices(
  radices: Choice,
  milestones: readonly Choice[],
  most: number,
  draw: Draw
): Generator<Choice, void> {
  yield* milestones
  for (const centre of [milestones[0], milestones.at(-1)])
    if (centre !== undefined) yield* around(centre, radices, most, draw)
  for (let i = 0; i < most; i++) yield anyChoice(radices, milestones, draw)
}
