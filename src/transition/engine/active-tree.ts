/** The active tree: the L1 table, the L2 tables that it names, and their entries, found and changed. */
import { maskOf } from '../../bytes/bits.js'
import { concat, viewOf } from '../../bytes/octets.js'
import { failOn, type Plan, readAt } from '../../bytes/plan.js'
import { clusterSpan } from '../../format/compressed.js'
import { clusterSize, type Geometry, l1Coverage, l2EntrySize } from '../../format/geometry.js'
import { l1Entry, l1OffsetRules } from '../../format/l1.js'
import { encodeL2Entry, type L2Entry, type Normal, type ZeroAllocated } from '../../format/l2.js'
import { dataFileRules, l2Rules } from '../../format/l2-rules.js'
import { L1View, L2View } from '../../format/views.js'
import { allocateBytes } from './allocate.js'
import type { CommandState, TablePlace } from './command-state.js'
import { mayHave, refuse } from './refuse.js'
import type { Section } from './sections.js'

/** The COPIED flag of an L1 entry, which is that of an L2 entry too. @see L1-01 and L2-04 */
export const copiedFlag = maskOf(l1Entry.leaf.rows.copied)

/** The rule for the host offset of a cluster. */
export const hostRules = l2Rules.about('hostClusterOffset')

/** The rules for the bits of subclusters. @see SUB-04 */
const subclusterRules = l2Rules.about('subclusters')

/** Whether an entry names a host cluster that holds nothing else. */
export const isPlaced = (e: L2Entry): e is L2Entry & (Normal | ZeroAllocated) =>
  e._tag === 'Normal' || e._tag === 'ZeroAllocated'

/** The host offset of the cluster that an entry names; `undefined` where it names none. */
export const hostClusterOf = (e: L2Entry): number | undefined => (isPlaced(e) ? Number(e.hostClusterOffset) : undefined)

/** Which word of an extended L2 entry changes first; or both at once, in a new table. */
type WordOrder = 'descriptor first' | 'bitmap first' | 'at once'

/** A bitmap in which no subcluster is allocated or reads as zeros. */
export const noSubclusters = { allocated: 0, zeros: 0 }

/**
 * The order in which the two words of an extended L2 entry may change, so that between them every subcluster reads as
 * before or as afterwards.
 *
 * @see SUB-03
 */
const orderOf = (from: L2Entry, to: L2Entry): WordOrder => {
  const [a, b] = [from.subclusters ?? noSubclusters, to.subclusters ?? noSubclusters]
  if (a.allocated === b.allocated && a.zeros === b.zeros) return 'descriptor first'
  if (from._tag === 'Compressed' || to._tag === 'Compressed') return 'at once'
  if (isPlaced(to)) return 'descriptor first'
  return b.allocated === 0 ? 'bitmap first' : 'at once'
}

/** The entry of a cluster that has never been written. */
const unallocated = (g: Geometry): L2Entry => ({
  _tag: 'Unallocated',
  copied: false,
  reserved: 0n,
  ...(g.extendedL2 ? { subclusters: noSubclusters } : {})
})

/** Releases the clusters that an entry refers to. @see REF-08 and CMP-06 */
export const releaseEntry = (w: CommandState, e: L2Entry): void => {
  const host = hostClusterOf(e)
  if (e._tag === 'Compressed') {
    const { first, last } = clusterSpan(e, w.g.clusterBits)
    for (let c = first; c <= last; c++) w.released.push(c)
  } else if (host !== undefined && !w.g.externalDataFile) w.released.push(host / clusterSize(w.g))
}

/** The bytes of `n` L2 entries: the first, and others whose host clusters each follow the one before. */
export const encodeRun = (first: L2Entry, n: number, g: Geometry): Uint8Array => {
  const bytes = encodeL2Entry(first, g)
  const step = 'hostClusterOffset' in first ? BigInt(clusterSize(g)) : 0n
  const out = new Uint8Array(n * bytes.length)
  const view = viewOf(out)
  let word = viewOf(bytes).getBigUint64(0)
  for (let at = 0; at < out.length; at += bytes.length, word += step) {
    out.set(bytes, at)
    view.setBigUint64(at, word)
  }
  return out
}

/**
 * The L2 table of one L1 entry. It is looked up once, and replaced by a copy before a change where it is shared. One command
 * owns it, and changes the L1 entry through it alone.
 */
export class WritableL2Table {
  /** `l1At` is the host byte of the L1 entry; `at` that of the table, 0 where there is none; `copied` the COPIED flag. */
  constructor(
    private readonly w: CommandState,
    private readonly l1At: number,
    private at: number,
    private copied: boolean
  ) {}

