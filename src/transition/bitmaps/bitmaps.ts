/** Dirty bitmaps: added, removed, cleared, enabled, disabled, merged, and resized with the disk. */
import {
  bitmapDirectory,
  type BitmapEntry,
  bitmapEntry,
  bitmapFlags,
  bitmapNameRules,
  bitmapReadRules,
  bitmapRules,
  bitmapSavedRules,
  bitmapStarts,
  hasBitmaps
} from '../../format/bitmap-directory.js'
import { payloadStart } from '../../format/extension-area.js'
import { empty, equal, fromText } from '../../bytes/octets.js'
import { toEight } from '../../bytes/entry.js'
import { failOn, type Plan } from '../../bytes/plan.js'
import { bitmapTableEntries } from '../../format/bitmap.js'
import { type BitmapsExtension, bitmapsExtension } from '../../format/extension-payload.js'
import { extensionTypes } from '../../format/extension-kinds.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { headerPlaces } from '../../format/header.js'
import { trustedBitmaps } from '../../image/metadata.js'
import { allocateBytes } from '../engine/allocate.js'
import { markedTable, mergedTable, newTable, releaseBitmap, resized } from './bitmap-data.js'
import { areaNow, withExtension, withoutTypes } from '../engine/extension-area.js'
import { changeExtensions, trustBitmaps } from '../engine/extensions.js'
import type { CommandState } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'

/**
 * The default granularity of a bitmap in guest bytes: a cluster, but at least 4 KiB and at most 64 KiB.
 *
 * @see BMP-15
 * @example
 * import { defaultGranularity } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(defaultGranularity({ clusterBits: 21 }), 65_536)
 */
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
  const entry = bitmaps.find((b) => equal(b.name, fromText(name)))
  const directory = trustedBitmaps(w.image.metadata)
  return entry === undefined || directory === undefined
    ? yield* refuse<PlacedEntry>('BMP-02', `no bitmap '${name}'`, 'the name of an existing bitmap', {
        structure: 'bitmap directory'
      })
    : { entry, at: offsetOf(directory, bitmaps, entry) }
}

/** The byte offset of a directory entry in the image file. */
const offsetOf = (directory: BitmapsExtension, bitmaps: readonly BitmapEntry[], b: BitmapEntry): number =>
  Number(directory.bitmapDirectoryOffset) + (bitmapStarts(bitmaps)[bitmaps.indexOf(b)] ?? 0)

/** The bitmap with this name; refused where it is in use: it can only be removed. @see BMP-09 */
function* findSaved(w: CommandState, name: string): Plan<PlacedEntry> {
  const found = yield* find(w, name)
  yield* failOn(bitmapSavedRules.judge(found.entry, undefined, found.at))
  return found
}

/** Writes a directory with these entries to new clusters, and returns the extension that names it. @see BMP-12 */
function* newDirectory(w: CommandState, entries: readonly BitmapEntry[]): Plan<BitmapsExtension> {
  const bytes = bitmapDirectory.encode(entries)
  const size = BigInt(bytes.length)
  const directory = { nbBitmaps: entries.length, reserved: 0, bitmapDirectorySize: size, bitmapDirectoryOffset: 0n }
  yield* failOn(bitmapsExtension.judge(directory))
  const at = yield* allocateBytes(w, bytes.length)
  yield* w.tx.put('bitmap directory', 'prepare', at, bytes)
  return { ...directory, bitmapDirectoryOffset: BigInt(at) }
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
    const data = yield* newDirectory(w, entries)
    yield* changeExtensions(w, (list) => withExtension(list, { _tag: 'Bitmaps', data, padding: empty }))
    yield* trustBitmaps(w, true)
  }
  if (old !== undefined) w.release(Number(old.bitmapDirectoryOffset), Number(old.bitmapDirectorySize))
}

const sizeRules = bitmapReadRules.about('granularityBits')

/** The entries of a bitmap's table; refused where QEMU would not load it. @see BMP-12 */
function* tableEntries(w: CommandState, b: BitmapEntry, disk: bigint): Plan<number> {
  yield* failOn(sizeRules.judge(b, { disk, clusterBits: w.g.clusterBits }))
  return Number(bitmapTableEntries(disk, b.granularityBits, w.g.clusterBits))
}

const nameOrGranularity = bitmapRules.about('nameSize', 'granularityBits')

/** Refuses a bitmap whose name or granularity breaks a rule, and one of a disk without bytes. @see BMP-02, BMP-03, BMP-04 and BMP-07 */
function* mayAdd(w: CommandState, b: BitmapEntry): Plan<void> {
  if (!hasBitmaps(w.g.version))
    yield* refuse('BMP-14', 'a version 2 image', 'version 3', headerPlaces.placeOf('version', w.header))
  const repeated = w.image.metadata.bitmaps.some(({ name }) => equal(name, b.name))
  yield* failOn([...nameOrGranularity.judge(b, w.g), ...bitmapNameRules.judge(b, repeated)])
  yield* hasBytes(w, w.disk.size)
}

/** Refuses bitmaps of a disk of 0 bytes. @see BMP-07 */
function* hasBytes(w: CommandState, size: number): Plan<void> {
  if (size === 0)
    yield* refuse('BMP-07', 'a disk of 0 bytes', 'one that has bytes', headerPlaces.placeOf('size', w.header))
}

/** Adds a bitmap in which nothing is dirty; a bit covers `granularity` guest bytes. @see BT-03 and BMP-12 */
export function* addBitmap(w: CommandState, name: string, granularity: number, enabled: boolean): Plan<void> {
  const bare: BitmapEntry = {
    bitmapTableOffset: 0n,
    bitmapTableSize: 0,
    flags: { ...bitmapFlags.ofWord(0n), auto: enabled },
    type: 1,
    granularityBits: Math.log2(granularity),
    extra: empty,
    name: fromText(name),
    padding: empty
  }
  yield* mayAdd(w, bare)
  const bitmapTableSize = yield* tableEntries(w, bare, BigInt(w.disk.size))
  const bitmapTableOffset = BigInt(yield* newTable(w, new Array<number>(bitmapTableSize).fill(0)))
  const padding = new Uint8Array(toEight(bitmapEntry.sizeOf(bare)))
  yield* replaceDirectory(w, [...w.image.metadata.bitmaps, { ...bare, bitmapTableOffset, bitmapTableSize, padding }])
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
  for (const b of bitmaps) yield* failOn(bitmapSavedRules.judge(b, undefined, offsetOf(old, bitmaps, b)))
  yield* hasBytes(w, size)
  const next: BitmapEntry[] = []
  for (const b of bitmaps) {
    yield* tableEntries(w, b, BigInt(size))
    next.push(yield* resized(w, b, BigInt(size)))
  }
  if (next.every((b, i) => b === bitmaps[i])) return
  const { from, extensions } = yield* areaNow(w)
  const payload = from + payloadStart({ extensions, rest: empty }, 'Bitmaps')
  const trusted = w.header.autoclearFeatures
  yield* w.changeHeader('prepare', { autoclearFeatures: { ...trusted, bitmaps: false } })
  const { bitmapDirectoryOffset } = yield* newDirectory(w, next)
  const { at } = bitmapsExtension.placeOf('bitmapDirectoryOffset')
  yield* w.tx.putWord('main header', 'expose', payload + at, bitmapDirectoryOffset)
  yield* w.changeHeader('release', { autoclearFeatures: trusted })
  w.release(Number(old.bitmapDirectoryOffset), Number(old.bitmapDirectorySize))
}
