/** Checking the trees: L1 tables of the active disk and the snapshots, and every L2 table once, however often it is used. */
import type { Complaint } from '../bytes/issue.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { availableBytes } from '../format/compressed.js'
import { l1Coverage, l2EntrySize } from '../format/geometry.js'
import { type L2Entry, l2Entry } from '../format/l2.js'
import { clusterKind, L1View, L2View } from '../format/views.js'
import { type CheckState, inconsistent } from './check-state.js'

/** How often an L2 table is used: by the active tree, by all trees, and for which guest bytes first. */
export interface Use {
  readonly active: number
  readonly all: number
  readonly guest: number
}

/** Uses of L2 tables by host offset. */
export type Uses = Map<number, Use>

const l1Reserved = (view: L1View, i: number): boolean =>
  (view.words.hi(i) & 0x7f00_0000) !== 0 || (view.words.lo(i) & 0x1ff) !== 0

const copiedWrong = (structure: string, at: number, copied: boolean, refcount: number): Complaint =>
  inconsistent(
    structure === 'L1 table entry' ? 'L1-01' : 'L2-04',
    structure,
    at,
    8,
    `${copied ? 'set' : 'clear'} at refcount ${refcount}`,
    'set if and only if the refcount is one',
    'copied'
  )

/** The refcount of the cluster at a host offset; `undefined` where its block cannot be read. */
const refcountAt = (state: CheckState, offset: number, perBlock: number): number | undefined => {
  const cluster = Math.floor(offset / state.size)
  const index = Math.floor(cluster / perBlock)
  if (state.unreadable.has(index)) return undefined
  return state.far.get(index)?.count(cluster % perBlock) ?? state.refcounts.get(cluster)
}

/** An L1 table: its own clusters, its entries, and the uses of the L2 tables they name. @see CHK-01 */
export function* checkL1(
  state: CheckState,
  uses: Uses,
  at: number,
  entries: number,
  active: boolean,
  perBlock: number
): Plan<void> {
  state.refer('L1 table', at, 8 * entries)
  const there = Math.max(0, Math.min(8 * entries, Math.ceil((state.fileLength - at) / 8) * 8))
  const view = new L1View(there === 0 ? new Uint8Array(0) : yield* readAt(at, there))
  for (let i = 0; i < view.length; i++) {
    const [hi, lo] = [view.words.hi(i), view.words.lo(i)]
    if (hi === 0 && lo === 0) continue
    const spot = at + 8 * i
    const guest = i * l1Coverage(state.g)
    const l2 = view.l2TableOffset(i)
    if (l1Reserved(view, i))
      state.find('corruption', {
        ...inconsistent(
          'L1-04',
          'L1 table entry',
          spot,
          8,
          `0x${view.words.at(i).toString(16)}`,
          'reserved bits zero',
          'reserved'
        ),
        phase: 'invalid'
      })
    state.refer('L2 table', l2, state.size)
    if (l2 % state.size !== 0)
      state.find('corruption', {
        ...inconsistent(
          'L1-05',
          'L1 table entry',
          spot,
          8,
          `0x${l2.toString(16)}`,
          'a multiple of the cluster size',
          'l2_table_offset'
        ),
        phase: 'invalid'
      })
    const use = uses.get(l2)
    if (use !== undefined || (l2 < state.fileLength && state.spend(state.size)))
      uses.set(l2, {
        active: (use?.active ?? 0) + (active ? 1 : 0),
        all: (use?.all ?? 0) + 1,
        guest: use?.guest ?? guest
      })
    if (active && l2 !== 0) {
      const refcount = refcountAt(state, l2, perBlock)
      const copied = hi >>> 31 === 1
      if (refcount !== undefined && (refcount === 1) !== copied)
        state.find('corruption', copiedWrong('L1 table entry', spot, copied, refcount))
    }
  }
}

/** What one L2 table is checked with. */
interface Table {
  readonly state: CheckState
  readonly view: L2View
  readonly at: number
  readonly use: Use
  readonly perBlock: number
}

const standardReserved = (t: Table, i: number): boolean => {
  const stride = l2EntrySize(t.state.g) / 8
  return (t.view.words.hi(i * stride) & 0x3f00_0000) !== 0 || (t.view.words.lo(i * stride) & 0x1fe) !== 0
}

const corrupt = (t: Table, i: number, c: Complaint): void => {
  t.state.find('corruption', { ...c, at: t.at + i * l2EntrySize(t.state.g) + c.at }, t.use.all, guestOf(t, i))
}

const guestOf = (t: Table, i: number) => ({ at: t.use.guest + i * t.state.size, size: t.state.size })

const entryIssue = (
  clause: Complaint['clause'],
  field: string,
  found: string,
  expected: string,
  at = 0
): Complaint => ({
  ...inconsistent(clause, 'L2 entry', at, 8, found, expected, field),
  phase: 'invalid'
})

const compressed = (t: Table, i: number): void => {
  const { state, view } = t
  const entry: L2Entry = view.entry(i)
  if (entry._tag !== 'Compressed') return
  if (entry.copied) corrupt(t, i, entryIssue('CMP-01', 'copied', 'set', 'clear in a compressed entry'))
  if (state.g.externalDataFile) {
    corrupt(t, i, entryIssue('DATA-05', 'compressed', 'set', 'clear with an external data file'))
    return
  }
  if (state.g.extendedL2 && (view.allocated(i) !== 0 || view.zeros(i) !== 0)) {
    corrupt(t, i, entryIssue('SUB-06', 'subclusters', 'a bitmap that is not zero', 'zero in a compressed entry', 8))
    return
  }
  state.refer('compressed cluster', view.hostOffset(i), availableBytes(entry), t.use.all)
  state.totals.allocatedClusters += t.use.active
  state.totals.compressedClusters += t.use.active
  state.totals.fragmentedClusters += t.use.active
}

