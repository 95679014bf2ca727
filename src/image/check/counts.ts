/** Counts: a number for each host cluster, two bytes each while it is small, in pages that exist only where one is not 0. */
import type { RefcountView } from '../../format/views.js'

/** Clusters of a page. */
export const pageSize = 2 ** 16
/** In a page, a count that is kept apart because 16 bits do not hold it. */
export const spilled = 0xffff

/** Clusters are below 2^48, so that both halves of the division are exact. */
const pageIndex = (cluster: number): number => (cluster < 2 ** 31 ? cluster >>> 16 : Math.floor(cluster / pageSize))

/** Whether the first `n` counts of two pages are equal, compared two at a time; of an odd number, one more. */
const sameWords = (a: Uint16Array, b: Uint16Array, n: number): boolean => {
  const [x, y] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)]
  for (let i = 0; 2 * i < n; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return false
  return true
}

/** Counts of the shortest page. */
const shortest = 2 ** 10

/** Neighbouring host clusters that count the same. */
export interface CountRun {
  readonly cluster: number
  readonly n: number
  readonly count: number
}

/** Refcounts or references by host cluster. Clusters never touched count 0. One check owns it. */
export class Counts {
  private readonly pages: (Uint16Array | undefined)[] = []
  /** The counts from {@link spilled} on; those above 2^53, which a number does not hold, exactly. */
  private readonly large = new Map<number, number | bigint>()
  /** One more than the highest cluster touched. */
  length = 0

  get(cluster: number): number {
    const small = this.pages[pageIndex(cluster)]?.[cluster & (pageSize - 1)] ?? 0
    return small === spilled ? Number(this.large.get(cluster) ?? 0) : small
  }

  /** The count of a cluster, exact to the last digit also above 2^53. */
  exact(cluster: number): number | bigint {
    return this.large.get(cluster) ?? this.get(cluster)
  }

  set(cluster: number, count: number): void {
    const place = cluster & (pageSize - 1)
    if (cluster >= this.length) this.length = cluster + 1
    if (count < spilled) this.pageOf(cluster, place + 1)[place] = count
    else this.spill(cluster, count)
  }

  /** Keeps a count apart. */
  private spill(cluster: number, count: number | bigint): void {
    const place = cluster & (pageSize - 1)
    this.pageOf(cluster, place + 1)[place] = spilled
    this.large.set(cluster, count)
    this.length = Math.max(this.length, cluster + 1)
  }

  /** Sets the counts of the clusters from `first` on to those of a refcount block. */
  load(first: number, block: RefcountView): void {
    for (let done = 0; done < block.length;) {
      const from = (first + done) & (pageSize - 1)
      const n = Math.min(pageSize - from, block.length - done)
      let page: Uint16Array | undefined
      for (let i = 0; i < n; i++) {
        const count = block.count(done + i)
        if (count === 0) continue
        page ??= this.pageOf(first + done, from + n)
        if (count < spilled) page[from + i] = count
        else this.spill(first + done + i, Number.isSafeInteger(count) ? count : block.entry(done + i))
      }
      done += n
      if (page !== undefined) this.length = Math.max(this.length, first + done)
    }
  }

  /** Adds to the counts of `n` clusters from `first` on. */
  add(first: number, n: number, more: number): void {
    for (let done = 0; done < n;) {
      const from = (first + done) & (pageSize - 1)
      const to = Math.min(pageSize, from + n - done)
      const page = this.pageOf(first + done, to)
      for (let i = from; i < to; i++) {
        const sum = (page[i] ?? 0) + more
        if (sum < spilled) page[i] = sum
        else this.set(first + done + i - from, this.get(first + done + i - from) + more)
      }
      done += to - from
    }
    this.length = Math.max(this.length, first + n)
  }

  /** How many of the `n` clusters from `first` on count 1. */
  ones(first: number, n: number): number {
    let ones = 0
    for (let done = 0; done < n;) {
      const page = this.pages[pageIndex(first + done)]
      const from = (first + done) & (pageSize - 1)
      const to = Math.min(pageSize, from + n - done)
      if (page !== undefined) for (let i = from; i < to; i++) if (page[i] === 1) ones++
      done += to - from
    }
    return ones
  }

  /** The counts of clusters `p * 65536` and on, as far as they are below {@link spilled}; those that it lacks are 0. */
  page(p: number): Uint16Array | undefined {
    return this.pages[p]
  }

  /** Whether the first `n` counts of page `p` are the same in both, none of them kept apart. */
  agrees(other: Counts, p: number, n = pageSize): boolean {
    const [a, b] = [this.pages[p], other.pages[p]]
    if (a === undefined || b === undefined) return a === b
    return this.large.size + other.large.size === 0 && sameWords(a, b, n)
  }

  /** The clusters that count something, in order, neighbours of one count joined. */
  *runs(): Generator<CountRun> {
    for (const p of Object.keys(this.pages).map(Number)) {
      const page = this.pages[p] ?? []
      for (let i = 0, next = 1; i < page.length; i = next++) {
        const small = page[i]
        if (small === 0) continue
        while (next < page.length && page[next] === small && small !== spilled) next++
        const cluster = p * pageSize + i
        yield { cluster, n: next - i, count: this.get(cluster) }
      }
    }
  }

  /** The page of a cluster, with room for its first `least` counts at least. */
  private pageOf(cluster: number, least: number): Uint16Array {
    const p = pageIndex(cluster)
    const there = this.pages[p]
    if (there !== undefined && there.length >= least) return there
    const fresh = new Uint16Array(Math.max(shortest, 2 ** Math.ceil(Math.log2(least))))
    if (there !== undefined) fresh.set(there)
    this.pages[p] = fresh
    return fresh
  }
}
