/** Choices: the whole numbers that an image is drawn from. The fewer and the smaller they are, the simpler is the image. */
import { Random } from './random.js'

/** A sequence of choices, which keeps those that were made. */
export class Choices {
  readonly made: number[] = []

  /** @param next a whole number from 0 to 2^32 - 1 for choice `i` */
  constructor(private readonly next: (i: number) => number) {}

  /** A whole number below `n`; 0 is the simplest. */
  below(n: number): number {
    const choice = this.next(this.made.length) % n
    this.made.push(choice)
    return choice
  }

  /** One of a list, the simplest first. */
  of<A>(list: readonly [A, ...(readonly A[])]): A {
    return list[this.below(list.length)] ?? list[0]
  }

  /** `true` once in `n` times; `false` is simpler. */
  rarely(n: number): boolean {
    return this.below(n) === n - 1
  }
}

/** A list in which each item is as many times as its weight, for {@link Choices.of}: the same items in the same order. */
export const weighted = <A>(
  [weight, first]: readonly [number, A],
  ...others: readonly (readonly [number, A])[]
): readonly [A, ...(readonly A[])] => [
  first,
  ...[[weight - 1, first] as const, ...others].flatMap(([n, item]) => Array.from({ length: n }, () => item))
]

/** The choices of image `index` of a seed: the same for the same two numbers, whatever was drawn before. */
export const drawnChoices = (seed: number, index: number): Choices => {
  const random = new Random(Math.imul(seed ^ 0x9e37_79b1, 0x85eb_ca6b) ^ Math.imul(index + 1, 0xc2b2_ae35))
  return new Choices(() => random.below(2 ** 32))
}

/** Choices that were made before, and zeros after them. */
export const replayedChoices = (made: readonly number[]): Choices => new Choices((i) => made[i] ?? 0)
