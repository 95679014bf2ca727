/** Repairing the entries of L1 and L2 tables: bits without a meaning are cleared, and COPIED flags follow the refcounts. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize, l2EntrySize } from '../../format/geometry.js'
import { l1Entry } from '../../format/l1.js'
import { clusterOfWord, type L2Context, wordOfCluster } from '../../format/l2.js'
import { sectorSize } from '../../format/limits.js'
import { L1View, L2View } from '../../format/views.js'
import type { Examined } from '../../image/check/check.js'
import { copiedFlag } from '../engine/active-tree.js'
import type { CommandState } from '../engine/command-state.js'
import type { Section } from '../engine/sections.js'

/** An L1 entry that names an L2 table in the file. */
interface L2Reference {
  /** Host byte of the L1 entry. */
  readonly l1At: number
  readonly word: bigint
  /** Host byte of the L2 table. */
  readonly at: number
  readonly active: boolean
  /** Whether an earlier entry, of any tree, names the same table. */
  readonly again: boolean
}

/** Visits the L1 entries of all trees, the active one first, that name an L2 table in the file. */
function* eachReference(w: CommandState, e: Examined, visit: (reference: L2Reference) => Plan<void>): Plan<void> {
  const size = clusterSize(w.g)
  const { header, snapshots } = e.metadata
  const trees = [
    { l1: Number(header.l1TableOffset), entries: header.l1Size, active: true },
    ...snapshots.map((s) => ({ l1: Number(s.l1TableOffset), entries: s.l1Size, active: false }))
  ]
  const seen = new Set<number>()
  for (const { l1, entries, active } of trees.filter((t) => t.l1 % size === 0)) {
    const there = Math.max(0, Math.min(8 * entries, e.state.fileLength - l1))
    const view = new L1View(yield* readAt(l1, there - (there % 8)))
    for (let i = 0; i < view.length; i++) {
      const at = view.l2TableOffset(i)
      if (at === 0 || at % size !== 0 || at >= e.state.fileLength) continue
      yield* visit({ l1At: l1 + 8 * i, word: view.words.at(i), at, active, again: seen.has(at) })
      seen.add(at)
    }
  }
}

/**
 * The word of an L2 entry without its reserved bits, and without a COPIED flag where none can be. A zero cluster whose host
 * offset is not aligned keeps its zeros and loses its host cluster.
 *
 * @see L1-04, CMP-01 and CHK-08
 */
const repairedWord = (word: bigint, ctx: L2Context): bigint => {
  const c = clusterOfWord(word, ctx)
  if (c._tag === 'Compressed') return wordOfCluster({ ...c, copied: false }, ctx)
  if (c._tag === 'ZeroAllocated' && c.hostClusterOffset % (1n << BigInt(ctx.clusterBits)) !== 0n)
    return wordOfCluster({ _tag: 'ZeroPlain', copied: false, reserved: 0n }, ctx)
  const copied = c.copied && (c._tag === 'Normal' || c._tag === 'ZeroAllocated')
  return wordOfCluster({ ...c, copied, reserved: 0n }, ctx)
}

/** Clears the bits of entries that have no meaning: reserved bits, and the COPIED flags of compressed clusters. @see CHK-10 */
export function* repairEntries(w: CommandState, e: Examined): Plan<void> {
  const stride = l2EntrySize(w.g)
  yield* eachReference(w, e, function* ({ l1At, word, at, active, again }): Plan<void> {
    const entry = l1Entry.leaf.ofWord(word)
    const section = active ? 'active L1 table' : 'inactive L1 table'
    if (entry.reserved !== 0n)
      yield* w.tx.putWord(section, 'prepare', l1At, l1Entry.leaf.toWord({ ...entry, reserved: 0n }))
    if (again) return
    const view = new L2View(yield* readAt(at, clusterSize(w.g)), w.g)
    for (let i = 0; i < view.length; i++) {
      const was = view.words.at((i * stride) / 8)
      const repaired = repairedWord(was, w.g)
      if (repaired !== was) yield* w.tx.putWord('active L2 table', 'prepare', at + i * stride, repaired)
    }
  })
}

/** Sets the COPIED flags of the active tree where the refcount is one, and clears the others. @see L2-04 */
export function* repairCopied(w: CommandState, e: Examined): Plan<void> {
  const { state } = e
  const stride = l2EntrySize(w.g)
  function* follow(section: Section, at: number, word: bigint, refcount: number | undefined): Plan<void> {
    if (refcount === undefined) return
    const next = refcount === 1 ? word | copiedFlag : word & ~copiedFlag
    if (next !== word) yield* w.tx.putWord(section, 'prepare', at, next)
  }
  yield* eachReference(w, e, function* ({ l1At, word, at, active, again }): Plan<void> {
    if (!active) return
    yield* follow('active L1 table', l1At, word, state.refcounts.at(at))
    if (again) return
    const view = new L2View(yield* readAt(at, state.size), w.g)
    for (let i = 0; i < view.length; i++) {
      if (!view.isPlaced(i)) continue
      const refcount = w.g.externalDataFile ? 1 : state.refcounts.at(view.hostClusterOffset(i))
      yield* follow('active L2 table', at + i * stride, view.words.at((i * stride) / 8), refcount)
    }
  })
}

/**
 * Extends the file of a dirty image to the end of the clusters that its active tree names, so that they can have refcounts:
 * under the dirty bit entries may be durable before their clusters. They read as zeros before and afterwards. An entry that
 * is further past the end than the disk has clusters is left alone.
 *
 * @see FEAT-04, GEN-03 and CHK-02
 */
export function* extendFile(w: CommandState, e: Examined): Plan<void> {
  if (!w.header.incompatibleFeatures.dirty || w.g.externalDataFile) return
  const { size, fileLength } = e.state
  const most = (Math.ceil(fileLength / size) + Math.ceil(Number(w.header.size) / size)) * size
  let end = 0
  yield* eachReference(w, e, function* ({ at, active }): Plan<void> {
    if (!active) return
    const view = new L2View(yield* readAt(at, size), w.g)
    for (let i = 0; i < view.length; i++) {
      if (!view.isPlaced(i)) continue
      const offset = view.hostClusterOffset(i)
      if (offset % size === 0 && offset + size <= most) end = Math.max(end, offset + size)
    }
  })
  if (end > fileLength) w.tx.write('guest data', 'prepare', end - sectorSize, new Uint8Array(sectorSize))
}
