/** Ownership: what a check remembers of the clusters, and which of them may have two owners. */
import { Counts, pageSize } from './counts.js'
import type { L2Table, Uses } from './l2-table.js'

/** Most clusters with two owners whose owners are named. */
export const mostContested = 8192

/** The clusters with a count in `within` that have two references or more, one at least not of a compressed cluster. */
function* mixed(references: Counts, packed: Counts, within: Counts): Generator<number> {
  for (let first = 0; first < within.length; first += pageSize) {
    const [counts, all] = [within.page(first / pageSize), references.page(first / pageSize)]
    if (counts === undefined || all === undefined) continue
    const size = Math.min(pageSize, within.length - first)
    for (let i = 0; i < size; i++)
      if ((all[i] ?? 0) > 1 && (counts[i] ?? 0) !== 0 && references.get(first + i) > packed.get(first + i))
        yield first + i
  }
}

/** Marks of one check, which owns them. */
export class Ownership {
  /** First and last cluster of every claim, in turn. */
  private readonly claims: number[] = []
  /** References by compressed clusters, many of which may lie in one host cluster. */
  private readonly packed = new Counts()
  /** Clusters that hold the data of two guest clusters. */
  private readonly divided = new Set<number>()
  /** The guest cluster of every data cluster, plus one; 0: none. */
  private readonly holders: (Uint32Array | undefined)[] = []

  /** `shared`: whether snapshots may share clusters, so that the references of one may exceed its owners. */
  constructor(readonly shared: boolean) {}

  /** Clusters `first` to `last` belong to one structure. */
  claim(first: number, last: number): void {
    this.claims.push(first, last)
  }

  /** Clusters `first` to `last` hold a part each of `times` compressed clusters. */
  pack(first: number, last: number, times: number): void {
    this.packed.add(first, last + 1 - first, times)
  }

  /** Marks which guest cluster each data cluster of a table holds, of the `clusters` in the file. */
  holdAll({ view, use, g, size }: L2Table, clusters: number): void {
    if (g.externalDataFile) return
    const first = use.guest / size
    for (let i = 0; i < view.length; i++) {
      if (!view.isPlaced(i)) continue
      const cluster = Math.floor(view.hostClusterOffset(i) / size)
      if (cluster > 0 && cluster < clusters) this.hold(cluster, first + i)
    }
  }

  /** A host cluster in the file holds the data of a guest cluster. Guest clusters are compared modulo 2^32. */
  private hold(cluster: number, guest: number): void {
    const p = Math.floor(cluster / pageSize)
    const page = this.holders[p] ?? new Uint32Array(pageSize)
    this.holders[p] = page
    const within = cluster & (pageSize - 1)
    const holder = (guest + 1) >>> 0
    const before = page[within] ?? 0
    if (before === 0) page[within] = holder
    else if (before !== holder && this.divided.size < mostContested) this.divided.add(cluster)
  }

  /**
   * Clusters that may have two owners. Without snapshots those with more than one reference, unless all are of compressed
   * clusters. With them, an L2 table has as many references as trees use it, and a data cluster holds one guest cluster.
   */
  *contested(references: Counts, uses: Uses, size: number): Generator<number> {
    if (this.shared) {
      yield* this.overclaimed(references, uses, size)
      yield* mixed(references, this.packed, this.packed)
      yield* this.divided
    } else yield* mixed(references, this.packed, references)
  }

  /** Clusters of claims and L2 tables that are referred to more often than their one owner does. */
  private *overclaimed(references: Counts, uses: Uses, size: number): Generator<number> {
    for (let i = 0; i < this.claims.length; i += 2)
      for (let c = this.claims[i] ?? 0; c <= (this.claims[i + 1] ?? 0); c++) if (references.get(c) > 1) yield c
    for (const [at, use] of uses)
      for (let c = Math.floor(at / size); c * size < at + size; c++)
        if (references.get(c) > use.all || (use.elsewhere && references.get(c) > 0)) yield c
  }
}
