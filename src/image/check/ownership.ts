/** Ownership: what a check remembers of the clusters, so that one with two owners shows without a second walk. */
import { Counts, pieceSize } from './counts.js'

/** Most clusters with two owners that are looked into. */
export const mostContested = 8192
/** Marks of one check, which owns them. */
export class Ownership {
  /** First and last cluster of every claim, in turn. */
  readonly claims: number[] = []
  /** References by compressed clusters, many of which may lie in one host cluster. */
  readonly packed = new Counts()
  /** Clusters that hold the data of two guest clusters. */
  readonly divided = new Set<number>()
  /** The guest cluster of every data cluster, plus one; 0: none. */
  private readonly holders: (Uint32Array | undefined)[] = []

  /** `shared`: whether snapshots may share clusters, so that references do not tell how many owners one has. */
  constructor(readonly shared: boolean) {}

  /** Clusters `first` to `last` belong to one structure. */
  claim(first: number, last: number): void {
    this.claims.push(first, last)
  }

  /** Clusters `first` to `last` hold a part each of `times` compressed clusters. */
  pack(first: number, last: number, times: number): void {
    this.packed.add(first, last + 1 - first, times)
  }

  /** A host cluster, which lies in the file, holds the data of a guest cluster. Guest clusters are told apart modulo 2^32. */
  hold(cluster: number, guest: number): void {
    const p = Math.floor(cluster / pieceSize)
    const piece = this.holders[p] ?? new Uint32Array(pieceSize)
    this.holders[p] = piece
    const within = cluster & (pieceSize - 1)
    const holder = (guest + 1) >>> 0
    const before = piece[within] ?? 0
    if (before === 0) piece[within] = holder
    else if (before !== holder && this.divided.size < mostContested) this.divided.add(cluster)
  }
}
