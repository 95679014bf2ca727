/** Refcounts: how a command reads them and changes them in their blocks. */
import { failOn, type Plan, readAt } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { blockEntries, clusterSize } from '../../format/geometry.js'
import { maxRefcount, refcountAt, refcountPlace, refcountTableRules, setRefcount } from '../../format/refcount.js'
import { RefcountTableView, RefcountView } from '../../format/views.js'
import { ClusterSet } from '../../image/cluster-set.js'
import type { CommandState } from './command-state.js'
import { refuse } from './refuse.js'
import type { Stage } from './stages.js'
import { beyondFiles } from './transaction.js'

const offsetRules = refcountTableRules.about('refcountBlockOffset')

/** The host offset in entry `index` of the refcount table, which is entry `i` of a view. */
function* offsetIn(w: CommandState, view: RefcountTableView, i: number, index: number): Plan<number> {
  const offset = view.refcountBlockOffset(i)
  yield* w.mustAlign(offset, () => offsetRules.judge(view.entry(i), w.g, w.refcountTable.at + 8 * index))
  yield* failOn(beyondFiles('refcount block', offset, clusterSize(w.g)))
  return offset
}

/** The host offset of the refcount block of entry `index` of the refcount table; 0: none, and its refcounts are 0. @see REF-03 */
export function* blockOffset(w: CommandState, index: number): Plan<number> {
  if (index >= w.refcountTable.entries) return 0
  const view = new RefcountTableView(yield* readAt(w.refcountTable.at + 8 * index, 8))
  return yield* offsetIn(w, view, 0, index)
}

/** A refcount block: its entry in the refcount table, and its host offset. */
interface RefcountBlock {
  readonly index: number
  readonly at: number
}

/** All refcount blocks, in the order of the refcount table. */
export function* allBlocks(w: CommandState): Plan<readonly RefcountBlock[]> {
  const view = new RefcountTableView(yield* readAt(w.refcountTable.at, 8 * w.refcountTable.entries))
  const blocks: RefcountBlock[] = []
  for (let index = 0; index < view.length; index++) {
    const at = yield* offsetIn(w, view, index, index)
    if (at !== 0) blocks.push({ index, at })
  }
  return blocks
}

/** The bytes that hold some refcounts of a block. */
interface BlockPart {
  /** Host offset of the first byte. */
  readonly at: number
  readonly bytes: Uint8Array
  /** The number that the first refcount has in the bytes. */
  readonly first: number
}

/** Refcounts `[from, to)` of the block at host byte `block`. */
function* readRefcounts(w: CommandState, block: number, from: number, to: number): Plan<BlockPart> {
  const width = 2 ** w.g.refcountOrder
  const start = Math.floor((from * width) / 8)
  const end = Math.ceil((to * width) / 8)
  const bytes = yield* readAt(block + start, end - start)
  return { at: block + start, bytes, first: from - (start * 8) / width }
}

/** The refcount of a host cluster. @see REF-03 */
export function* refcountOf(w: CommandState, cluster: number): Plan<bigint> {
  const { table, entry } = refcountPlace(w.g, cluster)
  const block = yield* blockOffset(w, table)
  if (block === 0) return 0n
  const part = yield* readRefcounts(w, block, entry, entry + 1)
  return refcountAt(viewOf(part.bytes), w.g.refcountOrder, part.first)
}

/** `n` host clusters from `cluster` on, and what is added to the refcount of each. */
export interface RefcountChange {
  readonly cluster: number
  readonly n: number
  /** A number, unless it is beyond 2^53. */
  readonly by: number | bigint
}

/**
 * Changes refcounts of the block of entry `index`, which is read and written once. The changes are in ascending order.
 *
 * @see CW-05
 */
function* changeBlock(
  w: CommandState,
  index: number,
  changes: readonly RefcountChange[],
  stage: Stage,
  ones: ClusterSet
): Plan<void> {
  const { refcountOrder } = w.g
  const base = index * blockEntries(w.g)
  const [start, last] = [changes[0], changes.at(-1)]
  if (start === undefined || last === undefined) return
  const block = yield* blockOffset(w, index)
  if (block === 0)
    return yield* refuse(
      'REF-07',
      `host cluster ${start.cluster} without a refcount block`,
      'one that holds its refcount'
    )
  const part = yield* readRefcounts(w, block, start.cluster - base, last.cluster + last.n - base)
  const changed = part.bytes.slice()
  const view = viewOf(changed)
  const refcounts = new RefcountView(changed, refcountOrder)
  const most = maxRefcount(refcountOrder)
  const exact = Math.min(Number(most), Number.MAX_SAFE_INTEGER)
  const appendable = Math.floor(w.compressedCursor / clusterSize(w.g))
  for (const { cluster, n, by } of changes)
    for (let c = cluster, i = part.first + cluster - start.cluster; c < cluster + n; c++, i++) {
      const before = refcounts.count(i)
      const after = before + Number(by)
      if (after < 0 || after > exact || before > exact) {
        const large = refcountAt(view, refcountOrder, i) + BigInt(by)
        if (large < 0n || large > most) return yield* outOfRange(w, c, large)
        setRefcount(view, refcountOrder, i, large)
      } else setRefcount(view, refcountOrder, i, after)
      if (after === 1) ones.add(c)
      if (after > 0) continue
      w.firstFree = Math.min(w.firstFree, c)
      // No payload is appended to a cluster that is free: it may become anything.
      if (c === appendable) w.compressedCursor = 0
    }
  yield* w.tx.put('refcount block', stage, part.at, changed)
}

const outOfRange = (w: CommandState, cluster: number, refcount: bigint): Plan<void> =>
  refuse('REF-07', `a refcount of ${refcount} for host cluster ${cluster}`, `0 to ${maxRefcount(w.g.refcountOrder)}`, {
    structure: 'refcount block',
    at: cluster * clusterSize(w.g),
    size: clusterSize(w.g)
  })

/**
 * Changes refcounts in blocks that exist; the changes are in the order of their clusters. Returns the clusters of them whose
 * refcount is one now. Refused where a refcount would not fit its width or fall below zero.
 *
 * @see REF-07
 */
export function* changeRefcounts(w: CommandState, changes: Iterable<RefcountChange>, stage: Stage): Plan<ClusterSet> {
  const entries = blockEntries(w.g)
  const ones = new ClusterSet()
  let index = 0
  let inBlock: RefcountChange[] = []
  for (const { cluster, n, by } of changes)
    for (let c = cluster, next = c; c < cluster + n; c = next) {
      const of = Math.floor(c / entries)
      next = Math.min(cluster + n, (of + 1) * entries)
      if (of !== index) {
        yield* changeBlock(w, index, inBlock, stage, ones)
        inBlock = []
        index = of
      }
      inBlock.push({ cluster: c, n: next - c, by })
    }
  yield* changeBlock(w, index, inBlock, stage, ones)
  return ones
}

/** Adds `by` to the refcounts of `n` host clusters from `cluster` on, as {@link changeRefcounts} does. @see REF-07 */
export function* addToRefcounts(
  w: CommandState,
  cluster: number,
  n: number,
  by: number | bigint,
  stage: Stage
): Plan<void> {
  yield* changeRefcounts(w, [{ cluster, n, by }], stage)
}
