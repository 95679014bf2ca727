/** The walk: everything in an image that refers to host clusters, in QEMU's order. */
import { bitmapStarts } from '../../format/bitmap-directory.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import type { Halves } from '../../bytes/words.js'
import { bitmapTableFaults, bitmapTableRules } from '../../format/bitmap.js'
import { clusterSize, type Geometry, l1Coverage } from '../../format/geometry.js'
import { headerFields } from '../../format/header.js'
import * as limits from '../../format/limits.js'
import { refcountTableFaults, refcountTableRules } from '../../format/refcount.js'
import { snapshotL1Rules, snapshotStarts } from '../../format/snapshot.js'
import { BitmapTableView, L1View } from '../../format/views.js'
import type { ByteRange } from '../byte-range.js'
import { trustedBitmaps, luksPointer, type Metadata, snapshotTablePlace } from '../metadata.js'
import { inconsistent, severityOf } from './findings.js'
import { eachTable, type Uses } from './l2-table.js'
import type { RefcountTable } from './refcounts.js'
import { activeTree, snapshotTree, type Tree } from './trees.js'
import type { Origin, Visitor } from './visitor.js'

/** Bytes of tables that a walk reads of the smallest image. */
const slack = 2 ** 26

/** One walk, which owns it. */
class Walk {
  /** Bytes of a cluster. */
  readonly size: number
  /** Bits that no sound bitmap table entry has. */
  readonly bitmapFaults: Halves
  /** L2 tables that the L1 tables name. */
  readonly uses: Uses = new Map()
  /** Bytes of tables that may still be read: those of a sound image are no more than the image. */
  private unread: number

  constructor(
    readonly g: Geometry,
    readonly fileLength: number,
    readonly visitor: Visitor
  ) {
    this.size = clusterSize(g)
    this.bitmapFaults = bitmapTableFaults(g.clusterBits)
    this.unread = 2 * fileLength + slack
  }

  claim(structure: string, at: number, size: number, origin: Origin = {}): void {
    if (size > 0) this.visitor.claim({ ...origin, structure, at, size })
  }

  /** Whether tables of `size` bytes more may be read; an error, once, where tables overlap without measure. */
  spend(size: number): boolean {
    const before = this.unread
    this.unread -= size
    const where = { structure: 'file', at: 0, size: this.fileLength }
    if (before >= 0 && this.unread < 0)
      this.visitor.find(
        'error',
        inconsistent('CHK-06', where, 'overlapping tables larger than the file', 'tables of fewer bytes')
      )
    if (this.unread < 0) this.visitor.skip()
    return this.unread >= 0
  }

  /** How many of `size` bytes of table entries at byte `at` lie in the file; an entry that its end cuts is one of them. */
  within(at: number, size: number): number {
    return Math.max(0, Math.min(size, Math.ceil((this.fileLength - at) / 8) * 8))
  }
}

/** The guest bytes of an L1 entry, as far as the disk goes. */
const covered = ({ disk }: Tree, at: number, size: number): ByteRange => ({
  at,
  size: at < disk ? Math.min(size, disk - at) : size
})

/** An L1 table: its own clusters, and the L2 tables that its entries name. @see CHK-01, L1-06 and SNAP-08 */
function* l1Table(w: Walk, tree: Tree): Plan<void> {
  const { at, entries, active } = tree
  w.claim('L1 table', at, 8 * entries, { entry: tree.entry, active })
  const there = w.within(at, 8 * entries)
  const view = new L1View(there === 0 ? new Uint8Array(0) : yield* readAt(at, there))
  const coverage = l1Coverage(w.g)
  for (let index = 0; index < view.length; index++) {
    if (view.words.hi(index) === 0 && view.words.lo(index) === 0) continue
    const guest = covered(tree, index * coverage, coverage)
    w.visitor.l1Entry({ tree, view, index, guest })
    const l2 = view.l2TableOffset(index)
    w.visitor.refer({ structure: 'L2 table', at: l2, size: w.size, active, entry: at + 8 * index, guest }, 1)
    const use = w.uses.get(l2)
    if (use !== undefined) {
      use.all++
      if (active) use.active++
      if (use.guest !== guest.at) use.elsewhere = true
    } else if (l2 < w.fileLength && w.spend(w.size))
      w.uses.set(l2, { active: active ? 1 : 0, all: 1, guest: guest.at, guestSize: guest.size, elsewhere: false })
  }
}

