/** Bitmap tables: what QEMU looks at in them when it opens an image. */
import { toEight } from '../bytes/entry.js'
import { viewOf } from '../bytes/octets.js'
import { type Plan, readAt } from '../bytes/plan.js'
import {
  type BitmapEntry,
  bitmapFixed,
  bitmapLoadingRules,
  bitmapRules,
  bitmapStarts,
  bitmapTotalRules,
  isLoadable
} from '../format/bitmap-directory.js'
import { bitmapTableRules } from '../format/bitmap.js'
import { type Geometry } from '../format/geometry.js'
import type { Header } from '../format/header.js'
import { presentedSize } from '../format/header-rules.js'
import * as limits from '../format/limits.js'
import { BitmapTableView } from '../format/views.js'
import type { EntryIssues } from './entry-issues.js'

const tablePlaceRules = bitmapRules.about('bitmapTableOffset', 'bitmapTableSize')

/** Whether the table of a bitmap is where one can be read, with as many entries as one may have. */
export const tableIsSane = (b: BitmapEntry, g: Geometry): boolean => tablePlaceRules.allows(b, g)

/** Bytes of the first `n` entries of a bitmap directory: those after them are not decoded. */
export const directoryHead = (directory: Uint8Array, n: number): number => {
  let at = 0
  for (let i = 0; i < n && at + bitmapFixed.size <= directory.length; i++) {
    const { nameSize, extraDataSize } = bitmapFixed.at(viewOf(directory.subarray(at)))
    const bare = bitmapFixed.size + nameSize + extraDataSize
    at += bare + toEight(bare)
  }
  return at + bitmapFixed.size > directory.length ? directory.length : at
}

/**
 * Judges the tables of bitmaps that are not in use: of the size the disk asks for, each entry sound. `at` is the byte offset
 * of the bitmap directory.
 *
 * @see BMP-05, BMP-07 and OPEN-31
 */
export function* judgeBitmapTables(
  h: Header,
  g: Geometry,
  entries: readonly BitmapEntry[],
  at: number,
  issues: EntryIssues
): Plan<void> {
  const starts = bitmapStarts(entries)
  const loading = { clusterBits: g.clusterBits, disk: presentedSize(h) }
  let bytes = 0
  for (const [i, b] of entries.entries()) {
    const granular = b.granularityBits <= limits.maxGranularityBits
    if (b.flags.inUse || !granular || !tableIsSane(b, g)) continue
    const start = at + (starts[i] ?? 0)
    const [found] = bitmapLoadingRules.judge(b, loading, start)
    if (found !== undefined) issues.add([found])
    else if (isLoadable(b, h.size)) {
      bytes += 8 * b.bitmapTableSize
      const tooMany = bitmapTotalRules.judge(b, bytes, start)
      if (tooMany.length > 0) {
        issues.add(tooMany)
        return
      }
      yield* judgeTable(b, g, issues)
    }
  }
}

function* judgeTable(b: BitmapEntry, g: Geometry, issues: EntryIssues): Plan<void> {
  const at = Number(b.bitmapTableOffset)
  const view = new BitmapTableView(yield* readAt(at, 8 * b.bitmapTableSize))
  for (let i = 0; i < view.length; i++)
    if (view.words.hi(i) !== 0 || view.words.lo(i) !== 0) issues.judge(bitmapTableRules, view.entry(i), g, at + 8 * i)
}
