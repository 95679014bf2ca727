/** Checking the trees: L1 tables of the active disk and the snapshots, and every L2 table once, however often it is used. */
import type { Complaint } from '../../bytes/issue.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { availableBytes } from '../../format/compressed.js'
import { l1Coverage, l2EntrySize } from '../../format/geometry.js'
import type { L2Entry } from '../../format/l2.js'
import { clusterKind, L1View } from '../../format/views.js'
import { type CheckState, inconsistent, invalid } from './state.js'
import { eachTable, entryPlace, guestOf, type Table, type Uses } from './l2-table.js'
import { farOffset, holdClusters, missingCopied, overlooked, strayCopied, strayTable } from './entries.js'
import type { Range } from '../gaps.js'

/** An L1 table and the tree under it. */
export interface Tree {
  /** Byte offset and entries of the L1 table. */
  readonly at: number
  readonly entries: number
  readonly active: boolean
  /** Bytes of the guest disk. */
  readonly disk: number
  /** Entries that map the disk and the VM state. */
  readonly reach: number
  /** Byte offset of the header field or snapshot table entry that leads to the L1 table. */
  readonly entry: number
}

const l1Reserved = (view: L1View, i: number): boolean =>
  (view.words.hi(i) & 0x7f00_0000) !== 0 || (view.words.lo(i) & 0x1ff) !== 0

const copiedWrong = (structure: string, at: number, copied: boolean, refcount: number): Complaint =>
  inconsistent(
    structure === 'L1 table entry' ? 'L1-01' : 'L2-04',
    { structure, field: 'copied', at, size: 8 },
    `${copied ? 'set' : 'clear'} at refcount ${refcount}`,
    'set if and only if the refcount is one'
  )

/** The guest bytes of an L1 entry, as far as the disk goes. */
const covered = ({ disk }: Tree, at: number, size: number): Range => ({
  at,
  size: at < disk ? Math.min(size, disk - at) : size
})

/** The refcount of the cluster at a host offset; `undefined` where its block cannot be read. */
export const refcountAt = (state: CheckState, offset: number, perBlock: number): number | undefined => {
  const cluster = Math.floor(offset / state.size)
  const index = Math.floor(cluster / perBlock)
  if (state.unreadable.has(index)) return undefined
  return state.far.get(index)?.count(cluster % perBlock) ?? state.refcounts.get(cluster)
}

/** An L1 table: its own clusters, its entries, and the uses of the L2 tables they name. @see CHK-01 */
export function* checkL1(state: CheckState, uses: Uses, tree: Tree, perBlock: number): Plan<void> {
  const { at, entries, active } = tree
  state.claim('L1 table', at, 8 * entries, tree)
  const there = Math.max(0, Math.min(8 * entries, Math.ceil((state.fileLength - at) / 8) * 8))
  const view = new L1View(there === 0 ? new Uint8Array(0) : yield* readAt(at, there))
  const coverage = l1Coverage(state.g)
  for (let i = 0; i < view.length; i++) {
    const [hi, lo] = [view.words.hi(i), view.words.lo(i)]
    if (hi === 0 && lo === 0) continue
    const spot = at + 8 * i
    const guest = i * coverage
    const l2 = view.l2TableOffset(i)
    const range = covered(tree, guest, coverage)
    const bad = (clause: Complaint['clause'], field: string, found: () => string, expected: string): void => {
      const where = { structure: 'L1 table entry', field, at: spot, size: 8 }
      state.find('corruption', { clause, render: () => invalid(clause, where, found(), expected) }, 1, range)
    }
    if (l1Reserved(view, i)) bad('L1-04', 'reserved', () => `0x${view.words.at(i).toString(16)}`, 'reserved bits zero')
    state.refer('L2 table', l2, state.size, 1, { active, entry: spot, guest: range })
    if (l2 !== 0 && i >= tree.reach)
      state.find('note', { clause: 'SNAP-12', render: () => strayTable(spot, l2) }, 1, range)
    if (l2 % state.size !== 0)
      bad('L1-05', 'l2_table_offset', () => `0x${l2.toString(16)}`, 'a multiple of the cluster size')
    const use = uses.get(l2)
    if (use !== undefined || (l2 < state.fileLength && state.spend(state.size)))
      uses.set(l2, {
        active: (use?.active ?? 0) + (active ? 1 : 0),
        all: (use?.all ?? 0) + 1,
        guest: use?.guest ?? guest,
        guestSize: use?.guestSize ?? range.size,
        elsewhere: use !== undefined && (use.elsewhere || use.guest !== guest)
      })
    if (active && l2 !== 0) {
      const refcount = refcountAt(state, l2, perBlock)
      const copied = hi >>> 31 === 1
      if (refcount !== undefined && (refcount === 1) !== copied) {
        state.copiedFlags++
        state.find('corruption', copiedWrong('L1 table entry', spot, copied, refcount), 1, range)
      }
    }
  }
}

const standardReserved = (t: Table, i: number): boolean => {
  const stride = l2EntrySize(t.state.g) / 8
  return (t.view.words.hi(i * stride) & 0x3f00_0000) !== 0 || (t.view.words.lo(i * stride) & 0x1fe) !== 0
}

const corrupt = (t: Table, i: number, c: Complaint): void => {
  t.state.find('corruption', { ...c, at: entryPlace(t, i) + c.at }, t.use.all, guestOf(t, i))
}

const entryIssue = (clause: Complaint['clause'], field: string, found: string, expected: string, at = 0): Complaint =>
  invalid(clause, { structure: 'L2 entry', field, at, size: 8 }, found, expected)

