/** Caches of the values used last. */

/**
 * The values used last, by number: at most `most`, and at least one. It is the memory of one owner, who makes anew what is
 * not in it.
 */
export class LastUsed<A> {
  /** From the one that was used longest ago to the one used last. */
  private readonly values = new Map<number, A>()
  private newest: number | undefined

  constructor(private readonly most: number) {}

  get(key: number): A | undefined {
    const value = this.values.get(key)
    if (value === undefined || key === this.newest) return value
    this.values.delete(key)
    this.values.set(key, value)
    this.newest = key
    return value
  }

  /** Adds a value that is not there, in place of the one that was used longest ago if there is no room. */
  add(key: number, value: A): void {
    if (this.values.size >= this.most) {
      const [oldest] = this.values.keys()
      if (oldest !== undefined) this.values.delete(oldest)
    }
    this.values.set(key, value)
    this.newest = key
  }
}
