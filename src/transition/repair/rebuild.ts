/** Rebuilding the refcounts: a new refcount table and new blocks, made from the references alone. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { encodeWords } from '../../bytes/words.js'
import { blockEntries, clusterSize } from '../../format/geometry.js'
import { setRefcount } from '../../format/refcount.js'
import { RefcountTableView } from '../../format/views.js'
import type { Examined } from '../../image/check/check.js'
import type { Counts } from '../../image/check/counts.js'
import { referencesOf } from '../../image/check/references.js'
import type { CommandState } from '../engine/command-state.js'
import { mayHave } from '../engine/refuse.js'
import { switchRefcountTable } from '../engine/refcount-table.js'

/** The entries of the refcount table whose block holds a refcount that is not zero. */
const neededBlocks = (references: Counts, perBlock: number): Set<number> => {
  const needed = new Set<number>()
  for (let c = 0; c < references.length; c++) if (references.get(c) > 0) needed.add(Math.floor(c / perBlock))
  return needed
}

/** The place of the new blocks, and of the table after them: past everything in the file and everything referenced. */
interface RebuildLayout {
  /** Cluster of the first block. */
  readonly start: number
  /** The entries of the refcount table that have a block, ascending. */
  readonly blocks: readonly number[]
  readonly tableClusters: number
}

const layoutOf = (w: CommandState, start: number, needed: Set<number>): RebuildLayout => {
  const perBlock = blockEntries(w.g)
  for (;;) {
    const blocks = [...needed].sort((a, b) => a - b)
    const tableClusters = Math.ceil((8 * ((blocks.at(-1) ?? 0) + 1)) / clusterSize(w.g))
    const end = start + blocks.length + tableClusters
    for (let i = Math.floor(start / perBlock); i * perBlock < end; i++) needed.add(i)
    if (needed.size === blocks.length) return { start, blocks, tableClusters }
  }
}

/** The clusters of the old refcount table and of its blocks, wherever it says that they are. */
function* oldClusters(w: CommandState): Plan<readonly number[]> {
  const size = clusterSize(w.g)
  const { at, entries } = w.refcountTable
  const table = new RefcountTableView(yield* readAt(at, 8 * entries))
  const own = Array.from({ length: (8 * entries) / size }, (_, i) => Math.floor(at / size) + i)
  const blocks = Array.from({ length: table.length }, (_, i) => table.refcountBlockOffset(i))
  return [...own, ...blocks.filter((b) => b > 0).map((b) => Math.floor(b / size))]
}

/**
 * Rebuilds the refcounts past the end of the file. Nothing refers to the old table and the old blocks afterwards, and they
 * have no refcounts. The two words of the header change while the image is dirty, where its version has that bit.
 *
 * @see CHK-09
 */
export function* rebuild(w: CommandState, { metadata, state }: Examined): Plan<void> {
  const size = clusterSize(w.g)
  const perBlock = blockEntries(w.g)
  const references = yield* referencesOf(metadata, w.g, state.fileLength)
  const start = Math.max(Math.ceil(state.fileLength / size), state.references.length)
  const { blocks, tableClusters } = layoutOf(w, start, neededBlocks(references, perBlock))
  yield* mayHave(w.header, { refcountTableClusters: tableClusters })
  const old = yield* oldClusters(w)
  const end = start + blocks.length + tableClusters
  w.tx.markNew(start, end - start)
  const table = new Uint8Array(tableClusters * size)
  for (const [i, index] of blocks.entries()) {
    const block = new Uint8Array(size)
    const view = viewOf(block)
    for (let n = 0; n < perBlock; n++) {
      const cluster = index * perBlock + n
      const refcount = cluster >= start && cluster < end ? 1 : Math.min(state.max, references.get(cluster))
      if (refcount > 0) setRefcount(view, w.g.refcountOrder, n, BigInt(refcount))
    }
    yield* w.tx.put('refcount block', 'prepare', (start + i) * size, block)
    table.set(encodeWords([(start + i) * size]), 8 * index)
  }
  yield* w.tx.put('refcount table', 'prepare', (start + blocks.length) * size, table)
  yield* switchRefcountTable(w, (start + blocks.length) * size, tableClusters)
  for (const c of old) if (references.get(c) === 0) w.freed.set(c, w.tx.claims.length)
}
