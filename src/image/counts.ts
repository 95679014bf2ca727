/** Counts: one number a host cluster, two bytes each while it is small, in pieces that exist only where something counts. */

/** Clusters in a piece. */
export const pieceSize = 2 ** 16
/** Stands in a piece for a count that is kept apart because 16 bits do not hold it. */
export const spilled = 0xffff

/** Clusters are below 2^48, so that both halves of the division are exact. */
const pieceIndex = (cluster: number): number => (cluster < 2 ** 31 ? cluster >>> 16 : Math.floor(cluster / pieceSize))

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
    const piece = this.pieceOf(cluster)
    if (cluster >= this.length) this.length = cluster + 1
    if (count < spilled) piece[cluster & (pieceSize - 1)] = count
    else {
      piece[cluster & (pieceSize - 1)] = spilled
      this.large.set(cluster, count)
    }
  }

  add(cluster: number, more: number): void {
    const piece = this.pieceOf(cluster)
    const within = cluster & (pieceSize - 1)
    const sum = (piece[within] ?? 0) + more
    if (sum < spilled) {
      piece[within] = sum
      if (cluster >= this.length) this.length = cluster + 1
    } else this.set(cluster, this.get(cluster) + more)
  }

  /** Adds to each of `n` neighbouring clusters. */
  addRun(cluster: number, n: number, more: number): void {
    for (let c = cluster, next = c; c < cluster + n; c = next) {
      next = Math.min(cluster + n, (pieceIndex(c) + 1) * pieceSize)
      const piece = this.pieceOf(c)
      const first = c & (pieceSize - 1)
      for (let i = first; i < first + next - c; i++) {
        const sum = (piece[i] ?? 0) + more
        if (sum < spilled) piece[i] = sum
        else this.set(c + i - first, this.get(c + i - first) + more)
      }
    }
    if (n > 0) this.length = Math.max(this.length, cluster + n)
  }

  /** The counts of clusters `p * 65536` and on, as far as they are below {@link spilled}; `undefined` where all are 0. */
  piece(p: number): Uint16Array | undefined {
    return this.pieces[p]
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

  private pieceOf(cluster: number): Uint16Array {
    const p = pieceIndex(cluster)
    const there = this.pieces[p]
    if (there !== undefined) return there
    const fresh = new Uint16Array(pieceSize)
    this.pieces[p] = fresh
    return fresh
  }
}
