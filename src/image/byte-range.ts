/** Byte ranges, of a file or of the guest disk; runs that continue each other, and tables that are adjacent in the file. */

/** `size` bytes from byte `at` on. */
export interface ByteRange {
  readonly at: number
  readonly size: number
}

/** Most bytes of a request for several tables. */
const requestSize = 2 ** 20

/**
 * How many tables from table `i` on and before `end` are adjacent, up to the size of a request: at least 1.
 * `offsetAt` gives their host offsets, `size` is the bytes of a cluster.
 */
export const neighbours = (offsetAt: (i: number) => number, i: number, end: number, size: number): number => {
  const first = offsetAt(i)
  const last = Math.min(end, i + Math.floor(requestSize / size))
  let n = 1
  while (i + n < last && offsetAt(i + n) === first + n * size) n++
  return n
}

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
