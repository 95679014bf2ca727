/** The active tree: L2 entries by the L1 entry that leads to them, and tables that may be written. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { concat, viewOf } from '../../bytes/octets.js'
import { clusterSize, type Geometry, l1Coverage, l2EntrySize } from '../../format/geometry.js'
import { encodeL2Entry, type L2Entry } from '../../format/l2.js'
import { clusterSpan } from '../../format/compressed.js'
import { L1View, L2View } from '../../format/views.js'
import { allocateBytes } from './allocate.js'
import { refuse, type Work } from './work.js'
import type { Stage } from './transaction.js'

/** Bit 63 of an entry. @see L1-01 and L2-04 */
const copied = 1n << 63n

/** Which of two words changes first; or both at once, in a new table. */
type Order = 'descriptor first' | 'bitmap first' | 'at once'

const noBits = { allocated: 0, zeros: 0 }

/**
 * In which order the two words of an extended entry may change, so that between them every subcluster reads as it did
 * before or will after. @see SUB-03
 */
const orderOf = (from: L2Entry, to: L2Entry): Order => {
  const placed = (e: L2Entry): boolean => e._tag === 'Normal' || e._tag === 'ZeroAllocated'
  const [a, b] = [from.subclusters ?? noBits, to.subclusters ?? noBits]
  if (a.allocated === b.allocated && a.zeros === b.zeros) return 'descriptor first'
  if (from._tag === 'Compressed' || to._tag === 'Compressed') return 'at once'
  if (placed(to)) return 'descriptor first'
  return b.allocated === 0 ? 'bitmap first' : 'at once'
}

const unallocated = (g: Geometry): L2Entry => ({
  _tag: 'Unallocated',
  copied: false,
  reserved: 0n,
  ...(g.extendedL2 ? { subclusters: noBits } : {})
})

/** Host byte of the cluster that an entry names; `undefined` where it names none. */
export const hostClusterOf = (e: L2Entry | undefined): number | undefined =>
  e?._tag === 'Normal' || e?._tag === 'ZeroAllocated' ? Number(e.hostClusterOffset) : undefined

/**
 * The L2 table of one L1 entry: looked up once, read, and replaced by a copy before it is changed where somebody shares it.
 * The command that looked it up changes the L1 entry through it alone.
 */
export class L2Table {
  /** Host bytes of the L1 entry and of the table, which is 0 where there is none; and whether the table is the active tree's own. */
  constructor(
    private readonly w: Work,
    private readonly l1Entry: number,
    private at: number,
    private own: boolean
  ) {}

  /** The entries of `n` guest clusters from the one that holds byte `guest` on. @see RD-02 and L2-02 */
  *entries(guest: number, n: number): Plan<readonly L2Entry[]> {
    const { g } = this.w
    if (this.at === 0) return Array.from({ length: n }, () => unallocated(g))
    const at = this.at + this.offsetOf(guest)
    const view = new L2View(yield* readAt(at, n * l2EntrySize(g)), g)
    const entries = Array.from({ length: n }, (_, i) => view.entry(i))
    const bad = entries.findIndex((e) => (hostClusterOf(e) ?? 0) % clusterSize(g) !== 0)
    return bad === -1
      ? entries
      : yield* refuse<readonly L2Entry[]>(
          'L2-02',
          `0x${(hostClusterOf(entries[bad]) ?? 0).toString(16)}`,
          'a multiple of the cluster size',
          {
            structure: 'L2 entry',
            field: 'host_cluster_offset',
            at: at + bad * l2EntrySize(g),
            size: 8
          }
        )
  }

  /** The entry of the guest cluster that holds byte `guest`. */
  *entry(guest: number): Plan<L2Entry> {
    const [entry = unallocated(this.w.g)] = yield* this.entries(guest, 1)
    return entry
  }

  /**
   * Host byte of the table, which may be written: itself where nobody shares it, else a new one with the same entries.
   * With `anew` it is always a new one, which nobody sees before its L1 entry. @see WR-02
   */
  *writable(anew = false): Plan<number> {
    const { w, at } = this
    const size = clusterSize(w.g)
    if (at !== 0 && this.own && (!anew || w.tx.isNew(at / size))) return at
    const table = yield* allocateBytes(w, size)
    const content = at === 0 ? new Uint8Array(size) : yield* readAt(at, size)
    yield* w.tx.put('active L2 table', 'prepare', table, content)
    yield* putWord(w, 'active L1 table', 'expose', this.l1Entry, BigInt(table) | copied)
    if (at !== 0) w.released.push(at / size)
    this.at = table
    this.own = true
    return table
  }

