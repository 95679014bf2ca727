/** Counts: how they are read, raised and lowered, and how the structures that hold them grow and shrink. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { blockEntries, clusterSize } from '../../format/geometry.js'
import { maxRefcountTable } from '../../format/limits.js'
import { maxRefcount, refcountAt, refcountPlace, setRefcount } from '../../format/refcount.js'
import { RefcountTableView, RefcountView } from '../../format/views.js'
import { ClusterSet } from '../../image/cluster-set.js'
import { refuse, type Work } from './work.js'
import type { Stage } from './transaction.js'

/** Host byte of the block behind entry `table`, which is entry `i` of a view. */
function* blockIn(w: Work, view: RefcountTableView, i: number, table: number): Plan<number> {
  const offset = view.refcountBlockOffset(i)
  return offset % clusterSize(w.g) === 0 && offset <= Number.MAX_SAFE_INTEGER
    ? offset
    : yield* refuse<number>('REF-04', `0x${offset.toString(16)}`, 'a multiple of the cluster size, within a file', {
        structure: 'refcount table entry',
        field: 'refcount_block_offset',
        at: w.refcountTable.at + 8 * table,
        size: 8
      })
}

/** Host byte of the refcount block behind entry `table` of the refcount table; 0: there is none, and all counts are 0. @see REF-03 */
export function* blockOffset(w: Work, table: number): Plan<number> {
  if (table >= w.refcountTable.entries) return 0
  const view = new RefcountTableView(yield* readAt(w.refcountTable.at + 8 * table, 8))
  return yield* blockIn(w, view, 0, table)
}

/** A refcount block: its entry in the refcount table, and its host byte. */
interface Block {
  readonly table: number
  readonly block: number
}

/** All refcount blocks that there are, in the order of the table. */
export function* allBlocks(w: Work): Plan<readonly Block[]> {
  const view = new RefcountTableView(yield* readAt(w.refcountTable.at, 8 * w.refcountTable.entries))
  const blocks: Block[] = []
  for (let table = 0; table < view.length; table++) {
    const block = yield* blockIn(w, view, table, table)
    if (block !== 0) blocks.push({ table, block })
  }
  return blocks
}

/** A part of a refcount block: entries `[from, to)`, in the bytes that hold them. */
interface Counts {
  /** Host byte of the first of these bytes. */
  readonly at: number
  readonly bytes: Uint8Array
  /** Where entry `from` stands in the bytes. */
  readonly first: number
}

function* countsOf(w: Work, block: number, from: number, to: number): Plan<Counts> {
  const width = 2 ** w.g.refcountOrder
  const start = Math.floor((from * width) / 8)
  const end = Math.ceil((to * width) / 8)
  const bytes = yield* readAt(block + start, end - start)
  return { at: block + start, bytes, first: from - (start * 8) / width }
}

/** The count of a host cluster. @see REF-03 */
export function* countOf(w: Work, cluster: number): Plan<bigint> {
  const { table, entry } = refcountPlace(w.g, cluster)
  const block = yield* blockOffset(w, table)
  if (block === 0) return 0n
  const counts = yield* countsOf(w, block, entry, entry + 1)
  return refcountAt(viewOf(counts.bytes), w.g.refcountOrder, counts.first)
}

/** Neighbouring host clusters, and what is added to the count of each. */
export interface CountChange {
  readonly cluster: number
  readonly n: number
  readonly by: number
}

/** Changes counts of one block, which is read and put once. The changes are in order. */
function* changeBlock(
  w: Work,
  table: number,
  changes: readonly CountChange[],
  stage: Stage,
  ones: ClusterSet
): Plan<void> {
  const { refcountOrder } = w.g
  const base = table * blockEntries(w.g)
  const [start, last] = [changes[0], changes.at(-1)]
  if (start === undefined || last === undefined) return
  const block = yield* blockOffset(w, table)
  if (block === 0)
    return yield* refuse('REF-07', `host cluster ${start.cluster} without a refcount block`, 'one that counts it')
  const from = start.cluster - base
  const counts = yield* countsOf(w, block, from, last.cluster + last.n - base)
  const changed = counts.bytes.slice()
  const view = viewOf(changed)
  const numbers = new RefcountView(changed, refcountOrder)
  const most = maxRefcount(refcountOrder)
  const exact = Math.min(Number(most), Number.MAX_SAFE_INTEGER)
  const packing = Math.floor(w.compressedCursor / clusterSize(w.g))
  for (const { cluster, n, by } of changes)
    for (let c = cluster, i = counts.first + cluster - start.cluster; c < cluster + n; c++, i++) {
      const count = numbers.count(i)
      const sum = count + by
      if (sum < 0 || sum > exact || count > exact) {
        const large = refcountAt(view, refcountOrder, i) + BigInt(by)
        if (large < 0n || large > most) return yield* outOfRange(w, c, large)
        setRefcount(view, refcountOrder, i, large)
      } else setRefcount(view, refcountOrder, i, sum)
      if (sum === 1) ones.add(c)
      if (sum > 0) continue
      w.firstFree = Math.min(w.firstFree, c)
      // Nothing is packed behind payloads that are gone: their cluster may become anything.
      if (c === packing) w.compressedCursor = 0
    }
  yield* w.tx.put('refcount block', stage, counts.at, changed)
}

