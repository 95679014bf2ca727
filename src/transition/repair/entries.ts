/** Repairing the entries of L1 and L2 tables: bits without a meaning are cleared, and COPIED flags follow the refcounts. */
import type { RuleTable } from '../../bytes/judgement.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize, l2EntrySize } from '../../format/geometry.js'
import { l1Entry, l1Rules } from '../../format/l1.js'
import { type Cluster, type L2Context, type L2Entry, wordOfCluster } from '../../format/l2.js'
import { isUnalignedReserve, l2Rules, l2Sound } from '../../format/l2-rules.js'
import { sectorSize } from '../../format/limits.js'
import { L1View, L2View } from '../../format/views.js'
import type { Examined } from '../../image/check/check.js'
import { severityOf } from '../../image/check/findings.js'
import { copiedFlag } from '../engine/active-tree.js'
import type { CommandState } from '../engine/command-state.js'
import type { Section } from '../engine/sections.js'

/** An L1 entry that names an L2 table. */
interface L2Reference {
  /** Host byte of the L1 entry. */
  readonly l1At: number
  readonly word: bigint
  /** Host byte of the L2 table. */
  readonly at: number
  readonly active: boolean
  /** Whether the table is aligned and begins in the file. */
  readonly isReadable: boolean
  /** Whether an earlier entry, of any tree, names the same table. */
  readonly again: boolean
}

/** Visits the L1 entries of all trees that name an L2 table, the active tree first. */
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
      if (at === 0) continue
      const isReadable = at % size === 0 && at < e.state.fileLength
      yield* visit({ l1At: l1 + 8 * i, word: view.words.at(i), at, active, isReadable, again: seen.has(at) })
      seen.add(at)
    }
  }
}

/**
 * An L2 entry without its reserved bits, and without a COPIED flag where none can be. One whose host offset is not aligned and
 * holds no data keeps its zeros and loses its host cluster.
 *
 * @see L1-04, CMP-01 and CHK-08
 */
const repairedCluster = (e: L2Entry, ctx: L2Context): Cluster => {
  if (isUnalignedReserve(e, ctx))
    return { _tag: ctx.extendedL2 ? 'Unallocated' : 'ZeroPlain', copied: false, reserved: 0n }
  if (e._tag === 'Compressed') return { ...e, copied: false }
  const copied = e.copied && (e._tag === 'Normal' || e._tag === 'ZeroAllocated')
  return { ...e, copied, reserved: 0n }
}

/** How many corruptions an entry has by itself. */
const corruptionsOf = <A, C>(rules: RuleTable<A, C>, entry: A, context: C): number =>
  [...rules.brokenBy(entry, context)].filter((rule) => severityOf(rule) === 'corruption').length

/** Repairs the entries of an L2 table at host byte `at`. Returns how many corruptions that has fixed. */
function* repairTable(w: CommandState, at: number): Plan<number> {
  const [size, stride, isSound] = [clusterSize(w.g), l2EntrySize(w.g), l2Sound(w.g)]
  const view = new L2View(yield* readAt(at, size), w.g)
  let fixed = 0
  for (let i = 0; i < view.length; i++) {
    if (view.isZero(i) || isSound(view, i)) continue
    const entry = view.entry(i)
    const repaired = repairedCluster(entry, w.g)
    const word = wordOfCluster(repaired, w.g)
    if (word === view.words.at((i * stride) / 8)) continue
    yield* w.tx.putWord('active L2 table', 'prepare', at + i * stride, word)
    const { subclusters } = entry
    const after = subclusters === undefined ? repaired : { ...repaired, subclusters }
    fixed += corruptionsOf(l2Rules, entry, w.g) - corruptionsOf(l2Rules, after, w.g)
  }
  return fixed
}

/**
 * Clears the bits of entries that have no meaning: reserved bits, the COPIED flags of compressed clusters, and host offsets
 * that are not aligned and hold no data. An L1 entry that names no table in the file stays. Returns how many corruptions that
 * has fixed.
 *
 * @see CHK-08 and CHK-10
 */
export function* repairEntries(w: CommandState, e: Examined): Plan<number> {
  let fixed = 0
  yield* eachReference(w, e, function* ({ l1At, word, at, active, isReadable, again }): Plan<void> {
    if (!isReadable) return
    const entry = l1Entry.leaf.ofWord(word)
    const section = active ? 'active L1 table' : 'inactive L1 table'
    if (entry.reserved !== 0n) {
      const repaired = { ...entry, reserved: 0n }
      yield* w.tx.putWord(section, 'prepare', l1At, l1Entry.leaf.toWord(repaired))
      fixed += corruptionsOf(l1Rules, entry, w.g) - corruptionsOf(l1Rules, repaired, w.g)
    }
    if (!again) fixed += yield* repairTable(w, at)
  })
  return fixed
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
  yield* eachReference(w, e, function* ({ l1At, word, at, active, isReadable, again }): Plan<void> {
    if (!active) return
    yield* follow('active L1 table', l1At, word, state.refcounts.at(at))
    if (!isReadable || again) return
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
  yield* eachReference(w, e, function* ({ at, active, isReadable, again }): Plan<void> {
    if (!active || !isReadable || again) return
    const view = new L2View(yield* readAt(at, size), w.g)
    for (let i = 0; i < view.length; i++) {
      if (!view.isPlaced(i)) continue
      const offset = view.hostClusterOffset(i)
      if (offset % size === 0 && offset + size <= most) end = Math.max(end, offset + size)
    }
  })
  if (end > fileLength) w.tx.write('guest data', 'prepare', end - sectorSize, new Uint8Array(sectorSize))
}