const compressed = (t: Table, i: number): void => {
  const { state, view } = t
  const entry: L2Entry = view.entry(i)
  if (entry._tag !== 'Compressed') return
  farOffset(t, i, entry.hostOffset)
  if (entry.copied) corrupt(t, i, entryIssue('CMP-01', 'copied', 'set', 'clear in a compressed entry'))
  if (state.g.externalDataFile) {
    corrupt(t, i, entryIssue('DATA-05', 'compressed', 'set', 'clear with an external data file'))
    return
  }
  if (state.g.extendedL2 && (view.allocated(i) !== 0 || view.zeros(i) !== 0)) {
    corrupt(t, i, entryIssue('SUB-06', 'subclusters', 'a bitmap that is not zero', 'zero in a compressed entry', 8))
    return
  }
  const [at, size] = [view.hostOffset(i), availableBytes(entry)]
  if (state.refer('compressed cluster', at, size, t.use.all, { guest: guestOf(t, i) }))
    state.ownership.pack(Math.floor(at / state.size), Math.floor((at + size - 1) / state.size), t.use.all)
  state.totals.allocatedClusters += t.use.active
  state.totals.compressedClusters += t.use.active
  state.totals.fragmentedClusters += t.use.active
}

const copied = (t: Table, i: number, offset: number): void => {
  const { state } = t
  const refcount = state.g.externalDataFile ? 1 : refcountAt(state, offset, t.perBlock)
  const flag = t.view.words.hi((i * l2EntrySize(state.g)) / 8) >>> 31 === 1
  if (refcount === undefined || (refcount === 1) === flag) return
  state.copiedFlags += t.use.active
  state.find(
    'corruption',
    state.g.externalDataFile ? missingCopied(t, i) : copiedWrong('L2 entry', entryPlace(t, i), flag, refcount),
    t.use.active,
    guestOf(t, i)
  )
}

const bitmapClash = (t: Table, i: number): boolean =>
  t.state.g.extendedL2 && (t.view.allocated(i) & t.view.zeros(i)) !== 0

/**
 * How many entries from `i` on are standard clusters with nothing wrong in their bits, one behind the other from host
 * `offset` on and before `end`, a whole number of clusters. 0 where there is no cluster.
 */
const plainRun = (t: Table, i: number, offset: number, end: number): number => {
  const wrong = (t.view.words.hi(i) & 0x7f00_0000) !== 0 || (t.view.words.lo(i) & (t.state.size - 1)) !== 0
  if (wrong || offset === 0 || offset >= end) return 0
  return Math.min(t.view.words.steps(i, t.view.length, t.state.size), (end - offset) / t.state.size)
}

/** A run of `n` plain entries: their clusters lie one behind the other, and their copied flags are the same. */
const plain = (t: Table, i: number, n: number, offset: number, checkCopied: boolean): void => {
  const { state, view, use } = t
  const cluster = offset / state.size
  state.totals.allocatedClusters += n * use.active
  state.references.add(cluster, n, use.all)
  if (!checkCopied || state.refcounts.ones(cluster, n) === (view.words.hi(i) >>> 31 === 1 ? n : 0)) return
  for (let k = 0; k < n; k++) copied(t, i + k, offset + k * state.size)
}

/** Entries of an L2 table, in order. @see CHK-04 */
const checkEntries = (t: Table): void => {
  const { state, view, use } = t
  const simple = !state.g.extendedL2 && !state.g.externalDataFile && state.unreadable.size === 0
  // Of a table whose own refcount cannot be read QEMU checks no COPIED.
  const checkCopied = use.active > 0 && t.at !== 0 && refcountAt(state, t.at, t.perBlock) !== undefined
  const end = simple ? Math.floor(state.fileLength / state.size) * state.size : 0
  let next = 0
  for (let i = 0, n = 1; i < view.length; i += n) {
    const offset = view.hostClusterOffset(i)
    n = simple ? plainRun(t, i, offset, end) : 0
    if (n > 0) {
      plain(t, i, n, offset, checkCopied)
      if (next !== 0 && offset !== next) state.totals.fragmentedClusters += use.active
      next = offset + n * state.size
      continue
    }
    n = 1
    const kind = view.kind(i)
    if (kind === clusterKind.Compressed) {
      compressed(t, i)
      continue
    }
    if (standardReserved(t, i)) corrupt(t, i, entryIssue('L1-04', 'reserved', 'bits set', 'reserved bits zero'))
    if (kind === clusterKind.Unallocated) {
      if (state.g.extendedL2 && view.allocated(i) !== 0)
        corrupt(t, i, entryIssue('SUB-04', 'subclusters', 'allocated subclusters without a host cluster', 'none', 8))
      strayCopied(t, i)
      continue
    }
    if (kind === clusterKind.ZeroPlain) {
      strayCopied(t, i)
      continue
    }
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
    if (!state.g.externalDataFile) state.refer('data cluster', offset, state.size, use.all, { guest: guestOf(t, i) })
    if (checkCopied) copied(t, i, offset)
  }
}

/** Every L2 table that is used: what QEMU counts in it, and what it overlooks. */
export const checkL2Tables = (state: CheckState, uses: Uses): Plan<void> =>
  eachTable(state, uses, function* (t) {
    checkEntries(t)
    overlooked(t)
    if (state.ownership.shared) holdClusters(t)
    state.expect('L2 table', t.at, state.size, { at: t.use.guest, size: t.use.guestSize })
  })
