/** Numbers that look drawn, the same for the same seed. */
export class Random {
  constructor(private state: number) {}

  /** A whole number below `n`. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b_79f5) | 0
    const a = Math.imul(this.state ^ (this.state >>> 15), this.state | 1)
    const b = a ^ (a + Math.imul(a ^ (a >>> 7), a | 61))
    return Math.floor((((b ^ (b >>> 14)) >>> 0) / 2 ** 32) * n)
  }

  /** One of a list. */
  of<A>(list: readonly [A, ...(readonly A[])]): A {
    return list[this.below(list.length)] ?? list[0]
  }
}
