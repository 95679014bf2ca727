/** Choices: one digit for each of several things. All of them where they are few, and else those that tell most. */
import type { Draw } from './draw.js'

/** A digit for each thing: from 0 to its radix, exclusive. */
export type Choice = readonly number[]

/** How many choices there are. */
export const countOf = (radices: Choice): number => radices.reduce((product, radix) => product * radix, 1)

/**
 * Every choice once, each but one digit from the choice before: the reflected Gray code. The first one is all zeros. The
 * array is the same each time and changes with the next choice.
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

/** Numbers from 0 to `count - 1`: all of them, or so many draws if there are more. */
export const someOf = (count: number, most: number, draw: Draw): readonly number[] =>
  Array.from({ length: Math.min(count, most) }, (_, i) => (count <= most ? i : draw(count)))

/** The choices that differ from one in a single digit, and some of those that differ from it in two. */
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

/** One in so many digits of a choice near to another is drawn anew. */
const stir = 8

/** A choice drawn at random: any at all, or one near to one of these. */
export const anyChoice = (radices: Choice, centres: readonly Choice[], draw: Draw): Choice => {
  const centre = draw(2) === 0 ? undefined : centres[draw(centres.length)]
  return radices.map((radix, i) => (centre === undefined || draw(stir) === 0 ? draw(radix) : (centre[i] ?? 0)))
}

/**
 * Choices that tell most where there are too many: milestones, what differs little from the first and from the last of them,
 * and some drawn at random, half of them near to a milestone.
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
