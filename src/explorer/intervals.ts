/** Intervals: many byte ranges, which may overlap, and those of them that cover a place. */

/** A range of bytes, and two numbers that say what it is. */
export interface Interval {
  readonly from: number
  /** The byte after the last one. */
  readonly to: number
  readonly kind: number
  /** The table that it is of or that leads to it, by its number in the list of the owner. */
  readonly table: number
  /** The entry of that table. */
  readonly entry: number
}

/** Most intervals that are kept: about 150 MB. */
const most = 2 ** 22

const grown = <A extends Float64Array | Uint32Array | Uint8Array>(column: A, make: (n: number) => A): A => {
  const larger = make(2 * column.length)
  larger.set(column)
  return larger
}

/** Ranges in columns of numbers. One index owns it, which may add ranges while others are searched. */
export class Intervals {
  private starts = new Float64Array(64)
  private ends = new Float64Array(64)
  private kinds = new Uint8Array(64)
  private tables = new Uint32Array(64)
  private entries = new Uint32Array(64)
  /** The order by start, and the furthest end among the ranges up to each one. */
  private order = new Uint32Array(0)
  private reach = new Float64Array(0)
  /** How many ranges there are. */
  length = 0
  /** How many ranges did not fit. */
  dropped = 0

  add({ from, to, kind, table, entry }: Interval): void {
    if (this.length === most) {
      this.dropped++
      return
    }
    if (this.length === this.starts.length) this.grow()
    const i = this.length++
    this.starts[i] = from
    this.ends[i] = to
    this.kinds[i] = kind
    this.tables[i] = table
    this.entries[i] = entry
  }

  private grow(): void {
    this.starts = grown(this.starts, (n) => new Float64Array(n))
    this.ends = grown(this.ends, (n) => new Float64Array(n))
    this.kinds = grown(this.kinds, (n) => new Uint8Array(n))
    this.tables = grown(this.tables, (n) => new Uint32Array(n))
    this.entries = grown(this.entries, (n) => new Uint32Array(n))
  }

  private at(i: number): Interval {
    return {
      from: this.starts[i] ?? 0,
      to: this.ends[i] ?? 0,
      kind: this.kinds[i] ?? 0,
      table: this.tables[i] ?? 0,
      entry: this.entries[i] ?? 0
    }
  }

  /** Sorts the ranges that are known, unless none was added since. */
  private sort(): void {
    if (this.order.length === this.length) return
    const order = Uint32Array.from({ length: this.length }, (_, i) => i)
    const { starts } = this
    order.sort((a, b) => (starts[a] ?? 0) - (starts[b] ?? 0))
    const reach = new Float64Array(this.length)
    let furthest = 0
    for (let k = 0; k < order.length; k++) {
      furthest = Math.max(furthest, this.ends[order[k] ?? 0] ?? 0)
      reach[k] = furthest
    }
    this.order = order
    this.reach = reach
  }

  /** The number of sorted ranges that start before byte `at`. */
  private before(at: number): number {
    let [lo, hi] = [0, this.order.length]
    while (lo < hi) {
      const mid = (lo + hi) >>> 1
      if ((this.starts[this.order[mid] ?? 0] ?? 0) < at) lo = mid + 1
      else hi = mid
    }
    return lo
  }

  /** The ranges that share a byte with `[from, to)`, by their starts; those that are added meanwhile are not among them. */
  *within(from: number, to: number): Generator<Interval> {
    this.sort()
    const { order, reach } = this
    let k = this.before(to)
    const end = k
    while (k > 0 && (reach[k - 1] ?? 0) > from) k--
    for (; k < end; k++) {
      const i = order[k] ?? 0
      if ((this.ends[i] ?? 0) > from) yield this.at(i)
    }
  }
}
