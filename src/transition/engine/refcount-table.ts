/** The refcount table: how it grows and moves, gets new blocks, and loses those that are empty. */
import { imageFile, type Plan, readAt } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { encodeWords } from '../../bytes/words.js'
import { blockEntries, clusterSize } from '../../format/geometry.js'
import { maxRefcountTable } from '../../format/limits.js'
import { refcountPlace, refcountTableEntry, setRefcount } from '../../format/refcount.js'
import { RefcountView } from '../../format/views.js'
import type { CommandState } from './command-state.js'
import { mayHave, refuse } from './refuse.js'
import { allBlocks, refcountOf } from './refcounts.js'
import type { Stage } from './stages.js'

/** Writes `k` blocks to the clusters from `first` on, whose refcounts they hold: those of the first `n` are one. */
export function* putBlocks(w: CommandState, first: number, k: number, n: number): Plan<void> {
  const perBlock = blockEntries(w.g)
  for (let i = 0; i < k; i++) {
    const block = new Uint8Array(clusterSize(w.g))
    const view = viewOf(block)
    for (let e = 0; e < perBlock && i * perBlock + e < n; e++) setRefcount(view, w.g.refcountOrder, e, 1n)
    yield* w.tx.put('refcount block', 'prepare', (first + i) * clusterSize(w.g), block)
  }
}

/** The stage in which block `i` of several becomes part of the image: after the block with its refcount. */
const stageOfBlock = (w: CommandState, i: number): Stage =>
  i === 0 ? 'cover' : i < blockEntries(w.g) ? 'extend' : 'record'

/**
 * Adds blocks for `k` entries of the refcount table from `index` on, none of which has one: at most the square of the
 * entries of a block, 4096 or more, where 64 MiB, the largest table of an image, take 2081. The blocks are the first
 * clusters whose refcounts they hold, so that one word of the refcount table adds the first block and its own refcounts.
 * Refused where that is the block of the header: it is lost, and its refcounts with it.
 *
 * @see REF-20 and WR-04
 */
export function* addBlocks(w: CommandState, index: number, k: number): Plan<void> {
  const size = clusterSize(w.g)
  const first = index * blockEntries(w.g)
  if (first === 0)
    return yield* refuse('WR-04', 'no refcount block for the header', 'one that holds its refcount', {
      ...refcountTableEntry.placeOf('refcountBlockOffset'),
      at: w.refcountTable.at
    })
  w.tx.markNew(first, k)
  yield* putBlocks(w, first, k, k)
  for (let i = 0; i < k; i++) {
    const entry = w.refcountTable.at + 8 * (index + i)
    yield* w.tx.putWord('refcount table', stageOfBlock(w, i), entry, (first + i) * size)
  }
}

/** Clusters of a refcount table for this many entries and half as many more, as far as the limit allows. @see REF-06 */
const tableClusters = (w: CommandState, entries: number): number => {
  const size = clusterSize(w.g)
  const most = Math.max(1, maxRefcountTable / size)
  return Math.max(Math.ceil((8 * entries) / size), Math.min(most, Math.ceil((8 * 1.5 * entries) / size)))
}

/**
 * Makes the header name another refcount table, with the same refcounts. Offset and length of the table are two words: a
 * version 3 image is dirty while they change unless it is marked corrupt, and one of version 2 relies on their sector being
 * written at once.
 *
 * @see FEAT-04 and FEAT-05
 */
export function* switchRefcountTable(w: CommandState, at: number, clusters: number): Plan<void> {
  const features = w.header.incompatibleFeatures
  const guarded = w.g.version === 3 && !features.dirty && !features.corrupt
  if (guarded) yield* w.changeHeader('prepare', { incompatibleFeatures: { ...features, dirty: true } })
  yield* w.changeHeader('cover', { refcountTableOffset: BigInt(at), refcountTableClusters: clusters })
  if (guarded) yield* w.changeHeader('expose', { incompatibleFeatures: features })
}

