/** Dirty bitmaps: added, removed, cleared, enabled, disabled, merged, and resized with the disk. */
import {
  type BitmapEntry,
  bitmapDirectory,
  bitmapEntry,
  bitmapFlags,
  bitmapStarts
} from '../../format/bitmap-directory.js'
import { equal, fromText } from '../../bytes/octets.js'
import { toEight } from '../../bytes/entry.js'
import type { Plan } from '../../bytes/plan.js'
import { bitmapTableEntries } from '../../format/bitmap.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import {
  maxBitmapData,
  maxBitmapDirectory,
  maxBitmapName,
  maxBitmaps,
  maxGranularityBits,
  minGranularityBits
} from '../../format/limits.js'
import { trustedBitmaps } from '../../image/metadata.js'
import { allocateBytes } from '../engine/allocate.js'
import { markedTable, mergedTable, newTable, releaseBitmap, resized } from './bitmap-data.js'
import { areaNow, withExtension, withoutTypes } from '../engine/extension-area.js'
import { changeExtensions, trustBitmaps } from '../engine/extensions.js'
import { refuse, type CommandState } from '../engine/command-state.js'

/** The default granularity of a bitmap in guest bytes: a cluster, but at least 4 KiB and at most 64 KiB. @see BMP-15 */
export const defaultGranularity = (g: Pick<Geometry, 'clusterBits'>): number =>
  Math.min(65_536, Math.max(4096, clusterSize(g)))

/** A directory entry, and its byte offset in the image file. */
interface PlacedEntry {
  readonly entry: BitmapEntry
  readonly at: number
}

/** The bitmap with this name; refused where there is none. @see BMP-02 */
function* find(w: CommandState, name: string): Plan<PlacedEntry> {
  const { bitmaps } = w.image.metadata
  const i = bitmaps.findIndex((b) => equal(b.name, fromText(name)))
  const entry = bitmaps[i]
  const directory = trustedBitmaps(w.image.metadata)
  return entry === undefined || directory === undefined
    ? yield* refuse<PlacedEntry>('BMP-02', `no bitmap ${name}`, 'the name of a bitmap', {
        structure: 'bitmap directory'
      })
    : { entry, at: Number(directory.bitmapDirectoryOffset) + (bitmapStarts(bitmaps)[i] ?? 0) }
}

/** The bitmap with this name; refused where it is in use: it can only be removed. @see BMP-09 */
function* findSaved(w: CommandState, name: string): Plan<PlacedEntry> {
  const found = yield* find(w, name)
  return found.entry.flags.inUse
    ? yield* refuse<PlacedEntry>('BMP-09', 'a bitmap in use', 'one that was saved', {
        structure: 'bitmap directory entry',
        field: 'flags.in_use',
        at: found.at + 12,
        size: 4
      })
    : found
}

/** Writes a directory with these entries to new clusters, and returns its host offset. @see BMP-12 */
function* newDirectory(w: CommandState, entries: readonly BitmapEntry[]): Plan<number> {
  const bytes = bitmapDirectory.encode(entries)
  if (entries.length > maxBitmaps || bytes.length > maxBitmapDirectory)
    return yield* refuse<number>(
      'BMP-12',
      `${entries.length} bitmaps with a directory of ${bytes.length} bytes`,
      `at most ${maxBitmaps} bitmaps and ${maxBitmapDirectory} bytes`,
      { phase: 'limit', structure: 'bitmap directory' }
    )
  const at = yield* allocateBytes(w, bytes.length)
  yield* w.tx.put('bitmap directory', 'prepare', at, bytes)
  return at
}

/**
 * Replaces the directory. The extension names the old one until it names the new one. The first directory is trusted once
 * its extension is durable, and the last one not after its extension begins to go.
 *
 * @see BT-03, BT-04 and BMP-11
 */