/** The trees of the snapshots, as far as their L1 tables can be read, and the snapshot table. @see SNAP-09 and SNAP-13 */
function* snapshots(w: Walk, m: Metadata): Plan<void> {
  const table = snapshotTablePlace(m)
  const starts = snapshotStarts(m.snapshots)
  if (m.snapshots.length < m.header.nbSnapshots) w.visitor.skip()
  for (const [i, s] of m.snapshots.entries()) {
    const at = table.at + (starts[i] ?? 0)
    if (!snapshotL1Rules.allows(s, w.g)) w.visitor.skip()
    else if (w.spend(Math.min(8 * s.l1Size, w.fileLength))) yield* l1Table(w, snapshotTree(m, w.g, s, at))
    else {
      const where = { structure: 'snapshot table entry', field: 'l1_table_offset', at, size: 8 }
      w.visitor.find('error', inconsistent('CHK-06', where, String(s.l1TableOffset), 'a table that can be read'))
    }
  }
  w.claim('snapshot table', table.at, table.size, { entry: headerFields.placeOf('snapshotsOffset').at })
}

/** Most bytes of a bitmap table that are read at a time: in a bitmap in use it has any length. */
const chunk = 2 ** 20

/** The clusters of bits that a bitmap table names. */
function* bitmapTable(w: Walk, table: number, entries: number): Plan<void> {
  const size = w.within(table, 8 * entries)
  if (size === 0 || !w.spend(size)) return
  for (let done = 0; done < size; done += chunk) {
    const view = new BitmapTableView(yield* readAt(table + done, Math.min(chunk, size - done)))
    for (let i = 0; i < view.length; i++) bitmapData(w, view, i, table + done + 8 * i)
  }
}

const bitmapData = (w: Walk, view: BitmapTableView, i: number, entry: number): void => {
  if (view.isZero(i)) return
  const offset = view.clusterOffset(i)
  const suspect = view.hasAny(i, w.bitmapFaults) || view.allOnes(i)
  const [issue] = suspect ? bitmapTableRules.judge(view.entry(i), w.g, entry) : []
  if (issue !== undefined) {
    w.visitor.find('error', issue)
    w.visitor.skip()
  } else if (offset !== 0) w.claim('bitmap data', offset, w.size, { entry })
}

/** The bitmap directory, and the tables and bits of its bitmaps. */
function* bitmaps(w: Walk, m: Metadata): Plan<void> {
  const extension = trustedBitmaps(m)
  if (extension === undefined) return
  const directory = Number(extension.bitmapDirectoryOffset)
  w.claim('bitmap directory', directory, Number(extension.bitmapDirectorySize))
  const starts = bitmapStarts(m.bitmaps)
  for (const [i, b] of m.bitmaps.entries()) {
    const at = Number(b.bitmapTableOffset)
    w.claim('bitmap table', at, 8 * b.bitmapTableSize, { entry: directory + (starts[i] ?? 0) })
    if (b.bitmapTableSize <= limits.maxBitmapTable) yield* bitmapTable(w, at, b.bitmapTableSize)
    else w.visitor.skip()
  }
}

/** The blocks that the refcount table names. A block is used once, by its table entry. @see CHK-01 */
const refcountBlocks = (w: Walk, { at, view }: RefcountTable): void => {
  const faults = refcountTableFaults(w.g.clusterBits)
  for (let i = 0; i < view.length; i++) {
    const entry = at + 8 * i
    const block = view.refcountBlockOffset(i)
    const [issue] = view.hasAny(i, faults) ? refcountTableRules.judge(view.entry(i), w.g, entry) : []
    if (issue !== undefined) w.visitor.find(severityOf(issue), issue)
    else if (block !== 0) w.visitor.refcountBlock({ structure: 'refcount block', at: block, size: w.size, entry })
  }
}

/**
 * Goes through everything in an image of `fileLength` bytes, in whole sectors, that refers to clusters; without `table`,
 * all but the refcount table and its blocks. Ends in the uses of the L2 tables. The work is bounded by the file: tables
 * that are shared are read once.
 *
 * @see GEN-02
 */
export function* walk(
  m: Metadata,
  g: Geometry,
  fileLength: number,
  table: RefcountTable | undefined,
  visitor: Visitor
): Plan<Uses> {
  const w = new Walk(g, fileLength, visitor)
  w.claim('header', 0, w.size)
  yield* l1Table(w, activeTree(m, g))
  yield* snapshots(w, m)
  yield* eachTable(w.uses, g, fileLength, function* (t) {
    visitor.l2Table(t)
  })
  const entry = headerFields.placeOf('refcountTableOffset').at
  if (table !== undefined) w.claim('refcount table', table.at, m.header.refcountTableClusters * w.size, { entry })
  const pointer = luksPointer(m)
  if (pointer !== undefined) w.claim('encryption area', Number(pointer.offset), Number(pointer.length))
  yield* bitmaps(w, m)
  if (table !== undefined) refcountBlocks(w, table)
  return w.uses
}
