/**
 * The abstract machine: what qcow2 promises a guest, without clusters, refcounts or host offsets. A disk is bytes, a
 * snapshot is the bytes of an earlier disk, a bitmap marks what was written since. Every command has one outcome: a disk,
 * or the clause that forbids it.
 */
import type { ClauseId } from './clauses/index.js'

/**
 * How the range that a disk gains is preallocated: not at all, with host clusters (`metadata`), or with host clusters that
 * are written with zeros (`falloc` and `full`: a list of writes has no other way to take up space).
 *
 * @see RS-07
 */
export type Preallocation = 'off' | 'metadata' | 'falloc' | 'full'

/** A command of a guest, or of its host, to a disk. Offsets and lengths are in guest bytes. */
export type Command =
  | { readonly _tag: 'Write' | 'WriteCompressed'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly _tag: 'WriteZeroes'; readonly at: number; readonly length: number; readonly unmap: boolean }
  | { readonly _tag: 'Discard'; readonly at: number; readonly length: number }
  | { readonly _tag: 'Resize'; readonly size: number; readonly preallocation?: Preallocation }
  | { readonly _tag: 'SnapshotCreate' | 'SnapshotApply' | 'SnapshotDelete'; readonly name: string }
  | { readonly _tag: 'BitmapAdd'; readonly name: string; readonly granularity: number; readonly enabled: boolean }
  | { readonly _tag: 'BitmapRemove' | 'BitmapClear' | 'BitmapEnable' | 'BitmapDisable'; readonly name: string }
  | { readonly _tag: 'BitmapMerge'; readonly from: string; readonly name: string }
  | { readonly _tag: 'Flush' }

/** The properties of a disk that no command changes. */
export interface Traits {
  /** 2 or 3. Version 2 cannot say that bytes are zero without storing them, and has no bitmaps. */
  readonly version: 2 | 3
  /** Cluster size in bytes: the unit of discards and of compressed writes. */
  readonly grain: number
  /** Whether guest data is stored in an external data file. */
  readonly dataFile: boolean
  /** Size of the backing disk in bytes; 0 without a backing file. */
  readonly backingSize: number
}

/** The content of a disk when the snapshot was taken. */
export interface Snapshot {
  readonly id: string
  readonly name: string
  readonly content: Uint8Array
}

/** A dirty bitmap: the granules, of `granularity` bytes each, that were written while it was enabled. */
export interface Bitmap {
  readonly name: string
  readonly granularity: number
  readonly enabled: boolean
  /** Indices of the dirty granules. */
  readonly dirty: ReadonlySet<number>
}

/** A disk: its bytes, the oldest snapshot first, and its bitmaps in the order they were added. */
export interface Disk {
  readonly traits: Traits
  readonly content: Uint8Array
  readonly snapshots: readonly Snapshot[]
  readonly bitmaps: readonly Bitmap[]
}

/**
 * A new disk of `size` bytes: the bytes of the backing disk, then zeros.
 *
 * @example
 * import { blankDisk } from 'qcow2-spec/spec'
 * import * as assert from 'node:assert/strict'
 *
 * const disk = blankDisk({ version: 3, grain: 65536, dataFile: false, backingSize: 0 }, 1024)
 * assert.deepEqual(disk.content, new Uint8Array(1024))
 */
export const blankDisk = (traits: Traits, size: number, backing: Uint8Array = new Uint8Array(0)): Disk => ({
  traits,
  content: resized(backing, size),
  snapshots: [],
  bitmaps: []
})

/** The first `size` bytes, followed by zeros if there are fewer. */
const resized = (bytes: Uint8Array, size: number): Uint8Array => {
  const next = new Uint8Array(size)
  next.set(bytes.subarray(0, size))
  return next
}

/** The outcome of a command. */
export type Outcome =
  { readonly _tag: 'Done'; readonly disk: Disk } | { readonly _tag: 'Refused'; readonly clause: ClauseId }

const done = (disk: Disk): Outcome => ({ _tag: 'Done', disk })
const refused = (clause: ClauseId): Outcome => ({ _tag: 'Refused', clause })

const replaced = (content: Uint8Array, at: number, bytes: Uint8Array): Uint8Array => {
  const next = content.slice()
  next.set(bytes, at)
  return next
}

