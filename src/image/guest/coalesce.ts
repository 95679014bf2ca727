/** Coalescing: neighbouring runs that continue each other become one. */

/** Coalesces runs. It holds back the last run until it is known where that ends. One walk owns it. */
export class Coalescer<A extends { readonly length: number }> {
  private open: A | undefined

  /** `joins`: whether the second of two runs continues the first. */
  constructor(private readonly joins: (a: A, b: A) => boolean) {}

  /** Adds the next run; returns the one before it when they do not join. */
  push(a: A): A | undefined {
    const before = this.open
    if (before !== undefined && this.joins(before, a)) {
      this.open = { ...before, length: before.length + a.length }
      return undefined
    }
    this.open = a
    return before
  }

  /** The last run; `undefined` without any. */
  last(): A | undefined {
    return this.open
  }
}
