/** The width of refcounts: all counts again, in new blocks and a new table. */
import { viewOf } from '../../bytes/octets.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { blockEntries, clusterSize, type Geometry } from '../../format/geometry.js'
import { maxRefcountOrder, maxRefcountTable } from '../../format/limits.js'
import { maxRefcount, refcountPlace, setRefcount } from '../../format/refcount.js'
import { RefcountView } from '../../format/views.js'
import { endRound } from '../engine/finish.js'
import { refuse, type Work } from '../engine/work.js'
import { allBlocks, words } from '../engine/refcounts.js'

/** Refcount blocks by their entry in the refcount table. */
type Blocks = Map<number, Uint8Array>

const setCount = (blocks: Blocks, g: Geometry, cluster: number, count: bigint): void => {
  const { table, entry } = refcountPlace(g, cluster)
  const block = blocks.get(table) ?? new Uint8Array(clusterSize(g))
  blocks.set(table, block)
  setRefcount(viewOf(block), g.refcountOrder, entry, count)
}

interface Counted {
  readonly blocks: Blocks
  /** The cluster behind the last that counts. */
  readonly end: number
  /** Clusters of the present blocks and table. */
  readonly own: ReadonlySet<number>
}

/** The counts of a geometry, without those that the present blocks and table have of themselves. */
function* counted(w: Work, g: Geometry): Plan<Counted> {
  const size = clusterSize(w.g)
  const blocks: Blocks = new Map()
  const { at, entries } = w.refcountTable
  const own = new Set(Array.from({ length: (8 * entries) / size }, (_, i) => at / size + i))
  const present = yield* allBlocks(w)
  for (const { block } of present) own.add(block / size)
  let end = 0
  for (const { table, block } of present) {
    const view = new RefcountView(yield* readAt(block, size), w.g.refcountOrder)
    for (let i = 0; i < view.length; i++) {
      if (view.count(i) === 0) continue
      const cluster = table * blockEntries(w.g) + i
      end = cluster + 1
      const count = view.entry(i) - (own.has(cluster) ? 1n : 0n)
      if (count > maxRefcount(g.refcountOrder))
        yield* refuse(
          'AM-06',
          `a count of ${count} for host cluster ${cluster}`,
          `at most ${maxRefcount(g.refcountOrder)}`,
          {
            structure: 'refcount block',
            at: cluster * size,
            size
          }
        )
      if (count > 0n) setCount(blocks, g, cluster, count)
    }
  }
  return { blocks, end, own }
}

/** Counts the clusters from `start` on that hold the blocks, which count themselves, and their table; tells the table's length in clusters. */
const addOwn = (blocks: Blocks, g: Geometry, start: number): number => {
  for (let n = 0; ;) {
    for (let i = 0; i < n; i++) setCount(blocks, g, start + i, 1n)
    const last = [...blocks.keys()].reduce((a, b) => Math.max(a, b), 0)
    const t = Math.ceil((8 * (last + 1)) / clusterSize(g))
    if (blocks.size + t === n) return t
    n = blocks.size + t
  }
}

/**
 * Gives refcounts another width, `2 ** order` bits. The new blocks and their table stand behind everything that counts.
 * Offset, length and order of the table are three words: the image is dirty while they change, and a crash leaves it
 * dirty. Refused in version 2, and where a count does not fit.
 *
 * @see AM-06 and REF-02
 */
export function* changeRefcountOrder(w: Work, order: number): Plan<void> {
  if (order === w.g.refcountOrder) return
  if (w.g.version === 2) return yield* refuse('AM-06', 'a version 2 image', 'version 3')
  if (!Number.isInteger(order) || order < 0 || order > maxRefcountOrder)
    return yield* refuse('REF-02', `refcount_order ${order}`, `0 to ${maxRefcountOrder}`)
  yield* endRound(w)
  const g = { ...w.g, refcountOrder: order }
  const size = clusterSize(g)
  const { blocks, end, own } = yield* counted(w, g)
  const t = addOwn(blocks, g, end)
  if (t * size > maxRefcountTable)
    return yield* refuse('REF-06', `${t * size} bytes of refcount table`, `at most ${maxRefcountTable}`)
  const table = Array.from({ length: (t * size) / 8 }, () => 0)
  w.tx.markNew(end, blocks.size + t)
  for (const [n, i] of [...blocks.keys()].sort((a, b) => a - b).entries()) {
    table[i] = (end + n) * size
    yield* w.tx.put('refcount block', 'prepare', (end + n) * size, blocks.get(i) ?? new Uint8Array(size))
  }
  yield* w.tx.put('refcount table', 'prepare', (end + blocks.size) * size, words(table))
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
