/** Joining: stretches that follow each other and say the same become one. */

/** Stretches as they come, the last of them held back until it is known where it ends. One walk owns it. */
export class Joining<A extends { readonly length: number }> {
  private open: A | undefined

  /** `joins` tells whether the second of two stretches goes on where and as the first does. */
  constructor(private readonly joins: (a: A, b: A) => boolean) {}

  /** Takes the next stretch; gives the one before it when they do not join. */
  next(a: A): A | undefined {
    const before = this.open
    if (before !== undefined && this.joins(before, a)) {
      this.open = { ...before, length: before.length + a.length }
      return undefined
    }
    this.open = a
    return before
  }

  /** The last stretch; `undefined` when there was none. */
  end(): A | undefined {
    return this.open
  }
}
