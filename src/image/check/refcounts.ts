/** Refcounts: the refcount table and the counts of its blocks, as far as they can be read. */
import { Memory, type Plan, readAt, readInto } from '../../bytes/plan.js'
import { blockEntries, clusterSize, type Geometry } from '../../format/geometry.js'
import * as limits from '../../format/limits.js'
import { RefcountTableView, RefcountView } from '../../format/views.js'
import { neighbours } from '../byte-range.js'
import { Counts } from './counts.js'

/** The refcount table as the header places it; past the end of the file its entries are zeros. */
export interface RefcountTable {
  readonly at: number
  readonly view: RefcountTableView
}

/** Where the host bytes end that QEMU can read. */
const maxReadable = Number(limits.maxReadable)

/** Reads the refcount table of an image whose header numbers are within bounds. `fileLength` is in bytes. */
export function* readRefcountTable(at: number, clusters: number, g: Geometry, fileLength: number): Plan<RefcountTable> {
  const size = Math.min(clusters * clusterSize(g), limits.maxRefcountTable)
  const there = Math.max(0, Math.min(size, Math.ceil((fileLength - at) / 8) * 8))
  return { at, view: new RefcountTableView(there === 0 ? new Uint8Array(0) : yield* readAt(at, there)) }
}

/** Most bytes of blocks that describe clusters far past the end of the file and are kept. */
const mostFar = 2 ** 26

/** The refcounts of an image by host cluster. One check owns them. */
export class Refcounts {
  /** Those of the clusters in the file. */
  readonly counts = new Counts()
  /** Refcount table entries whose block cannot be read, by their index. */
  readonly unreadable = new Set<number>()
  /** Blocks of clusters far past the end of the file, by their index in the refcount table. */
  readonly far = new Map<number, RefcountView>()
  private readonly perBlock: number
  private readonly size: number

  constructor(g: Geometry) {
    this.perBlock = blockEntries(g)
    this.size = clusterSize(g)
  }

  /** The refcount of the cluster at a host offset; `undefined` where its block cannot be read. */
  at(offset: number): number | undefined {
    const cluster = Math.floor(offset / this.size)
    const index = Math.floor(cluster / this.perBlock)
    if (this.unreadable.has(index)) return undefined
    return this.far.get(index)?.count(cluster % this.perBlock) ?? this.counts.get(cluster)
  }

  /** The same of a cluster whose block can be read, exact to the last digit also above 2^53. */
  exact(offset: number): number | bigint {
    const cluster = Math.floor(offset / this.size)
    const block = this.far.get(Math.floor(cluster / this.perBlock))
    return block?.entry(cluster % this.perBlock) ?? this.counts.exact(cluster)
  }
}

/** Reads every block in the file, those of clusters in the file many at a time. @see REF-03 */
export function* readRefcounts(table: RefcountTable, g: Geometry, fileLength: number): Plan<Refcounts> {
  const [size, perBlock] = [clusterSize(g), blockEntries(g)]
  const refcounts = new Refcounts(g)
  const offsetAt = (i: number): number => table.view.refcountBlockOffset(i)
  const near = Math.min(table.view.length, Math.ceil((fileLength / size + 1) / perBlock))
  const withinCluster = { hi: 0, lo: size - 2 ** limits.minClusterBits }
  const memory = new Memory()
  const seen = new Map<number, RefcountView>()
  for (let i = 0, n = 1; i < table.view.length; i += n) {
    const block = offsetAt(i)
    n = 1
    if (table.view.hasAny(i, withinCluster) || block >= maxReadable) refcounts.unreadable.add(i)
    else if (block === 0 || block >= fileLength) continue
    else if (i < near) {
      n = neighbours(offsetAt, i, near, size)
      refcounts.counts.load(i * perBlock, new RefcountView(yield* readInto(memory, block, n * size), g.refcountOrder))
    } else {
      if (!seen.has(block) && seen.size * size < mostFar)
        seen.set(block, new RefcountView(yield* readAt(block, size), g.refcountOrder))
      const view = seen.get(block)
      if (view === undefined) refcounts.unreadable.add(i)
      else refcounts.far.set(i, view)
    }
  }
  return refcounts
}