/**
 * Moves the refcount table past everything that it covers, with half as many entries more. The new blocks hold the
 * refcounts of themselves and of the new table.
 *
 * @see REF-21 and REF-22
 */
export function* growRefcountTable(w: CommandState): Plan<void> {
  const size = clusterSize(w.g)
  const { at, entries } = w.refcountTable
  const start = entries * blockEntries(w.g)
  const { k, t } = newArea(w, entries)
  yield* mayHave(w.header, { refcountTableClusters: t })
  const old = yield* readAt(at, 8 * entries)
  w.tx.markNew(start, k + t)
  yield* putBlocks(w, start, k, k + t)
  const table = new Uint8Array(t * size)
  table.set(old)
  table.set(encodeWords(Array.from({ length: k }, (_, i) => (start + i) * size)), 8 * entries)
  yield* w.tx.put('refcount table', 'prepare', (start + k) * size, table)
  yield* switchRefcountTable(w, (start + k) * size, t)
  w.release(at, 8 * entries)
}

/** Numbers of blocks `k` and of table clusters `t` for a table of more than `entries` entries, such that the blocks cover both. */
const newArea = (w: CommandState, entries: number): { readonly k: number; readonly t: number } => {
  for (let k = 1; ; k++) {
    const t = tableClusters(w, entries + k)
    if (k * blockEntries(w.g) >= k + t) return { k, t }
  }
}

/** Whether the block of entry `index`, at host byte `at`, holds no refcount except its own. */
function* isEmpty(w: CommandState, index: number, at: number): Plan<boolean> {
  const own = refcountPlace(w.g, at / clusterSize(w.g))
  const view = new RefcountView(yield* readAt(at, clusterSize(w.g)), w.g.refcountOrder)
  for (let i = 0; i < view.length; i++)
    if (view.count(i) !== 0 && !(own.table === index && i === own.entry)) return false
  return true
}

/**
 * Takes empty blocks out of the refcount table: one word each, with which all refcounts of the block are 0. A block whose
 * own refcount is in another one is released. Refused where the refcount of an empty block is not one: the refcounts are
 * damaged, and others may be lost.
 *
 * @see RS-04 and CHK-04
 */
export function* dropEmptyBlocks(w: CommandState, stage: 'prepare' | 'expose'): Plan<void> {
  const size = clusterSize(w.g)
  for (const { index, at } of yield* allBlocks(w)) {
    if (!(yield* isEmpty(w, index, at))) continue
    const own = yield* refcountOf(w, at / size)
    if (own !== 1n)
      yield* refuse('CHK-04', `refcount ${own} of the block of entry ${index}`, 'refcount 1', {
        structure: 'refcount block',
        at
      })
    yield* w.tx.putWord('refcount table', stage, w.refcountTable.at + 8 * index, 0)
    if (refcountPlace(w.g, at / size).table !== index) w.released.push(at / size)
    w.firstFree = Math.min(w.firstFree, at / size)
  }
}

/**
 * The host byte after the last cluster that has a refcount and begins before byte `end`. Refused where none has, as that of
 * the header should.
 */
function* referencedEnd(w: CommandState, end: number): Plan<number> {
  const clusters = Math.ceil(end / clusterSize(w.g))
  for (const { index, at } of (yield* allBlocks(w)).toReversed()) {
    const view = new RefcountView(yield* readAt(at, clusterSize(w.g)), w.g.refcountOrder)
    const first = index * view.length
    for (let i = Math.min(view.length, clusters - first) - 1; i >= 0; i--)
      if (view.count(i) !== 0) return (first + i + 1) * clusterSize(w.g)
  }
  return yield* refuse('CHK-04', 'no refcount above 0', 'refcount 1 of the header')
}

/** Cuts off the image file after its last cluster that has a refcount. A file that ends before that stays as long as it is. */
export function* cutFile(w: CommandState, stage: Stage): Plan<void> {
  const end = Math.max(w.fileSize, w.tx.end)
  const length = yield* referencedEnd(w, end)
  if (length < end) w.tx.schedule(stage, { _tag: 'Truncate', file: imageFile, length })
}