function* replaceDirectory(w: CommandState, entries: readonly BitmapEntry[]): Plan<void> {
  const old = trustedBitmaps(w.image.metadata)
  if (entries.length === 0) {
    yield* trustBitmaps(w, false)
    yield* changeExtensions(w, (list) => withoutTypes(list, [extensionTypes.Bitmaps]))
  } else {
    const data = {
      nbBitmaps: entries.length,
      reserved: 0,
      bitmapDirectorySize: BigInt(bitmapDirectory.sizeOf(entries)),
      bitmapDirectoryOffset: BigInt(yield* newDirectory(w, entries))
    }
    yield* changeExtensions(w, (list) => withExtension(list, { _tag: 'Bitmaps', data, padding: new Uint8Array(0) }))
    yield* trustBitmaps(w, true)
  }
  if (old !== undefined) w.release(Number(old.bitmapDirectoryOffset), Number(old.bitmapDirectorySize))
}

/** The entries of a bitmap's table; refused where QEMU would not load it. @see BMP-12 */
function* tableEntries(w: CommandState, granularityBits: number, size: bigint): Plan<number> {
  const entries = Number(bitmapTableEntries(size, granularityBits, w.g.clusterBits))
  return entries * clusterSize(w.g) <= maxBitmapData
    ? entries
    : yield* refuse<number>('BMP-12', `${entries * clusterSize(w.g)} bytes of bits`, `at most ${maxBitmapData}`, {
        phase: 'limit',
        structure: 'bitmap directory entry',
        field: 'bitmap_table_size'
      })
}

/** Refuses names and granularities that no bitmap may have, and images that have no bitmaps. @see BMP-02, BMP-07 and BMP-14 */
function* mayAdd(w: CommandState, name: Uint8Array, granularityBits: number): Plan<void> {
  const entry = { structure: 'bitmap directory entry' }
  if (w.g.version === 2) yield* refuse('BMP-14', 'a version 2 image', 'version 3', { structure: 'header' })
  if (name.length < 1 || name.length > maxBitmapName)
    yield* refuse('BMP-02', `a name of ${name.length} bytes`, `1 to ${maxBitmapName}`, { ...entry, field: 'name_size' })
  if (
    !Number.isInteger(granularityBits) ||
    granularityBits < minGranularityBits ||
    granularityBits > maxGranularityBits
  )
    yield* refuse('BMP-02', `a granularity of ${2 ** granularityBits} bytes`, 'a power of two, 512 to 2 GiB', {
      ...entry,
      field: 'granularity_bits'
    })
  if (w.image.metadata.bitmaps.some((b) => equal(b.name, name)))
    yield* refuse('BMP-03', 'a name used before', 'unique names', { ...entry, field: 'name' })
  if (w.disk.size === 0) yield* refuse('BMP-07', 'a disk of 0 bytes', 'one that has bytes', { structure: 'header' })
}

/** Adds a bitmap in which nothing is dirty; a bit stands for `granularity` guest bytes. @see BT-03 and BMP-12 */
export function* addBitmap(w: CommandState, name: string, granularity: number, enabled: boolean): Plan<void> {
  const bytes = fromText(name)
  const granularityBits = Math.log2(granularity)
  yield* mayAdd(w, bytes, granularityBits)
  const entries = yield* tableEntries(w, granularityBits, BigInt(w.disk.size))
  const bare: BitmapEntry = {
    bitmapTableOffset: BigInt(yield* newTable(w, new Array<number>(entries).fill(0))),
    bitmapTableSize: entries,
    flags: { ...bitmapFlags.ofWord(0n), auto: enabled },
    type: 1,
    granularityBits,
    extra: new Uint8Array(0),
    name: bytes,
    padding: new Uint8Array(0)
  }
  const entry = { ...bare, padding: new Uint8Array(toEight(bitmapEntry.sizeOf(bare))) }
  yield* replaceDirectory(w, [...w.image.metadata.bitmaps, entry])
}

/** Removes a bitmap, also one in use. @see BT-04 */
export function* removeBitmap(w: CommandState, name: string): Plan<void> {
  const { entry } = yield* find(w, name)
  yield* replaceDirectory(
    w,
    w.image.metadata.bitmaps.filter((b) => b !== entry)
  )
  yield* releaseBitmap(w, entry)
}