const copied = (t: Table, i: number, offset: number): void => {
  const { state } = t
  const refcount = state.g.externalDataFile ? 1 : refcountAt(state, offset, t.perBlock)
  const flag = t.view.words.hi((i * l2EntrySize(state.g)) / 8) >>> 31 === 1
  if (refcount !== undefined && (refcount === 1) !== flag)
    state.find(
      'corruption',
      copiedWrong('L2 entry', t.at + i * l2EntrySize(state.g), flag, refcount),
      t.use.active,
      guestOf(t, i)
    )
}

const bitmapClash = (t: Table, i: number): boolean =>
  t.state.g.extendedL2 && (t.view.allocated(i) & t.view.zeros(i)) !== 0

/**
 * The host offset of entry `i` when it is a standard cluster with nothing wrong in its bits, well within the file;
 * 0 otherwise.
 */
const plainOffset = (t: Table, i: number, low: number, end: number): number => {
  const [hi, lo] = [t.view.words.hi(i), t.view.words.lo(i)]
  if ((hi & 0x7f00_0000) !== 0 || (lo & low) !== 0) return 0
  const offset = (hi & 0x00ff_ffff) * 0x1_0000_0000 + lo
  return offset < end ? offset : 0
}

/** Entries of an L2 table, in order. @see CHK-04 */
const checkEntries = (t: Table): void => {
  const { state, view, use } = t
  const { references, refcounts, totals } = state
  const simple = !state.g.extendedL2 && !state.g.externalDataFile && state.unreadable.size === 0
  // Of a table whose own refcount cannot be read QEMU checks no COPIED.
  const checkCopied = use.active > 0 && t.at !== 0 && refcountAt(state, t.at, t.perBlock) !== undefined
  const low = state.size - 1
  const end = simple ? state.fileLength - state.size : 0
  let next = 0
  for (let i = 0; i < view.length; i++) {
    const plain = simple ? plainOffset(t, i, low, end) : 0
    if (plain !== 0) {
      const cluster = plain / state.size
      totals.allocatedClusters += use.active
      if (next !== 0 && plain !== next) totals.fragmentedClusters += use.active
      next = plain + state.size
      references.add(cluster, use.all)
      if (checkCopied && (refcounts.get(cluster) === 1) !== (view.words.hi(i) >>> 31 === 1)) copied(t, i, plain)
      continue
    }
    const kind = view.kind(i)
    if (kind === clusterKind.Compressed) {
      compressed(t, i)
      continue
    }
    if (standardReserved(t, i)) corrupt(t, i, entryIssue('L1-04', 'reserved', 'bits set', 'reserved bits zero'))
    if (kind === clusterKind.Unallocated) {
      if (state.g.extendedL2 && view.allocated(i) !== 0)
        corrupt(t, i, entryIssue('SUB-04', 'subclusters', 'allocated subclusters without a host cluster', 'none', 8))
      continue
    }
    if (kind === clusterKind.ZeroPlain) continue
    const offset = view.hostClusterOffset(i)
    if (bitmapClash(t, i))
      corrupt(t, i, entryIssue('SUB-04', 'subclusters', 'both bits of a subcluster set', 'at most one', 8))
    if (offset % state.size !== 0)
      corrupt(
        t,
        i,
        entryIssue('L2-02', 'host_cluster_offset', `0x${offset.toString(16)}`, 'a multiple of the cluster size')
      )
    state.totals.allocatedClusters += use.active
    if (next !== 0 && offset !== next) state.totals.fragmentedClusters += use.active
    next = offset + state.size
    if (!state.g.externalDataFile) state.refer('data cluster', offset, state.size, use.all)
    if (checkCopied) copied(t, i, offset)
  }
}

/** What QEMU looks away from: bits of an entry that only the format forbids. */
const flaws = (t: Table): void => {
  const codec = l2Entry(t.state.g)
  if (t.state.g.version !== 2 && !t.state.g.extendedL2) return
  for (let i = 0; i < t.view.length; i++) {
    const suspicious = (t.view.words.lo((i * l2EntrySize(t.state.g)) / 8) & 1) === 1
    if (!suspicious || t.view.kind(i) === clusterKind.Compressed) continue
    for (const f of codec.judge(t.view.entry(i), t.at + i * l2EntrySize(t.state.g)))
      if (f.clause === 'L2-05' || f.clause === 'SUB-05') t.state.find('flaw', f, 1, guestOf(t, i))
  }
}

/** Every L2 table that is used, once each, in the order of the file. */
export function* checkL2Tables(state: CheckState, uses: Uses, perBlock: number): Plan<void> {
  for (const [at, use] of [...uses].sort((a, b) => a[0] - b[0])) {
    if (at >= state.fileLength) continue
    const view = new L2View(yield* readAt(at, state.size), state.g)
    const table = { state, view, at, use, perBlock }
    checkEntries(table)
    flaws(table)
  }
}
