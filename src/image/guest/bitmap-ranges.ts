/** Dirty bitmaps: the ranges of guest bytes that their bits mark. */
import { type Issue, issue, shift } from '../../bytes/issue.js'
import { failWith, type Plan, readAt, emit, onEmit } from '../../bytes/plan.js'
import { type BitmapEntry, bitmapStarts } from '../../format/bitmap-directory.js'
import { bitmapBits, bitmapTableRules } from '../../format/bitmap.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { presentedSize } from '../../format/header-rules.js'
import * as limits from '../../format/limits.js'
import { BitmapTableView, BitmapView } from '../../format/views.js'
import { tableIsSane } from '../bitmap-tables.js'
import { trustedBitmaps, type Metadata } from '../metadata.js'

/** Guest bytes that are all dirty, or all clean. */
export interface DirtyRange {
  /** Guest offset in bytes: a multiple of the bitmap's granularity. */
  readonly start: number
  /** Bytes: a multiple of the granularity, but for the last range, which ends with the disk. */
  readonly length: number
  readonly dirty: boolean
}

/** Bits that are alike. */
interface Run {
  readonly bits: number
  readonly set: boolean
}

/** Most table entries that are read at once. */
const step = 2 ** 13

const inconsistent = (
  clause: Issue['clause'],
  field: string,
  at: number,
  size: number,
  found: string,
  expected: string
): readonly Issue[] => [
  issue({
    clause,
    phase: 'inconsistent',
    source: 'both',
    structure: 'bitmap directory entry',
    field,
    at,
    size,
    found,
    expected
  })
]

/** Why a bitmap must not be used, if it must not; offsets are relative to its directory entry. */
const unusableBecause = (b: BitmapEntry, g: Geometry, bits: bigint): readonly Issue[] => {
  if (b.flags.inUse) return inconsistent('BMP-09', 'flags.in_use', 12, 4, 'set: the bits may be stale', 'clear')
  if (b.extra.length > 0 && !b.flags.extraDataCompatible)
    return inconsistent(
      'BMP-03',
      'extra_data_size',
      20,
      4,
      String(b.extra.length),
      '0, or a flag that it may be ignored'
    )
  if (b.type !== 1) return inconsistent('BMP-02', 'type', 16, 1, String(b.type), '1')
  if (b.granularityBits > limits.maxGranularityBits || bits > BigInt(limits.maxBitmapData) * 8n)
    return inconsistent('BMP-12', 'granularity_bits', 17, 1, String(b.granularityBits), 'a bitmap within the limits')
  return tableIsSane(b, g) && BigInt(b.bitmapTableSize) * BigInt(8 * clusterSize(g)) >= bits
    ? []
    : inconsistent('BMP-07', 'bitmap_table_size', 8, 4, String(b.bitmapTableSize), `an aligned table for ${bits} bits`)
}

/** Host offset of the cluster of bits of an entry, 0 for none; fails where the entry is not sound. @see BMP-05 */
function* clusterOf(table: BitmapTableView, i: number, at: number, g: Geometry): Plan<number> {
  if (table.words.hi(i) === 0 && table.words.lo(i) === 0) return 0
  const broken = bitmapTableRules.judge(table.entry(i), g, at + 8 * i)
  return broken.length === 0 ? table.clusterOffset(i) : yield* failWith<number>(broken)
}

/** Emits the first `bits` bits of a bitmap, in runs that end with their cluster. @see BMP-06 */
function* runs(b: BitmapEntry, g: Geometry, bits: number): Plan<void, Run> {
  const perCluster = 8 * clusterSize(g)
  const entries = Math.ceil(bits / perCluster)
  for (let first = 0; first < entries; first += step) {
    const at = Number(b.bitmapTableOffset) + 8 * first
    const table = new BitmapTableView(yield* readAt(at, 8 * Math.min(step, entries - first)))
    for (let i = 0; i < table.length; i++) {
      const here = Math.min(perCluster, bits - (first + i) * perCluster)
      const cluster = yield* clusterOf(table, i, at, g)
      if (cluster === 0) yield* emit<Run>({ bits: here, set: table.allOnes(i) })
      else {
        const data = new BitmapView(yield* readAt(cluster, Math.ceil(here / 8)))
        for (let from = 0, n = 0; from < here; from += n) {
          n = data.run(from, here)
          yield* emit<Run>({ bits: n, set: data.bit(from) })
        }
      }
    }
  }
}

/**
 * Emits the ranges of the whole guest disk that a bitmap marks as dirty or clean, in order, without gaps, and in turn. Bits past the end of the disk are left out. Fails where the bitmap must not be used, or its table cannot be, by
 * clause and byte offset.
 *
 * @see BMP-03, BMP-05, BMP-06, BMP-08 and BMP-09
 */
export function* dirtyRanges(m: Metadata, g: Geometry, b: BitmapEntry): Plan<void, DirtyRange> {
  const size = presentedSize(m.header)
  const bits = bitmapBits(size, b.granularityBits)
  const against = unusableBecause(b, g, bits)
  if (against.length > 0) {
    const directory = Number(trustedBitmaps(m)?.bitmapDirectoryOffset ?? 0n)
    yield* failWith(shift(directory + (bitmapStarts(m.bitmaps)[m.bitmaps.indexOf(b)] ?? 0))(against))
  }
  const granularity = 2 ** b.granularityBits
  const range = (from: number, to: number, dirty: boolean): DirtyRange => {
    const start = from * granularity
    return { start, length: Math.min(to * granularity, Number(size)) - start, dirty }
  }
  let [from, to, dirty] = [0, 0, false]
  yield* onEmit(runs(b, g, Number(bits)), function* (run): Plan<void, DirtyRange> {
    if (run.set !== dirty) {
      if (to > from) yield* emit(range(from, to, dirty))
      from = to
      dirty = run.set
    }
    to += run.bits
  })
  if (to > from) yield* emit(range(from, to, dirty))
}
