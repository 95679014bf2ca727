/**
 * Epochs: the changes between two flushes, sector by sector.
 *
 * The host has one copy of each sector in its cache, and writes it to the disk whole, at any time. So every change of a
 * sector makes a *version* of it, which includes the changes before. The disk may hold any version of the epoch, or the one
 * before it; it cannot hold the second write to a sector without the first.
 *
 * A truncation, here a *cut*, is one change of a whole file: the disk has it or not, whatever else it has.
 */
import type { HostWrite, Punch, Write } from '../bytes/host-write.js'
import type { FileRef } from '../bytes/plan.js'
import { type Digest, mixed, sectorDigest, sectorsDigest } from './digest.js'
import { type FileChange, changed, type Files, placeOf } from './files.js'
import { differing, emptyStore, sector, type Store } from './store.js'
import { type Sector, sectorSize } from './sector.js'

/** The content of a sector at some time in the epoch. */
export interface Version {
  readonly sector: Sector
  /** The least length in bytes of a file with this version; 0 where nothing follows from it. */
  readonly end: number
  /** The share of the sector in the digest. */
  readonly digest: Digest
  /** The number of the change that made it, in the epoch; -1 for the version before. */
  readonly by: number
}

/** A change of a sector: its number in the epoch, and the index of the version that it left. */
interface CellChange {
  readonly by: number
  readonly version: number
}

/** A sector that the epoch changes. */
export interface Cell {
  readonly file: FileRef
  /** Index of the file among the files of the epoch. */
  readonly place: number
  /** The number of the sector in the file. */
  readonly index: number
  /** The version before the epoch, then those that followed, each once. Equal ones before and after a cut are two. */
  readonly versions: readonly Version[]
  readonly steps: readonly CellChange[]
}

/** A truncation. */
export interface Cut {
  /** Index of the file among the files of the epoch. */
  readonly place: number
  /** Bytes. */
  readonly length: number
  readonly by: number
}

/** The changes between two flushes. */
export interface Epoch {
  /** The files before, among them those that the epoch creates, which are empty. */
  readonly before: Files
  /** The same files once all changes are durable. */
  readonly after: Files
  /** The difference of the digest of the sectors before to that before the first epoch. */
  readonly digest: Digest
  /** The sectors that change. What changes nothing, whatever else the disk has, is not among them. */
  readonly cells: readonly Cell[]
  readonly cuts: readonly Cut[]
}

/** A cell with the versions so far. */
interface CellDraft extends Cell {
  readonly versions: Version[]
  readonly steps: CellChange[]
  /** The byte of the file at which the writes of the epoch into the sector end, as far as they are within the file. */
  reach: number
}

/** The changes of one file so far. */
interface Progress {
  readonly file: FileRef
  readonly place: number
  readonly before: Store
  now: Store
  readonly cells: Map<number, CellDraft>
  readonly cuts: Cut[]
}

/** The sectors that a write touches; of those in a punched range, the ones that differ from before the epoch. */
const sectorsOf = (change: Write | Punch, { before, now, cells }: Progress): readonly number[] => {
  const length = change._tag === 'Write' ? change.bytes.length : Math.min(change.length, now.length - change.at)
  const first = Math.floor(change.at / sectorSize)
  const end = length <= 0 ? first : Math.ceil((change.at + length) / sectorSize)
  return change._tag === 'Write'
    ? Array.from({ length: end - first }, (_, i) => first + i)
    : [...new Set([...cells.keys(), ...differing(before, now)])].filter((index) => index >= first && index < end)
}

/** Records change number `by` of the file. */
const record = (progress: Progress, change: FileChange, by: number): void => {
  const { file, place, before, now: old, cells, cuts } = progress
  const now = changed(old, change)
  progress.now = now
  if (change._tag === 'Truncate') {
    if (now === old && cells.size === 0 && cuts.length === 0) return
    cuts.push({ place, length: change.length, by })
    // The writes so far no longer reach past the cut.
    for (const cell of cells.values()) cell.reach = Math.min(cell.reach, change.length)
    return
  }
  const version = (index: number, bytes: Sector, end: number, since: number): Version => {
    return { sector: bytes, end, digest: sectorDigest(file, index, bytes), by: since }
  }
  const begun = (index: number): CellDraft => {
    const versions = [version(index, sector(before, index), 0, -1)]
    return { file, place, index, versions, steps: [], reach: 0 }
  }
  const lastCut = cuts.at(-1)
  /** The least length of the file, whichever changes the disk has. */
  const shortest = Math.min(before.length, ...cuts.map(({ length }) => length))
  for (const index of sectorsOf(change, progress)) {
    const bytes = sector(now, index)
    const known = cells.get(index)
    const written = change._tag === 'Write' ? Math.min(change.at + change.bytes.length, (index + 1) * sectorSize) : 0
    const reach = Math.max(known?.reach ?? 0, written)
    const end = reach <= shortest ? 0 : reach
    if (known === undefined && lastCut === undefined && end === 0 && bytes === sector(old, index)) continue
    const cell = known ?? begun(index)
    const made = version(index, bytes, end, by)
    const same = cell.versions.findIndex(
      (v) => v.digest === made.digest && v.end === made.end && (lastCut === undefined || v.by > lastCut.by)
    )
    if (same < 0) cell.versions.push(made)
    cell.steps.push({ by, version: same < 0 ? cell.versions.length - 1 : same })
    cell.reach = reach
    cells.set(index, cell)
  }
}

/** The epoch of some changes of files with a digest. */
const epochOf = (before: Files, digest: Digest, changes: readonly FileChange[]): Epoch => {
  const files = changes.reduce<Files>(
    (all, { file }) => (placeOf(all, file) < 0 ? [...all, { file, store: emptyStore }] : all),
    before
  )
  const progress = files.map(({ file, store }, place): Progress => ({
    file,
    place,
    before: store,
    now: store,
    cells: new Map(),
    cuts: []
  }))
  changes.forEach((change, by) => {
    const mine = progress[placeOf(files, change.file)]
    if (mine !== undefined) record(mine, change, by)
  })
  return {
    before: files,
    after: progress.map(({ file, now }) => ({ file, store: now })),
    digest,
    cells: progress.flatMap(({ cells }) => [...cells.values()]),
    cuts: progress.flatMap(({ cuts }) => cuts)
  }
}

/**
 * The epochs of a list of host writes, one more than its flushes: no flush covers the last one, which is often empty.
 *
 * @example
 * import { epochsOf } from 'qcow2-spec/store'
 * import { flush } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const file = { part: 'image', depth: 0 } as const
 * const epochs = epochsOf([], [{ _tag: 'Write', file, at: 0, bytes: new Uint8Array(1024).fill(7) }, flush])
 * assert.deepEqual(
 *   epochs.map(({ cells }) => cells.length),
 *   [2, 0]
 * )
 */
export const epochsOf = (before: Files, writes: readonly HostWrite[]): readonly Epoch[] => {
  const epochs: Epoch[] = []
  let files = before
  let digest = 0
  let changes: FileChange[] = []
  const close = (): void => {
    const epoch = epochOf(files, digest, changes)
    epochs.push(epoch)
    digest = mixed(digest, sectorsDigest(epoch.before, epoch.after))
    files = epoch.after
    changes = []
  }
  for (const each of writes) {
    if (each._tag === 'Flush') close()
    else changes.push(each)
  }
  close()
  return epochs
}
