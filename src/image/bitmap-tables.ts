/** Bitmap tables: what QEMU looks at in them when it opens an image. */
import { toEight } from '../bytes/entry.js'
import { type Issue, issue } from '../bytes/issue.js'
import { viewOf } from '../bytes/octets.js'
import { type Plan, readAt } from '../bytes/plan.js'
import {
  type BitmapEntry,
  bitmapBits,
  bitmapFixed,
  bitmapStarts,
  bitmapTableEntries,
  bitmapTableRules
} from '../format/bitmap.js'
import { clusterSize, type Geometry } from '../format/geometry.js'
import type { Header } from '../format/header.js'
import { presentedSize } from '../format/header-rules.js'
import * as limits from '../format/limits.js'
import { BitmapTableView } from '../format/views.js'

/** Whether the table of a bitmap lies where one can be read, with as many entries as one may have. */
export const tableIsSane = (b: BitmapEntry, g: Geometry): boolean =>
  b.bitmapTableOffset !== 0n &&
  b.bitmapTableOffset % BigInt(clusterSize(g)) === 0n &&
  b.bitmapTableSize > 0 &&
  b.bitmapTableSize <= limits.maxBitmapTable

/** Bytes of bitmap tables of one image that are looked into. */
const mostTables = 2 ** 28

const tooMany = (at: number): Issue =>
  issue({
    clause: 'BMP-12',
    phase: 'limit',
    source: 'qemu',
    structure: 'bitmap directory entry',
    field: 'bitmap_table_size',
    at: at + 8,
    size: 4,
    found: 'more bytes of bitmap tables',
    expected: `at most ${mostTables} in one image`,
    refusal: 'OPEN-31'
  })

const outOfReach = (b: BitmapEntry, at: number): Issue =>
  issue({
    clause: 'BMP-12',
    phase: 'limit',
    source: 'qemu',
    structure: 'bitmap directory entry',
    field: 'bitmap_table_offset',
    at,
    size: 8,
    found: String(b.bitmapTableOffset),
    expected: 'a table that ends where QEMU can read',
    refusal: 'OPEN-31'
  })

/** Bytes of the first `n` entries of a bitmap directory: what lies behind is not decoded. */
export const directoryHead = (directory: Uint8Array, n: number): number => {
  let at = 0
  for (let i = 0; i < n && at + bitmapFixed.size <= directory.length; i++) {
    const { nameSize, extraDataSize } = bitmapFixed.at(viewOf(directory.subarray(at)))
    const bare = bitmapFixed.size + nameSize + extraDataSize
    at += bare + toEight(bare)
  }
  return at + bitmapFixed.size > directory.length ? directory.length : at
}

const wrongSize = (b: BitmapEntry, at: number, needed: bigint): Issue =>
  issue({
    clause: 'BMP-07',
    phase: 'inconsistent',
    source: 'both',
    structure: 'bitmap directory entry',
    field: 'bitmap_table_size',
    at: at + 8,
    size: 4,
    found: String(b.bitmapTableSize),
    expected: `${needed} for the size of the disk`,
    refusal: 'OPEN-31'
  })

/**
 * The tables of bitmaps that are not in use: of the size the disk asks for, each entry sound. `at` is the byte offset
 * of the bitmap directory.
 *
 * @see BMP-05, BMP-07 and OPEN-31
 */
export function* judgeBitmapTables(
  h: Header,
  g: Geometry,
  entries: readonly BitmapEntry[],
  at: number
): Plan<readonly Issue[]> {
  const starts = bitmapStarts(entries)
  const issues: Issue[] = []
  let left = mostTables
  for (const [i, b] of entries.entries()) {
    const granular = b.granularityBits <= limits.maxGranularityBits
    if (b.flags.inUse || !granular || !tableIsSane(b, g)) continue
    const needed = bitmapTableEntries(presentedSize(h), b.granularityBits, g.clusterBits)
    if (BigInt(b.bitmapTableSize) !== needed) issues.push(wrongSize(b, at + (starts[i] ?? 0), needed))
    else if (b.bitmapTableOffset + 8n * BigInt(b.bitmapTableSize) > limits.maxReadable)
      issues.push(outOfReach(b, at + (starts[i] ?? 0)))
    else if (bitmapBits(h.size, b.granularityBits) <= BigInt(limits.maxBitmapData) * 8n) {
      left -= 8 * b.bitmapTableSize
      if (left < 0) return [...issues, tooMany(at + (starts[i] ?? 0))]
      issues.push(...(yield* judgeTable(b, g)))
    }
  }
  return issues
}

function* judgeTable(b: BitmapEntry, g: Geometry): Plan<readonly Issue[]> {
  const at = Number(b.bitmapTableOffset)
  const view = new BitmapTableView(yield* readAt(at, 8 * b.bitmapTableSize))
  const issues: Issue[] = []
  for (let i = 0; i < view.length; i++) {
    if (view.words.hi(i) === 0 && view.words.lo(i) === 0) continue
    issues.push(...bitmapTableRules.judge(view.entry(i), g, at + 8 * i))
  }
  return issues
}
