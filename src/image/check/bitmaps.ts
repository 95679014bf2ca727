/** Bitmaps: those in use, whose bits are stale, and bits set past the end of the disk. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { type BitmapEntry, bitmapSavedRules, bitmapStarts } from '../../format/bitmap-directory.js'
import { bitmapBits, bitmapTableEntries, lastBitsRules } from '../../format/bitmap.js'
import { presentedSize } from '../../format/header-rules.js'
import { maxGranularityBits } from '../../format/limits.js'
import { BitmapTableView } from '../../format/views.js'
import { tableIsSane } from '../bitmap-tables.js'
import { trustedBitmaps, type Metadata } from '../metadata.js'
import type { CheckState } from './state.js'

/** Bits past the last one of a bitmap, in its last cluster. `read` holds the clusters that were read. @see BMP-08 */
function* tailBits(state: CheckState, m: Metadata, b: BitmapEntry, read: Set<number>): Plan<void> {
  if (b.flags.inUse || b.granularityBits > maxGranularityBits || !tableIsSane(b, state.g)) return
  const needed = bitmapTableEntries(presentedSize(m.header), b.granularityBits, state.g.clusterBits)
  if (BigInt(b.bitmapTableSize) !== needed) return
  const last = b.bitmapTableSize - 1
  const at = new BitmapTableView(yield* readAt(Number(b.bitmapTableOffset) + 8 * last, 8)).clusterOffset(0)
  if (at === 0 || at % state.size !== 0 || at >= state.fileLength || read.has(at)) return
  read.add(at)
  const used = Number(bitmapBits(m.header.size, b.granularityBits)) - last * 8 * state.size
  const bytes = yield* readAt(at, state.size)
  for (const i of lastBitsRules.judge({ bytes, used }, undefined, at)) state.findings.add('flaw', i)
}

/** Everything about bitmaps that QEMU loads. */
export function* bitmapFindings(state: CheckState, m: Metadata): Plan<void> {
  const extension = trustedBitmaps(m)
  if (extension === undefined) return
  const starts = bitmapStarts(m.bitmaps)
  const read = new Set<number>()
  for (const [i, b] of m.bitmaps.entries()) {
    const at = Number(extension.bitmapDirectoryOffset) + (starts[i] ?? 0)
    for (const issue of bitmapSavedRules.judge(b, undefined, at)) state.findings.add('note', issue)
    yield* tailBits(state, m, b, read)
  }
}