/** Every enabled bitmap marks the range of a command, whether its bytes change or not. @see BMP-10 and BT-07 */
const recorded = (disk: Disk, at: number, length: number): readonly Bitmap[] =>
  disk.bitmaps.map((b) => {
    if (!b.enabled || length === 0) return b
    const first = Math.floor(at / b.granularity)
    const n = Math.floor((at + length - 1) / b.granularity) - first + 1
    return { ...b, dirty: new Set([...b.dirty, ...Array.from({ length: n }, (_, i) => first + i)]) }
  })

/** The whole grains of a range; the end of the disk is treated as the end of a grain. @see ZD-11 */
const grainsOf = ({ traits, content }: Disk, at: number, length: number): readonly [from: number, to: number] => {
  const from = Math.min(content.length, Math.ceil(at / traits.grain) * traits.grain)
  const end = at + length
  return [from, Math.max(from, end === content.length ? end : end - (end % traits.grain))]
}

const write = (disk: Disk, at: number, bytes: Uint8Array, recordedLength = bytes.length, recordedAt = at): Outcome =>
  done({ ...disk, content: replaced(disk.content, at, bytes), bitmaps: recorded(disk, recordedAt, recordedLength) })

/** Whole grains read as zeros afterwards, except in version 2 over a backing disk. @see ZD-03, ZD-07 and ZD-09 */
const discard = (disk: Disk, at: number, length: number): Outcome => {
  const keeps = disk.traits.version === 2 && disk.traits.backingSize > 0
  const [from, to] = keeps ? [at, at] : grainsOf(disk, at, length)
  return write(disk, from, new Uint8Array(to - from), length, at)
}

/** One grain at a time, or the last part of the disk. @see CW-01 and DATA-10 */
const writeCompressed = (disk: Disk, at: number, bytes: Uint8Array): Outcome => {
  if (disk.traits.dataFile) return refused('DATA-10')
  const [from, to] = grainsOf(disk, at, bytes.length)
  return from === at && to === at + bytes.length ? write(disk, at, bytes) : refused('CW-01')
}

/**
 * The added range reads as zeros, which falloc and full store; a bitmap keeps the bits within the new size.
 *
 * @see RS-01, RS-03, RS-06 and BMP-07
 */
const resize = (disk: Disk, { size, preallocation = 'off' }: Command & { readonly _tag: 'Resize' }): Outcome => {
  const { traits, content, bitmaps } = disk
  if (size % 512 !== 0) return refused('RS-01')
  if (traits.version === 2 && disk.snapshots.length > 0) return refused('RS-01')
  if (size === 0 && bitmaps.length > 0) return refused('BMP-07')
  const clusterEnd = Math.ceil(content.length / traits.grain) * traits.grain
  const stored = preallocation === 'falloc' || preallocation === 'full'
  if (traits.version === 2 && !stored && size > clusterEnd && traits.backingSize > content.length)
    return refused('RS-03')
  const kept = (b: Bitmap): Bitmap => ({
    ...b,
    dirty: new Set([...b.dirty].filter((granule) => granule * b.granularity < size))
  })
  return done({ ...disk, content: resized(content, size), bitmaps: bitmaps.map(kept) })
}

const byName = (disk: Disk, name: string): Snapshot | undefined => disk.snapshots.find((s) => s.name === name)

/** @see ST-01, SNAP-06 and DATA-10 */
const createSnapshot = (disk: Disk, name: string): Outcome => {
  if (disk.traits.dataFile) return refused('DATA-10')
  const id = String(Math.max(0, ...disk.snapshots.map((s) => Number(s.id))) + 1)
  return done({ ...disk, snapshots: [...disk.snapshots, { id, name, content: disk.content }] })
}

/** The disk gets the content and the size of the snapshot, which is looked up by id first. @see ST-10, ST-11, SNAP-10 and DATA-10 */
const applySnapshot = (disk: Disk, name: string): Outcome => {
  if (disk.traits.dataFile) return refused('DATA-10')
  const found = disk.snapshots.find((s) => s.id === name) ?? byName(disk, name)
  if (found === undefined) return refused('SNAP-10')
  return disk.bitmaps.length > 0 ? refused('ST-11') : done({ ...disk, content: found.content })
}

