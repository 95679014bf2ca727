/** Dirty bitmaps: the ranges of guest bytes that their bits mark. */
import { failWith, type Plan, readAt, emit, onEmit } from '../../bytes/plan.js'
import { type BitmapEntry, bitmapReadRules, bitmapStarts } from '../../format/bitmap-directory.js'
import { bitmapBits, bitmapTableRules } from '../../format/bitmap.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { presentedSize } from '../../format/header-rules.js'
import { BitmapTableView, BitmapView } from '../../format/views.js'
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

/** Host offset of the cluster of bits of an entry, 0 for none; fails where the entry is not sound. @see BMP-05 */
function* clusterOf(table: BitmapTableView, i: number, at: number, g: Geometry): Plan<number> {
  if (table.words.hi(i) === 0 && table.words.lo(i) === 0) return 0
  const broken = bitmapTableRules.judge(table.entry(i), g, at + 8 * i)
  return broken.length === 0 ? table.clusterOffset(i) : yield* failWith<number>(broken)
}

/** Emits bits `[start, end)` of a bitmap, in runs that end with their cluster. @see BMP-06 */
function* runs(b: BitmapEntry, g: Geometry, start: number, end: number): Plan<void, Run> {
  const perCluster = 8 * clusterSize(g)
  const entries = Math.ceil(end / perCluster)
  for (let first = Math.floor(start / perCluster); first < entries; first += step) {
    const at = Number(b.bitmapTableOffset) + 8 * first
    const table = new BitmapTableView(yield* readAt(at, 8 * Math.min(step, entries - first)))
    for (let i = 0; i < table.length; i++) {
      const before = (first + i) * perCluster
      const [skipped, here] = [Math.max(0, start - before), Math.min(perCluster, end - before)]
      const cluster = yield* clusterOf(table, i, at, g)
      if (cluster === 0) yield* emit<Run>({ bits: here - skipped, set: table.allOnes(i) })
      else {
        const data = new BitmapView(yield* readAt(cluster, Math.ceil(here / 8)))
        for (let from = skipped, n = 0; from < here; from += n) {
          n = data.run(from, here)
          yield* emit<Run>({ bits: n, set: data.bit(from) })
        }
      }
    }
  }
}

/**
 * Emits the ranges of the guest disk that a bitmap marks as dirty or clean, in order, without gaps, and in turn. Bits past
 * the end of the disk are left out, and so are those that mark no byte of `[first, end)`. Fails where the bitmap must not be
 * used, or its table cannot be, by clause and byte offset.
 *
 * @param first guest byte, at most the size of the disk
 * @param end guest byte from `first` on, also past the end of the disk
 * @see BMP-03, BMP-05, BMP-06, BMP-08 and BMP-09
 * @example
 * import { dirtyRanges, readMetadata, runSync, type DirtyRange } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * const found: DirtyRange[] = []
 * for (const b of m?.bitmaps ?? [])
 *   if (m?.geometry !== undefined)
 *     runSync(dirtyRanges(m, m.geometry, b), worldOf(files, (range: DirtyRange) => found.push(range)))
 * assert.deepEqual(found, []) // a new image has no bitmaps
 */
export function* dirtyRanges(
  m: Metadata,
  g: Geometry,
  b: BitmapEntry,
  first = 0,
  end = Infinity
): Plan<void, DirtyRange> {
  const size = presentedSize(m.header)
  const directory = Number(trustedBitmaps(m)?.bitmapDirectoryOffset ?? 0n)
  const at = directory + (bitmapStarts(m.bitmaps)[m.bitmaps.indexOf(b)] ?? 0)
  const [unusable] = bitmapReadRules.judge(b, { disk: size, clusterBits: g.clusterBits }, at)
  if (unusable !== undefined) yield* failWith([unusable])
  const granularity = 2 ** b.granularityBits
  const range = (from: number, to: number, dirty: boolean): DirtyRange => {
    const start = from * granularity
    return { start, length: Math.min(to * granularity, Number(size)) - start, dirty }
  }
  const bits = Number(bitmapBits(size, b.granularityBits))
  const [firstBit, endBit] = [Math.floor(first / granularity), Math.min(bits, Math.ceil(end / granularity))]
  let [from, to, dirty] = [firstBit, firstBit, false]
  yield* onEmit(runs(b, g, firstBit, endBit), function* (run): Plan<void, DirtyRange> {
    if (run.set !== dirty) {
      if (to > from) yield* emit(range(from, to, dirty))
      from = to
      dirty = run.set
    }
    to += run.bits
  })
  if (to > from) yield* emit(range(from, to, dirty))
}