  /**
   * Changes the entries of guest clusters from byte `guest` on; none of them has been changed before in this round. One
   * word changes at once. Two words change one after the other where each state between them is a right one, and otherwise
   * together, in a new table. @see L2-01 and SUB-01
   */
  *put(guest: number, from: readonly L2Entry[], to: readonly L2Entry[]): Plan<void> {
    const { w } = this
    const orders = from.map((e, i) => orderOf(e, to[i] ?? e))
    if (orders.includes('bitmap first')) w.releaseStage = 'retire'
    const before = from.map((e) => encodeL2Entry(e, w.g))
    const after = to.map((e) => encodeL2Entry(e, w.g))
    const at = (yield* this.writable(orders.includes('at once'))) + this.offsetOf(guest)
    const between = after.map((bytes, i) => {
      const was = before[i] ?? bytes
      return orders[i] === 'bitmap first'
        ? concat([was.subarray(0, 8), bytes.subarray(8)])
        : concat([bytes.subarray(0, 8), was.subarray(8)])
    })
    yield* w.tx.put('active L2 table', 'expose', at, concat(between))
    if (w.g.extendedL2) yield* w.tx.put('active L2 table', 'settle', at, concat(after))
  }

  /** Bytes from the start of the table to the entry of a guest byte. */
  private offsetOf(guest: number): number {
    const { g } = this.w
    return Math.floor((guest % l1Coverage(g)) / clusterSize(g)) * l2EntrySize(g)
  }
}

/** The L2 table of a guest byte that the L1 table covers. @see RD-01 and L1-05 */
export function* tableOf(w: Work, guest: number): Plan<L2Table> {
  const index = Math.floor(guest / l1Coverage(w.g))
  if (index >= w.l1.entries)
    return yield* refuse<L2Table>('RD-01', `guest byte ${guest}`, `a byte that the ${w.l1.entries} L1 entries cover`)
  const at = w.l1.at + 8 * index
  const entry = new L1View(yield* readAt(at, 8))
  const table = entry.l2TableOffset(0)
  return table % clusterSize(w.g) === 0
    ? new L2Table(w, at, table, entry.copied(0))
    : yield* refuse<L2Table>('L1-05', `0x${table.toString(16)}`, 'a multiple of the cluster size', {
        structure: 'L1 table entry',
        field: 'l2_table_offset',
        at,
        size: 8
      })
}

/** A guest cluster's L2 entry, and the table that it is in. */
export interface Slot {
  readonly table: L2Table
  readonly entry: L2Entry
}

/** The L2 entry of the guest cluster that holds byte `guest`. */
export function* entryOf(w: Work, guest: number): Plan<Slot> {
  const table = yield* tableOf(w, guest)
  return { table, entry: yield* table.entry(guest) }
}

/** Visits the L2 tables of guest bytes `[from, to)`, each with the guest bytes of the range that it covers. */
export function* eachTable(
  w: Work,
  from: number,
  to: number,
  visit: (table: L2Table, guest: number, end: number) => Plan<void>
): Plan<void> {
  const coverage = l1Coverage(w.g)
  for (let guest = from, end = from; guest < to; guest = end) {
    end = Math.min(to, (Math.floor(guest / coverage) + 1) * coverage)
    yield* visit(yield* tableOf(w, guest), guest, end)
  }
}

/** Changes one word of 64 bits. */
export function* putWord(
  w: Work,
  owner: Parameters<Work['tx']['put']>[0],
  stage: Stage,
  at: number,
  word: bigint
): Plan<void> {
  const bytes = new Uint8Array(8)
  viewOf(bytes).setBigUint64(0, word)
  yield* w.tx.put(owner, stage, at, bytes)
}

/** Marks for release what an entry refers to. @see REF-08 and CMP-06 */
export const releaseEntry = (w: Work, e: L2Entry): void => {
  const size = clusterSize(w.g)
  if (e._tag === 'Compressed') {
    const { first, last } = clusterSpan(e, w.g.clusterBits)
    for (let c = first; c <= last; c++) w.released.push(c)
  } else if ((e._tag === 'Normal' || e._tag === 'ZeroAllocated') && !w.g.externalDataFile)
    w.released.push(Number(e.hostClusterOffset) / size)
}