/** @see ST-20 and DATA-10 */
const deleteSnapshot = (disk: Disk, name: string): Outcome => {
  if (disk.traits.dataFile) return refused('DATA-10')
  const found = byName(disk, name)
  return found === undefined
    ? refused('SNAP-10')
    : done({ ...disk, snapshots: disk.snapshots.filter((s) => s !== found) })
}

/** @see BT-03, BMP-02, BMP-03, BMP-04, BMP-12 and BMP-14 */
const addBitmap = (disk: Disk, name: string, granularity: number, enabled: boolean): Outcome => {
  if (disk.traits.version === 2) return refused('BMP-14')
  if (name.length < 1) return refused('BMP-02')
  if (name.length > 1023) return refused('BMP-12')
  if (!Number.isInteger(Math.log2(granularity))) return refused('BMP-02')
  if (granularity < 512 || granularity > 2 ** 31) return refused('BMP-04')
  if (disk.bitmaps.some((b) => b.name === name)) return refused('BMP-03')
  if (disk.content.length === 0) return refused('BMP-07')
  return done({ ...disk, bitmaps: [...disk.bitmaps, { name, granularity, enabled, dirty: new Set<number>() }] })
}

const changeBitmap = (disk: Disk, name: string, change: (b: Bitmap) => readonly Bitmap[]): Outcome =>
  disk.bitmaps.some((b) => b.name === name)
    ? done({ ...disk, bitmaps: disk.bitmaps.flatMap((b) => (b.name === name ? change(b) : [b])) })
    : refused('BMP-02')

/** Every granule of the target that meets a dirty granule of `from` becomes dirty. @see BT-05 */
const mergeBitmap = (disk: Disk, from: string, name: string): Outcome => {
  const source = disk.bitmaps.find((b) => b.name === from)
  if (source === undefined) return refused('BMP-02')
  return changeBitmap(disk, name, (b) => {
    const one: Disk = { ...disk, bitmaps: [{ ...b, enabled: true }] }
    const all = [...source.dirty].reduce<Disk>((d, granule) => {
      const at = granule * source.granularity
      const length = Math.min(source.granularity, disk.content.length - at)
      return { ...d, bitmaps: recorded(d, at, length) }
    }, one)
    return all.bitmaps.map((merged) => ({ ...merged, enabled: b.enabled }))
  })
}

/**
 * The outcome of a command on a disk. Total: every command gives a disk or a clause.
 *
 * @example
 * import { blankDisk, step } from 'qcow2-spec/spec'
 * import * as assert from 'node:assert/strict'
 *
 * const disk = blankDisk({ version: 3, grain: 65536, dataFile: false, backingSize: 0 }, 1024)
 * const written = step({ _tag: 'Write', at: 512, bytes: Uint8Array.of(7) }, disk)
 * assert.equal(written._tag === 'Done' && written.disk.content[512], 7)
 */
export const step = (command: Command, disk: Disk): Outcome => {
  const end = disk.content.length
  if ('at' in command && command.at + ('bytes' in command ? command.bytes.length : command.length) > end)
    return refused('RD-01')
  switch (command._tag) {
    case 'Write':
      return write(disk, command.at, command.bytes)
    case 'WriteCompressed':
      return writeCompressed(disk, command.at, command.bytes)
    case 'WriteZeroes':
      return write(disk, command.at, new Uint8Array(command.length))
    case 'Discard':
      return discard(disk, command.at, command.length)
    case 'Resize':
      return resize(disk, command)
    case 'SnapshotCreate':
      return createSnapshot(disk, command.name)
    case 'SnapshotApply':
      return applySnapshot(disk, command.name)
    case 'SnapshotDelete':
      return deleteSnapshot(disk, command.name)
    case 'BitmapAdd':
      return addBitmap(disk, command.name, command.granularity, command.enabled)
    case 'BitmapRemove':
      return changeBitmap(disk, command.name, () => [])
    case 'BitmapClear':
      return changeBitmap(disk, command.name, (b) => [{ ...b, dirty: new Set() }])
    case 'BitmapEnable':
      return changeBitmap(disk, command.name, (b) => [{ ...b, enabled: true }])
    case 'BitmapDisable':
      return changeBitmap(disk, command.name, (b) => [{ ...b, enabled: false }])
    case 'BitmapMerge':
      return mergeBitmap(disk, command.from, command.name)
    case 'Flush':
      return done(disk)
  }
}