  /**
   * The entries of `n` guest clusters from the one of byte `guest` on; with `valid` it fails for an invalid combination of
   * subcluster bits.
   *
   * @see RD-02, L2-02, DATA-04 and SUB-04
   */
  *entries(guest: number, n: number, valid = false): Plan<readonly L2Entry[]> {
    const { g } = this.w
    if (this.at === 0) return Array.from({ length: n }, () => unallocated(g))
    const at = this.at + this.offsetOf(guest)
    const view = new L2View(yield* readAt(at, n * l2EntrySize(g)), g)
    const entries = Array.from({ length: n }, (_, i) => view.entry(i))
    const first = guest - (guest % clusterSize(g))
    for (const [i, e] of entries.entries()) {
      const place = at + i * l2EntrySize(g)
      const host = hostClusterOf(e) ?? 0
      yield* this.w.mustAlign(host, () => hostRules.judge(e, g, place))
      if (valid) yield* failOn(subclusterRules.judge(e, g, place))
      if (g.externalDataFile && isPlaced(e))
        yield* failOn(dataFileRules.judge({ host, guest: first + i * clusterSize(g) }, undefined, place))
    }
    return entries
  }

  /** The entry of the guest cluster of byte `guest`. */
  *entry(guest: number): Plan<L2Entry> {
    const [entry = unallocated(this.w.g)] = yield* this.entries(guest, 1)
    return entry
  }

  /**
   * The host offset of the table, which may be written from now on: a shared table is replaced by a copy. With `anew` an
   * old table is replaced too, so that nobody sees its changes before the L1 entry changes.
   *
   * @see WR-02
   */
  *writable(anew = false): Plan<number> {
    const { w, at } = this
    const size = clusterSize(w.g)
    if (at !== 0 && this.copied && (!anew || w.tx.isNew(at / size))) return at
    const table = yield* allocateBytes(w, size)
    const content = at === 0 ? new Uint8Array(size) : yield* readAt(at, size)
    yield* w.tx.put('active L2 table', 'prepare', table, content)
    yield* w.tx.putWord('active L1 table', 'expose', this.l1At, BigInt(table) | copiedFlag)
    if (at !== 0) w.released.push(at / size)
    this.at = table
    this.copied = true
    return table
  }

  /**
   * Changes the entries of guest clusters from byte `guest` on, none of which has changed before in this round. One word
   * changes at once. Two words change one after the other where a crash between them is harmless, else together in a new
   * table.
   *
   * @see L2-01 and SUB-01
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
export function* l2TableOf(w: CommandState, guest: number): Plan<WritableL2Table> {
  const index = Math.floor(guest / l1Coverage(w.g))
  if (index >= w.l1.entries)
    return yield* refuse<WritableL2Table>(
      'RD-01',
      `guest byte ${guest}`,
      `a byte that the ${w.l1.entries} L1 entries cover`
    )
  const at = w.l1.at + 8 * index
  const entry = new L1View(yield* readAt(at, 8))
  const table = entry.l2TableOffset(0)
  yield* w.mustAlign(table, () => l1OffsetRules.judge(entry.entry(0), w.g, at))
  return new WritableL2Table(w, at, table, entry.copied(0))
}

/** The L2 entry of a guest cluster, and its table. */
interface FoundEntry {
  readonly table: WritableL2Table
  readonly entry: L2Entry
}

/** The L2 entry of the guest cluster of byte `guest`, and its table. */
export function* entryOf(w: CommandState, guest: number): Plan<FoundEntry> {
  const table = yield* l2TableOf(w, guest)
  return { table, entry: yield* table.entry(guest) }
}

/** Visits the L2 tables of guest bytes `[from, to)`, each with the part of the range that it covers. */
export function* eachL2Table(
  w: CommandState,
  from: number,
  to: number,
  visit: (table: WritableL2Table, guest: number, end: number) => Plan<void>
): Plan<void> {
  const coverage = l1Coverage(w.g)
  for (let guest = from, end = from; guest < to; guest = end) {
    end = Math.min(to, (Math.floor(guest / coverage) + 1) * coverage)
    yield* visit(yield* l2TableOf(w, guest), guest, end)
  }
}

/** Writes an L1 table of `entries` entries to new clusters: those of another table, and zeros after them. */
export function* copyL1(w: CommandState, from: TablePlace, entries: number, section: Section): Plan<TablePlace> {
  if (entries === 0) return { at: 0, entries }
  const at = yield* allocateBytes(w, 8 * entries)
  const bytes = new Uint8Array(8 * entries)
  if (from.entries > 0) bytes.set(yield* readAt(from.at, 8 * from.entries))
  yield* w.tx.put(section, 'prepare', at, bytes)
  return { at, entries }
}

/**
 * Moves the L1 table to a place where it has at least `entries` entries. The new table begins with the old entries, so that
 * the header may name its place first and its length afterwards.
 *
 * @see RS-02 and L1-03
 */
export function* growL1(w: CommandState, entries: number): Plan<void> {
  const old = w.l1
  if (entries <= old.entries) return
  yield* mayHave(w.header, { l1Size: entries })
  const { at } = yield* copyL1(w, old, entries, 'active L1 table')
  yield* w.changeHeader('expose', { l1TableOffset: BigInt(at) })
  yield* w.changeHeader('settle', { l1Size: entries })
  w.release(old.at, 8 * old.entries)
}
