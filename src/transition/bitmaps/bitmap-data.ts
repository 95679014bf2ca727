/** Bitmap data: bits set in place, and bitmap tables written anew. */
import type { BitmapEntry } from '../../format/bitmap-directory.js'
import { bitAt, equal, setBits } from '../../bytes/octets.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { encodeWords } from '../../bytes/words.js'
import { bitmapBits, bitmapTableEntries, bitmapTableRules } from '../../format/bitmap.js'
import { clusterSize } from '../../format/geometry.js'
import { presentedSize } from '../../format/header-rules.js'
import { BitmapTableView } from '../../format/views.js'
import { tableIsSane } from '../../image/bitmap-tables.js'
import { allocateBytes } from '../engine/allocate.js'
import type { CommandState } from '../engine/command-state.js'
import { refcountOf } from '../engine/refcounts.js'
import { refuse } from '../engine/refuse.js'

/** Bits in a cluster of bitmap data. */
const bitsPerCluster = (w: CommandState): number => 8 * clusterSize(w.g)

function* tableOf(b: BitmapEntry): Plan<BitmapTableView> {
  return new BitmapTableView(yield* readAt(Number(b.bitmapTableOffset), 8 * b.bitmapTableSize))
}

/** Writes a cluster of bits to a new cluster, and returns its host offset. */
function* newBits(w: CommandState, bits: Uint8Array): Plan<number> {
  const at = yield* allocateBytes(w, bits.length)
  yield* w.tx.put('bitmap data', 'prepare', at, bits)
  return at
}

/** Writes a bitmap table with these entries to new clusters, and returns its host offset. */
export function* newTable(w: CommandState, entries: readonly number[]): Plan<number> {
  const at = yield* allocateBytes(w, 8 * entries.length)
  yield* w.tx.put('bitmap table', 'prepare', at, encodeWords(entries))
  return at
}

/** Releases the table of a bitmap and its clusters of bits, as far as the table can be read. @see BMP-13 and BMP-09 */
export function* releaseBitmap(w: CommandState, b: BitmapEntry): Plan<void> {
  if (!tableIsSane(b, w.g)) return
  const table = yield* tableOf(b)
  for (let i = 0; i < table.length; i++)
    if (table.clusterOffset(i) !== 0 && bitmapTableRules.judge(table.entry(i), w.g).length === 0)
      w.released.push(table.clusterOffset(i) / clusterSize(w.g))
  w.release(Number(b.bitmapTableOffset), 8 * b.bitmapTableSize)
}

/** Refuses to change a cluster of the bitmap in place that another one shares, whose bits would change too. @see BMP-13 */
function* mayChange(w: CommandState, structure: string, at: number): Plan<void> {
  const refcount = yield* refcountOf(w, Math.floor(at / clusterSize(w.g)))
  if (refcount > 1n)
    yield* refuse('BMP-13', `refcount ${refcount}`, '1, to record a write in place; remove a bitmap that shares it', {
      structure,
      at
    })
}

/** Sets bits `[from, to)` of one bitmap. @see BMP-05 and BMP-06 */
function* record(w: CommandState, b: BitmapEntry, from: number, to: number): Plan<void> {
  const per = bitsPerCluster(w)
  for (let i = Math.floor(from / per); i * per < to; i++) {
    const [first, end] = [Math.max(from - i * per, 0), Math.min(to - i * per, per)]
    const at = Number(b.bitmapTableOffset) + 8 * i
    const entry = new BitmapTableView(yield* readAt(at, 8))
    const host = entry.clusterOffset(0)
    if (host !== 0) {
      const start = Math.floor(first / 8)
      const old = yield* readAt(host + start, Math.ceil(end / 8) - start)
      const bits = old.slice()
      setBits(bits, first - 8 * start, end - 8 * start)
      if (equal(old, bits)) continue
      yield* mayChange(w, 'bitmap data', host + start)
      yield* w.tx.put('bitmap data', 'prepare', host + start, bits)
    } else if (!entry.allOnes(0)) {
      yield* mayChange(w, 'bitmap table', at)
      const bits = new Uint8Array(clusterSize(w.g))
      setBits(bits, first, end)
      yield* w.tx.putWord('bitmap table', 'record', at, yield* newBits(w, bits))
    }
  }
}

/**
 * Records guest bytes `[at, at + length)` in every enabled bitmap, before they change: in the first round of the command that
 * changes them. Bits that are set are not written again, and bitmaps in use stay as they are.
 *
 * @see ORD-07, BMP-10, BT-07 and BMP-09
 */
export function* recordRange(w: CommandState, at: number, length: number): Plan<void> {
  const end = Math.min(at + length, w.disk.size)
  if (at < 0 || at >= end) return
  for (const b of w.image.metadata.bitmaps.filter(({ flags }) => flags.auto && !flags.inUse)) {
    const granularity = 2 ** b.granularityBits
    yield* record(w, b, Math.floor(at / granularity), Math.ceil(end / granularity))
  }
}

/** The bits of entry `i` of a table; `undefined` where all are 0. */
function* bitsOf(w: CommandState, table: BitmapTableView, i: number): Plan<Uint8Array | undefined> {
  const size = clusterSize(w.g)
  const host = table.clusterOffset(i)
  if (host !== 0) return (yield* readAt(host, size)).slice()
  return table.allOnes(i) ? new Uint8Array(size).fill(0xff) : undefined
}

