/** The width of refcounts: all of them again, in new blocks and a new table. */
import { viewOf } from '../../bytes/octets.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { encodeWords } from '../../bytes/words.js'
import { blockEntries, clusterSize, type Geometry } from '../../format/geometry.js'
import { maxRefcount, refcountPlace, setRefcount } from '../../format/refcount.js'
import { RefcountView } from '../../format/views.js'
import type { CommandState } from '../engine/command-state.js'
import { mayHave, refuse } from '../engine/refuse.js'
import { endRound } from '../engine/finish.js'
import { allBlocks } from '../engine/refcounts.js'

/** Refcount blocks by their entry in the refcount table. */
type Blocks = Map<number, Uint8Array>

const setIn = (blocks: Blocks, g: Geometry, cluster: number, refcount: bigint): void => {
  const { table, entry } = refcountPlace(g, cluster)
  const block = blocks.get(table) ?? new Uint8Array(clusterSize(g))
  blocks.set(table, block)
  setRefcount(viewOf(block), g.refcountOrder, entry, refcount)
}

interface Converted {
  readonly blocks: Blocks
  /** The cluster after the last that has a refcount. */
  readonly end: number
  /** The clusters of the old blocks and the old table. */
  readonly own: ReadonlySet<number>
}

/** The refcounts in blocks of geometry `g`, without those of the old blocks and the old table. @see AM-06 */
function* converted(w: CommandState, g: Geometry): Plan<Converted> {
  const size = clusterSize(w.g)
  const blocks: Blocks = new Map()
  const { at: tableAt, entries } = w.refcountTable
  const own = new Set(Array.from({ length: (8 * entries) / size }, (_, i) => tableAt / size + i))
  const old = yield* allBlocks(w)
  for (const { at } of old) own.add(at / size)
  let end = 0
  for (const { index, at } of old) {
    const view = new RefcountView(yield* readAt(at, size), w.g.refcountOrder)
    for (let i = 0; i < view.length; i++) {
      if (view.count(i) === 0) continue
      const cluster = index * blockEntries(w.g) + i
      end = cluster + 1
      const refcount = view.entry(i) - (own.has(cluster) ? 1n : 0n)
      const most = maxRefcount(g.refcountOrder)
      if (refcount > most)
        yield* refuse('AM-06', `a refcount of ${refcount} for host cluster ${cluster}`, `at most ${most}`, {
          structure: 'refcount block',
          at: cluster * size,
          size
        })
      if (refcount > 0n) setIn(blocks, g, cluster, refcount)
    }
  }
  return { blocks, end, own }
}

/** Adds the refcounts of the blocks themselves and of their table, in clusters from `start` on; returns the clusters of the table. */
const addOwn = (blocks: Blocks, g: Geometry, start: number): number => {
  for (let n = 0; ;) {
    for (let i = 0; i < n; i++) setIn(blocks, g, start + i, 1n)
    const last = [...blocks.keys()].reduce((a, b) => Math.max(a, b), 0)
    const t = Math.ceil((8 * (last + 1)) / clusterSize(g))
    if (blocks.size + t === n) return t
    n = blocks.size + t
  }
}

/**
 * Gives refcounts another width, `2 ** order` bits. The new blocks and their table are past everything that has a refcount.
 * Offset, length and order are three words: the image is dirty while they change, and a crash leaves it dirty. Refused in
 * version 2, and where a refcount does not fit.
 *
 * @see AM-06 and REF-02
 */
export function* changeRefcountOrder(w: CommandState, order: number): Plan<void> {
  if (order === w.g.refcountOrder) return
  if (w.g.version === 2) return yield* refuse('AM-06', 'a version 2 image', 'version 3')
  yield* mayHave(w.header, { refcountOrder: order })
  yield* endRound(w)
  const g = { ...w.g, refcountOrder: order }
  const size = clusterSize(g)
  const { blocks, end, own } = yield* converted(w, g)
  const t = addOwn(blocks, g, end)
  yield* mayHave(w.header, { refcountTableClusters: t })
  const table = new Array<number>((t * size) / 8).fill(0)
  w.tx.markNew(end, blocks.size + t)
  for (const [n, i] of [...blocks.keys()].sort((a, b) => a - b).entries()) {
    table[i] = (end + n) * size
    yield* w.tx.put('refcount block', 'prepare', (end + n) * size, blocks.get(i) ?? new Uint8Array(size))
  }
  yield* w.tx.put('refcount table', 'prepare', (end + blocks.size) * size, encodeWords(table))
  const features = w.header.incompatibleFeatures
  yield* w.changeHeader('prepare', { incompatibleFeatures: { ...features, dirty: true } })
  yield* w.changeHeader('cover', {
    refcountTableOffset: BigInt((end + blocks.size) * size),
    refcountTableClusters: t,
    refcountOrder: order
  })
  yield* w.changeHeader('release', { incompatibleFeatures: features })
  yield* endRound(w)
  for (const cluster of own) w.freed.set(cluster, w.tx.claims.length)
  w.become(w.header, g)
  w.firstFree = 0
}