/**
 * Changes counts whose refcount blocks exist; the changes are in the order of their clusters. Tells which of these
 * clusters count one now. Refused where a count would pass its width or fall below zero. @see REF-07
 */
export function* changeCounts(w: Work, changes: Iterable<CountChange>, stage: Stage): Plan<ClusterSet> {
  const entries = blockEntries(w.g)
  const ones = new ClusterSet()
  let table = 0
  let inBlock: CountChange[] = []
  for (const { cluster, n, by } of changes)
    for (let c = cluster, next = c; c < cluster + n; c = next) {
      const of = Math.floor(c / entries)
      next = Math.min(cluster + n, (of + 1) * entries)
      if (of !== table) {
        yield* changeBlock(w, table, inBlock, stage, ones)
        inBlock = []
        table = of
      }
      inBlock.push({ cluster: c, n: next - c, by })
    }
  yield* changeBlock(w, table, inBlock, stage, ones)
  return ones
}

/** Adds `by` to the counts of `n` host clusters from `cluster` on, as {@link changeCounts} does. @see REF-07 */
export function* addToCounts(w: Work, cluster: number, n: number, by: number, stage: Stage): Plan<void> {
  yield* changeCounts(w, [{ cluster, n, by }], stage)
}

const outOfRange = (w: Work, cluster: number, count: bigint): Plan<void> =>
  refuse('REF-07', `a count of ${count} for host cluster ${cluster}`, `0 to ${maxRefcount(w.g.refcountOrder)}`, {
    structure: 'refcount block',
    at: cluster * clusterSize(w.g),
    size: clusterSize(w.g)
  })

/** A block whose first `used` counts are one. */
const blockOf = (w: Work, used: number): Uint8Array => {
  const bytes = new Uint8Array(clusterSize(w.g))
  const view = viewOf(bytes)
  for (let i = 0; i < used; i++) setRefcount(view, w.g.refcountOrder, i, 1n)
  return bytes
}

/** Words of 64 bits, one after the other. */
export const words = (values: readonly number[]): Uint8Array => {
  const bytes = new Uint8Array(8 * values.length)
  const view = viewOf(bytes)
  values.forEach((value, i) => {
    view.setBigUint64(8 * i, BigInt(value))
  })
  return bytes
}

/**
 * Makes refcount blocks for `k` ranges from entry `table` on, none of which has one. They stand at the start of the first
 * range, which counts them, so that one word of the refcount table brings them in. Refused where that is the header's
 * range: its block is lost, and its counts with it. @see REF-20 and WR-04
 */
export function* coverRanges(w: Work, table: number, k: number): Plan<void> {
  const size = clusterSize(w.g)
  const first = table * blockEntries(w.g)
  if (first === 0)
    return yield* refuse('WR-04', 'no refcount block for the header', 'one that counts it', {
      structure: 'refcount table entry',
      field: 'refcount_block_offset',
      at: w.refcountTable.at,
      size: 8
    })
  w.tx.markNew(first, k)
  for (let i = 0; i < k; i++) {
    yield* w.tx.put('refcount block', 'prepare', (first + i) * size, blockOf(w, i === 0 ? k : 0))
    yield* w.tx.put(
      'refcount table',
      i === 0 ? 'cover' : 'extend',
      w.refcountTable.at + 8 * (table + i),
      words([(first + i) * size])
    )
  }
}