/** Writes the table of a bitmap anew with `entries` entries and some clusters of bits changed, and releases the old ones. */
function* changedTable(
  w: CommandState,
  b: BitmapEntry,
  entries: number,
  changed: ReadonlyMap<number, Uint8Array>
): Plan<number> {
  const old = yield* tableOf(b)
  const next = Array.from({ length: entries }, (_, i) =>
    i >= old.length ? 0 : old.allOnes(i) ? 1 : old.clusterOffset(i)
  )
  for (const [i, bits] of changed) next[i] = bits.some((x) => x !== 0) ? yield* newBits(w, bits) : 0
  for (let i = 0; i < old.length; i++)
    if (old.clusterOffset(i) !== 0 && (i >= entries || changed.has(i)))
      w.released.push(old.clusterOffset(i) / clusterSize(w.g))
  w.release(Number(b.bitmapTableOffset), 8 * b.bitmapTableSize)
  return yield* newTable(w, next)
}

/** The ranges `[from, to)` of bits that are set among the first `n` of a cluster. */
const runsOf = (bits: Uint8Array, n: number): readonly (readonly [from: number, to: number])[] => {
  const out: (readonly [number, number])[] = []
  for (let i = 0; i < n; i++) {
    if (!bitAt(bits, i)) {
      if (bits[i >>> 3] === 0) i |= 7
      continue
    }
    const from = i
    while (i < n && bitAt(bits, i)) i += (i & 7) === 0 && bits[i >>> 3] === 0xff ? 8 : 1
    out.push([from, Math.min(i, n)])
  }
  return out
}

/** Clusters of bits by their entry in a bitmap table, as they were and as they are to be. */
interface Marks {
  readonly before: Map<number, Uint8Array>
  readonly after: Map<number, Uint8Array>
}

/** Sets bits `[from, to)` of a bitmap. */
function* mark(
  w: CommandState,
  table: BitmapTableView,
  { before, after }: Marks,
  from: number,
  to: number
): Plan<void> {
  const per = bitsPerCluster(w)
  for (let i = Math.floor(from / per); i * per < to; i++) {
    const old = after.get(i) ?? (yield* bitsOf(w, table, i)) ?? new Uint8Array(clusterSize(w.g))
    if (!after.has(i)) before.set(i, old)
    const bits = after.get(i) ?? old.slice()
    setBits(bits, Math.max(from - i * per, 0), Math.min(to - i * per, per))
    after.set(i, bits)
  }
}

/** Writes the table of a bitmap anew with these marks, and returns its host offset; `undefined` where nothing changes. */
function* withMarks(
  w: CommandState,
  b: BitmapEntry,
  table: BitmapTableView,
  { before, after }: Marks
): Plan<number | undefined> {
  const changed = [...after].filter(([i, bits]) => !equal(bits, before.get(i) ?? bits))
  return changed.length === 0 ? undefined : yield* changedTable(w, b, table.length, new Map(changed))
}

/**
 * Writes the table of `to` anew, with every bit set that is set in `from`: a granule of one is a granule, several or a part
 * of one of the other. Returns its host offset; `undefined` where nothing changes.
 *
 * @see BT-05
 */
export function* mergedTable(w: CommandState, from: BitmapEntry, to: BitmapEntry): Plan<number | undefined> {
  const per = bitsPerCluster(w)
  const [source, target] = [yield* tableOf(from), yield* tableOf(to)]
  const bits = Number(bitmapBits(BigInt(w.disk.size), from.granularityBits))
  const scale = 2 ** (from.granularityBits - to.granularityBits)
  const end = Number(bitmapBits(BigInt(w.disk.size), to.granularityBits))
  const marks: Marks = { before: new Map(), after: new Map() }
  for (let i = 0; i < source.length; i++)
    for (const [first, last] of runsOf(
      (yield* bitsOf(w, source, i)) ?? new Uint8Array(0),
      Math.min(per, bits - i * per)
    ))
      yield* mark(
        w,
        target,
        marks,
        Math.floor((i * per + first) * scale),
        Math.min(end, Math.ceil((i * per + last) * scale))
      )
  return yield* withMarks(w, to, target, marks)
}

/** Does the same with the bits of guest bytes, `[from, to)` each. */
export function* markedTable(
  w: CommandState,
  ranges: readonly (readonly [from: number, to: number])[],
  b: BitmapEntry
): Plan<number | undefined> {
  const table = yield* tableOf(b)
  const marks: Marks = { before: new Map(), after: new Map() }
  for (const [from, to] of ranges)
    yield* mark(
      w,
      table,
      marks,
      Math.floor(from / 2 ** b.granularityBits),
      Math.ceil(Math.min(to, w.disk.size) / 2 ** b.granularityBits)
    )
  return yield* withMarks(w, b, table, marks)
}

/** The directory entry of a bitmap for a disk of `size` bytes, with new clusters; bits past either end are 0. @see RS-01 and BMP-08 */
export function* resized(w: CommandState, b: BitmapEntry, size: bigint): Plan<BitmapEntry> {
  const per = bitsPerCluster(w)
  const had = presentedSize(w.image.metadata.header)
  const kept = Number(bitmapBits(had < size ? had : size, b.granularityBits))
  const entries = Number(bitmapTableEntries(size, b.granularityBits, w.g.clusterBits))
  const table = yield* tableOf(b)
  const i = Math.floor(kept / per)
  const old = i < table.length && i < entries ? yield* bitsOf(w, table, i) : undefined
  const changed = new Map<number, Uint8Array>()
  if (old !== undefined) {
    const bits = new Uint8Array(old.length)
    for (const [from, to] of runsOf(old, kept % per)) setBits(bits, from, to)
    if (!equal(old, bits)) changed.set(i, bits)
  }
  if (entries === b.bitmapTableSize && changed.size === 0) return b
  return { ...b, bitmapTableOffset: BigInt(yield* changedTable(w, b, entries, changed)), bitmapTableSize: entries }
}
