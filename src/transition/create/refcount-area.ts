/** The refcount area of a preallocated image: refcounts for the whole disk, where qemu-img has them, and its data after them. */
import type { Preallocation } from '../../../spec/disk.js'
import { encodeWords } from '../../bytes/words.js'
import type { Plan } from '../../bytes/plan.js'
import { blockEntries, clusterSize, type Geometry, l2Entries } from '../../format/geometry.js'
import { mayHave } from '../engine/refuse.js'
import type { CommandState } from '../engine/command-state.js'
import { endRound } from '../engine/finish.js'
import { putBlocks, switchRefcountTable } from '../engine/refcount-table.js'
import { addToRefcounts, allBlocks } from '../engine/refcounts.js'
import { preallocateAt } from '../guest/preallocate.js'

/** Clusters of a refcount table, and of the refcount blocks that it names. */
interface RefcountClusters {
  readonly table: number
  readonly blocks: number
}

/** The refcount table and the refcount blocks for so many clusters and themselves. */
export const refcountClusters = (
  g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>,
  others: number
): RefcountClusters => {
  const perTable = clusterSize(g) / 8
  for (let table = 0, blocks = 0; ;) {
    const moreBlocks = Math.ceil((others + table + blocks) / blockEntries(g))
    const moreTable = Math.ceil(moreBlocks / perTable)
    if (moreBlocks === blocks && moreTable === table) return { table, blocks }
    ;[table, blocks] = [moreTable, moreBlocks]
  }
}

/**
 * Writes a new refcount table, with the blocks that are missing before it, from cluster `start` on, past everything in the
 * file. It covers itself and `more` clusters after it. Returns the cluster after it.
 */
function* putArea(w: CommandState, start: number, more: number): Plan<number> {
  const { table, blocks } = refcountClusters(w.g, start + more)
  yield* mayHave(w.header, { refcountTableClusters: table })
  const old = yield* allBlocks(w)
  const first = old.length
  const added = Math.max(0, blocks - first)
  const end = start + added + table
  w.tx.markNew(start, end - start)
  yield* putBlocks(w, start, added, 0)
  const at = [
    ...old.map((block) => block.at),
    ...Array.from({ length: added }, (_, i) => (start + i) * clusterSize(w.g))
  ]
  const bytes = new Uint8Array(table * clusterSize(w.g))
  bytes.set(encodeWords(at))
  const moved = w.refcountTable
  yield* w.tx.put('refcount table', 'prepare', (start + added) * clusterSize(w.g), bytes)
  yield* switchRefcountTable(w, (start + added) * clusterSize(w.g), table)
  yield* addToRefcounts(w, start, end - start, 1, 'prepare')
  w.release(moved.at, 8 * moved.entries)
  yield* endRound(w)
  return end
}

/**
 * Preallocates the whole disk of a new image, with `falloc` or `full`: the refcounts of all of it first, then its clusters in
 * one piece, and the L2 tables where clusters are free.
 *
 * @param end the cluster after the last one in use
 * @see CR-06 and RS-07
 */
export function* preallocateDisk(w: CommandState, end: number, mode: Preallocation): Plan<void> {
  const n = Math.ceil(w.disk.size / clusterSize(w.g))
  const start = yield* putArea(w, end, n + Math.ceil(n / l2Entries(w.g)) + 1)
  yield* addToRefcounts(w, start, n, 1, 'prepare')
  w.tx.markNew(start, n)
  yield* preallocateAt(w, start, n, mode)
}