/** Removes all bitmaps. */
export function* dropBitmaps(w: CommandState): Plan<void> {
  yield* replaceDirectory(w, [])
  for (const b of w.image.metadata.bitmaps) yield* releaseBitmap(w, b)
}

/** Enables or disables a bitmap: one word of its directory entry. @see BT-05 and BMP-10 */
export function* setEnabled(w: CommandState, name: string, enabled: boolean): Plan<void> {
  const { entry, at } = yield* findSaved(w, name)
  const bytes = bitmapEntry.encode({ ...entry, flags: { ...entry.flags, auto: enabled } })
  yield* w.tx.put('bitmap directory', 'expose', at + 8, bytes.subarray(8, 16))
}

/** Gives the bitmap of the directory entry at host byte `at` another table of the same size. */
const switchTable = (w: CommandState, at: number, table: number): Plan<void> =>
  w.tx.putWord('bitmap directory', 'expose', at, table)

/** Clears all bits of a bitmap, at once. @see BT-05 */
export function* clearBitmap(w: CommandState, name: string): Plan<void> {
  const { entry, at } = yield* findSaved(w, name)
  yield* switchTable(w, at, yield* newTable(w, new Array<number>(entry.bitmapTableSize).fill(0)))
  yield* releaseBitmap(w, entry)
}

/** Sets in a bitmap what is set in another one, at once. @see BT-05 */
export function* mergeBitmap(w: CommandState, from: string, name: string): Plan<void> {
  const source = yield* findSaved(w, from)
  const { entry, at } = yield* findSaved(w, name)
  const table = yield* mergedTable(w, source.entry, entry)
  if (table !== undefined) yield* switchTable(w, at, table)
}

/** Sets the bits of guest bytes in a bitmap, `[from, to)` each, at once. @see BT-05 */
export function* markBitmap(
  w: CommandState,
  name: string,
  ranges: readonly (readonly [from: number, to: number])[]
): Plan<void> {
  const { entry, at } = yield* findSaved(w, name)
  const table = yield* markedTable(w, ranges, entry)
  if (table !== undefined) yield* switchTable(w, at, table)
}

/**
 * Resizes the bitmaps to a disk of `size` bytes, in the round that changes the size of the disk. Tables of another size and
 * the size of the disk are two words: while they change the bitmaps are not trusted, and a crash leaves them so. Refused
 * while a bitmap is in use.
 *
 * @see RS-01, BMP-07 and BMP-11
 */
export function* resizeBitmaps(w: CommandState, size: number): Plan<void> {
  const { bitmaps } = w.image.metadata
  const old = trustedBitmaps(w.image.metadata)
  if (old === undefined || bitmaps.length === 0) return
  if (bitmaps.some((b) => b.flags.inUse))
    return yield* refuse('RS-01', 'a bitmap in use', 'bitmaps that were saved', { structure: 'bitmap directory entry' })
  if (size === 0) return yield* refuse('BMP-07', 'a disk of 0 bytes with bitmaps', 'one that has bytes')
  const next: BitmapEntry[] = []
  for (const b of bitmaps) {
    yield* tableEntries(w, b.granularityBits, BigInt(size))
    next.push(yield* resized(w, b, BigInt(size)))
  }
  if (next.every((b, i) => b === bitmaps[i])) return
  const area = yield* areaNow(w)
  const record = area.starts[area.extensions.findLastIndex((e) => e._tag === 'Bitmaps')] ?? 0
  const trusted = w.header.autoclearFeatures
  yield* w.changeHeader('prepare', { autoclearFeatures: { ...trusted, bitmaps: false } })
  yield* w.tx.putWord('main header', 'expose', record + 24, yield* newDirectory(w, next))
  yield* w.changeHeader('release', { autoclearFeatures: trusted })
  w.release(Number(old.bitmapDirectoryOffset), Number(old.bitmapDirectorySize))
}
