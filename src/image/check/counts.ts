/** Counts: one number a host cluster, two bytes each while it is small, in pieces that exist only where something counts. */
import type { RefcountView } from '../../format/views.js'

/** Clusters in a piece. */
export const pieceSize = 2 ** 16
/** Stands in a piece for a count that is kept apart because 16 bits do not hold it. */
export const spilled = 0xffff

/** Clusters are below 2^48, so that both halves of the division are exact. */
const pieceIndex = (cluster: number): number => (cluster < 2 ** 31 ? cluster >>> 16 : Math.floor(cluster / pieceSize))

/** Whether the first `n` counts of two pieces are equal, compared two at a time; of an odd number, one more. */
const sameWords = (a: Uint16Array, b: Uint16Array, n: number): boolean => {
  const [x, y] = [new Uint32Array(a.buffer), new Uint32Array(b.buffer)]
  for (let i = 0; 2 * i < n; i++) if ((x[i] ?? 0) !== (y[i] ?? 0)) return false
  return true
}

/** Counts of the shortest piece. */
const shortest = 2 ** 10

/** Neighbouring host clusters that count the same. */
export interface CountRun {
  readonly cluster: number
  readonly n: number
  readonly count: number
}

/** Refcounts or references by host cluster. Clusters never touched count 0. One check owns it. */
export class Counts {
  private readonly pieces: (Uint16Array | undefined)[] = []
  private readonly large = new Map<number, number>()
  /** One more than the highest cluster touched. */
  length = 0

  get(cluster: number): number {
    const small = this.pieces[pieceIndex(cluster)]?.[cluster & (pieceSize - 1)] ?? 0
    return small === spilled ? (this.large.get(cluster) ?? 0) : small
  }

  set(cluster: number, count: number): void {
    const place = cluster & (pieceSize - 1)
    const piece = this.pieceOf(cluster, place + 1)
    if (cluster >= this.length) this.length = cluster + 1
    if (count < spilled) piece[place] = count
    else {
      piece[place] = spilled
      this.large.set(cluster, count)
    }
  }

  /** Sets the counts of the clusters from `first` on to those of a refcount block. */
  load(first: number, block: RefcountView): void {
    for (let done = 0; done < block.length;) {
      const from = (first + done) & (pieceSize - 1)
      const n = Math.min(pieceSize - from, block.length - done)
      let piece: Uint16Array | undefined
      for (let i = 0; i < n; i++) {
        const count = block.count(done + i)
        if (count === 0) continue
        piece ??= this.pieceOf(first + done, from + n)
        if (count < spilled) piece[from + i] = count
        else this.set(first + done + i, count)
      }
      done += n
      if (piece !== undefined) this.length = Math.max(this.length, first + done)
    }
  }

  /** Adds to the counts of `n` clusters from `first` on. */
  add(first: number, n: number, more: number): void {
    for (let done = 0; done < n;) {
      const from = (first + done) & (pieceSize - 1)
      const to = Math.min(pieceSize, from + n - done)
      const piece = this.pieceOf(first + done, to)
      for (let i = from; i < to; i++) {
        const sum = (piece[i] ?? 0) + more
        if (sum < spilled) piece[i] = sum
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
      const piece = this.pieces[pieceIndex(first + done)]
      const from = (first + done) & (pieceSize - 1)
      const to = Math.min(pieceSize, from + n - done)
      if (piece !== undefined) for (let i = from; i < to; i++) if (piece[i] === 1) ones++
      done += to - from
    }
    return ones
  }

  /** The counts of clusters `p * 65536` and on, as far as they are below {@link spilled}; those that it lacks are 0. */
  piece(p: number): Uint16Array | undefined {
    return this.pieces[p]
  }

  /** Whether the first `n` counts of piece `p` are the same here and there, none of them kept apart. */
  agrees(other: Counts, p: number, n = pieceSize): boolean {
    const [a, b] = [this.pieces[p], other.pieces[p]]
    if (a === undefined || b === undefined) return a === b
    return this.large.size + other.large.size === 0 && sameWords(a, b, n)
  }

  /** The clusters that count something, in order, neighbours of one count joined. */
  *runs(): Generator<CountRun> {
    for (const p of Object.keys(this.pieces).map(Number)) {
      const piece = this.pieces[p] ?? []
      for (let i = 0, next = 1; i < piece.length; i = next++) {
        const small = piece[i]
        if (small === 0) continue
        while (next < piece.length && piece[next] === small && small !== spilled) next++
        const cluster = p * pieceSize + i
        yield { cluster, n: next - i, count: this.get(cluster) }
      }
    }
  }

  /** The piece of a cluster, with room for its first `least` counts at least. */
  private pieceOf(cluster: number, least: number): Uint16Array {
    const p = pieceIndex(cluster)
    const there = this.pieces[p]
    if (there !== undefined && there.length >= least) return there
    const fresh = new Uint16Array(Math.max(shortest, 2 ** Math.ceil(Math.log2(least))))
    if (there !== undefined) fresh.set(there)
    this.pieces[p] = fresh
    return fresh
  }
}