/** Clusters of a refcount table for this many entries and half as many more, as far as the limit allows. @see REF-06 */
const tableClusters = (w: Work, entries: number): number => {
  const size = clusterSize(w.g)
  const most = Math.max(1, maxRefcountTable / size)
  return Math.max(Math.ceil((8 * entries) / size), Math.min(most, Math.ceil((8 * 1.5 * entries) / size)))
}

/**
 * Lets the header name another refcount table, whose blocks count what the present ones do. Its offset and its length are
 * two words: a version 3 image is dirty while they change unless it is marked corrupt, and one of version 2 relies on the
 * sector.
 *
 * @see FEAT-04 and FEAT-05
 */
export function* switchTable(w: Work, at: number, clusters: number): Plan<void> {
  const features = w.header.incompatibleFeatures
  const guarded = w.g.version === 3 && !features.dirty && !features.corrupt
  if (guarded) yield* w.changeHeader('prepare', { incompatibleFeatures: { ...features, dirty: true } })
  yield* w.changeHeader('cover', { refcountTableOffset: BigInt(at), refcountTableClusters: clusters })
  if (guarded) yield* w.changeHeader('expose', { incompatibleFeatures: features })
}

/**
 * Moves the refcount table behind everything it covers, with room for half as many entries more. The first new blocks
 * count themselves and the new table. @see REF-21 and REF-22
 */
export function* growTable(w: Work): Plan<void> {
  const size = clusterSize(w.g)
  const { at, entries } = w.refcountTable
  const start = entries * blockEntries(w.g)
  const { k, t } = newArea(w, entries)
  if (t * size > maxRefcountTable)
    return yield* refuse('REF-06', `${t * size} bytes of refcount table`, `at most ${maxRefcountTable}`)
  const old = yield* readAt(at, 8 * entries)
  w.tx.markNew(start, k + t)
  for (let i = 0; i < k; i++) {
    const used = Math.min(blockEntries(w.g), k + t - i * blockEntries(w.g))
    yield* w.tx.put('refcount block', 'prepare', (start + i) * size, blockOf(w, used))
  }
  const table = new Uint8Array(t * size)
  table.set(old)
  table.set(words(Array.from({ length: k }, (_, i) => (start + i) * size)), 8 * entries)
  yield* w.tx.put('refcount table', 'prepare', (start + k) * size, table)
  yield* switchTable(w, (start + k) * size, t)
  for (let i = 0; i < (8 * entries) / size; i++) w.released.push(at / size + i)
}

/** Blocks and table clusters of a table with room for more than `entries`, the blocks counting both. */
const newArea = (w: Work, entries: number): { readonly k: number; readonly t: number } => {
  for (let k = 1; ; k++) {
    const t = tableClusters(w, entries + k)
    if (k * blockEntries(w.g) >= k + t) return { k, t }
  }
}

/** Whether block `table`, at byte `block`, counts nothing but itself. */
function* isEmpty(w: Work, table: number, block: number): Plan<boolean> {
  const { table: home, entry } = refcountPlace(w.g, block / clusterSize(w.g))
  const view = new RefcountView(yield* readAt(block, clusterSize(w.g)), w.g.refcountOrder)
  for (let i = 0; i < view.length; i++) if (view.count(i) !== 0 && !(home === table && i === entry)) return false
  return true
}

/**
 * Takes refcount blocks that count nothing but themselves out of the refcount table: one word each, with which the counts
 * of a whole range are 0. A block that another one counts is released. @see RS-04
 */
export function* dropEmptyBlocks(w: Work, stage: 'prepare' | 'expose'): Plan<void> {
  const size = clusterSize(w.g)
  for (const { table, block } of yield* allBlocks(w)) {
    if (!(yield* isEmpty(w, table, block))) continue
    yield* w.tx.put('refcount table', stage, w.refcountTable.at + 8 * table, words([0]))
    if (refcountPlace(w.g, block / size).table !== table) w.released.push(block / size)
    w.firstFree = Math.min(w.firstFree, block / size)
  }
}

/** Host byte behind the last cluster that has a count. */
export function* countedEnd(w: Work): Plan<number> {
  for (const { table, block } of (yield* allBlocks(w)).toReversed()) {
    const view = new RefcountView(yield* readAt(block, clusterSize(w.g)), w.g.refcountOrder)
    for (let i = view.length - 1; i >= 0; i--)
      if (view.count(i) !== 0) return (table * view.length + i + 1) * clusterSize(w.g)
  }
  return 0
}
