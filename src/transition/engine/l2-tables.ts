/** The active tree: finding L2 entries, and making their tables writable. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { concat, viewOf } from '../../bytes/octets.js'
import { clusterSize, l1Coverage, l2EntrySize } from '../../format/geometry.js'
import { l1Entry } from '../../format/l1.js'
import { l2Entry, type L2Entry } from '../../format/l2.js'
import { clusterSpan } from '../../format/compressed.js'
import { L2View } from '../../format/views.js'
import { allocateBytes } from './allocate.js'
import { refuse, type Work } from './work.js'
import type { Stage } from './transaction.js'

/** Bit 63 of an entry. @see L1-01 and L2-04 */
const copied = 1n << 63n

/** Where the L2 table of a guest byte hangs: byte offset of the L1 entry, and what it says. */
interface Branch {
  readonly at: number
  readonly l2TableOffset: number
  readonly copied: boolean
}

function* branch(w: Work, guest: number): Plan<Branch> {
  const index = Math.floor(guest / l1Coverage(w.g))
  if (index >= w.l1.entries)
    return yield* refuse<Branch>('RD-01', `guest byte ${guest}`, `a byte that the ${w.l1.entries} L1 entries cover`)
  const at = w.l1.at + 8 * index
  const entry = l1Entry.leaf.ofWord(viewOf(yield* readAt(at, 8)).getBigUint64(0))
  const l2TableOffset = Number(entry.l2TableOffset)
  return l2TableOffset % clusterSize(w.g) === 0
    ? { at, l2TableOffset, copied: entry.copied }
    : yield* refuse<Branch>('L1-05', `0x${l2TableOffset.toString(16)}`, 'a multiple of the cluster size', {
        structure: 'L1 table entry',
        field: 'l2_table_offset',
        at,
        size: 8
      })
}

/** Guest cluster index within its L2 table, in bytes from the table's start. */
const entryOffset = (w: Work, guest: number): number =>
  Math.floor((guest % l1Coverage(w.g)) / clusterSize(w.g)) * l2EntrySize(w.g)

const unallocated = (w: Work): L2Entry => ({
  _tag: 'Unallocated',
  copied: false,
  reserved: 0n,
  ...(w.g.extendedL2 ? { subclusters: { allocated: 0, zeros: 0 } } : {})
})

/** The L2 entries of `n` guest clusters from the one that holds byte `guest` on, which hang from one L1 entry. @see RD-01 and RD-02 */
export function* entriesOf(w: Work, guest: number, n: number): Plan<readonly L2Entry[]> {
  const { l2TableOffset } = yield* branch(w, guest)
  const none = unallocated(w)
  if (l2TableOffset === 0) return Array.from({ length: n }, () => none)
  const at = l2TableOffset + entryOffset(w, guest)
  const view = new L2View(yield* readAt(at, n * l2EntrySize(w.g)), w.g)
  const entries = Array.from({ length: n }, (_, i) => view.entry(i))
  const bad = entries.findIndex((e) => (hostClusterOf(e) ?? 0) % clusterSize(w.g) !== 0)
  return bad === -1
    ? entries
    : yield* refuse<readonly L2Entry[]>(
        'L2-02',
        `0x${(hostClusterOf(entries[bad]) ?? 0).toString(16)}`,
        'a multiple of the cluster size',
        {
          structure: 'L2 entry',
          field: 'host_cluster_offset',
          at: at + bad * l2EntrySize(w.g),
          size: 8
        }
      )
}

/** Host byte of the cluster that an entry names; `undefined` where it names none. */
export const hostClusterOf = (e: L2Entry | undefined): number | undefined =>
  e?._tag === 'Normal' || e?._tag === 'ZeroAllocated' ? Number(e.hostClusterOffset) : undefined

/** The L2 entry of the guest cluster that holds byte `guest`. */
export function* entryOf(w: Work, guest: number): Plan<L2Entry> {
  const [entry = unallocated(w)] = yield* entriesOf(w, guest, 1)
  return entry
}

/**
 * The L2 table of a guest byte, which may be written: its own where the L1 entry says that nobody shares it, else a new
 * one with the same entries. With `anew` it is always a new one, which nobody sees before its L1 entry. @see WR-02
 */
export function* writableTable(w: Work, guest: number, anew = false): Plan<number> {
  const { at, l2TableOffset, copied: own } = yield* branch(w, guest)
  if (l2TableOffset !== 0 && own && (!anew || w.tx.isNew(l2TableOffset / clusterSize(w.g)))) return l2TableOffset
  const size = clusterSize(w.g)
  const table = yield* allocateBytes(w, size)
  const content = l2TableOffset === 0 ? new Uint8Array(size) : yield* readAt(l2TableOffset, size)
  yield* w.tx.put('active L2 table', 'prepare', table, content)
  yield* putWord(w, 'active L1 table', 'expose', at, BigInt(table) | copied)
  if (l2TableOffset !== 0) w.released.push(l2TableOffset / size)
  return table
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

/** Which of two words changes first; or both at once, in a new table. */
type Order = 'descriptor first' | 'bitmap first' | 'at once'

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

const noBits = { allocated: 0, zeros: 0 }

/**
 * Changes the L2 entries of guest clusters from byte `guest` on, which hang from one L1 entry; none of them has been
 * changed before in this round. One word changes at once. Two words change one after the other where each state between
 * them is a right one, and otherwise together, in a new table. @see L2-01 and SUB-01
 */
export function* putEntries(w: Work, guest: number, from: readonly L2Entry[], to: readonly L2Entry[]): Plan<void> {
  const { encode } = l2Entry(w.g)
  const orders = from.map((e, i) => orderOf(e, to[i] ?? e))
  if (orders.includes('bitmap first')) w.releaseStage = 'retire'
  const before = from.map(encode)
  const after = to.map(encode)
  const at = (yield* writableTable(w, guest, orders.includes('at once'))) + entryOffset(w, guest)
  const between = after.map((bytes, i) => {
    const was = before[i] ?? bytes
    return orders[i] === 'bitmap first'
      ? concat([was.subarray(0, 8), bytes.subarray(8)])
      : concat([bytes.subarray(0, 8), was.subarray(8)])
  })
  yield* w.tx.put('active L2 table', 'expose', at, concat(between))
  if (w.g.extendedL2) yield* w.tx.put('active L2 table', 'settle', at, concat(after))
}

/** Changes the L2 entry of a guest cluster. */
export function* putEntry(w: Work, guest: number, from: L2Entry, to: L2Entry): Plan<void> {
  yield* putEntries(w, guest, [from], [to])
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
