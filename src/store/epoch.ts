/**
 * Epochs: what a list of host writes does between two flushes, told sector by sector.
 *
 * The host keeps one copy of each sector in its cache and writes it out whole, whenever it likes. So every change of a
 * sector makes a *version* of it, which includes the changes before. The disk may hold any version of the epoch, or what it
 * held before; it cannot hold the second write to a sector without the first.
 *
 * A truncation, here a *cut*, is one change of a whole file: the disk has it or has it not, whatever else it has.
 */
import type { HostWrite, Punch, Write } from '../bytes/host-write.js'
import type { FileRef } from '../bytes/plan.js'
import { type Digest, mixed, sectorDigest, sectorsDigest } from './digest.js'
import { type Change, changed, type Files, placeOf } from './files.js'
import { differing, emptyStore, sector, type Store } from './store.js'
import { type Sector, sectorSize } from './sector.js'

/** What a sector was at some moment of the epoch. */
export interface Version {
  readonly sector: Sector
  /** Bytes: a file that has this version is at least so long. 0 where that goes without saying. */
  readonly end: number
  /** The part of the sector in the digest. */
  readonly digest: Digest
  /** Number of the change that made it so, in the epoch; -1: it was so before. */
  readonly by: number
}

/** A change of a sector, by its number in the epoch, and the version it left, by its place among the versions. */
interface Step {
  readonly by: number
  readonly version: number
}

/** A sector that the epoch changes. */
export interface Cell {
  readonly file: FileRef
  /** Where the file stands among the files of the epoch. */
  readonly place: number
  /** Number of the sector in the file. */
  readonly index: number
  /** The one before the epoch, then what became of it, each once. A cut between two equal ones keeps them apart. */
  readonly versions: readonly Version[]
  readonly steps: readonly Step[]
}

/** A truncation. */
export interface Cut {
  /** Where the file stands among the files of the epoch. */
  readonly place: number
  /** Bytes. */
  readonly length: number
  readonly by: number
}

/** The changes between two flushes. */
export interface Epoch {
  /** What the disk held before: all the files, also those that are not there yet. */
  readonly before: Files
  /** What it holds once all is durable. The files stand in the same places. */
  readonly after: Files
  /** Of the sectors before, where they differ from those before the first epoch. */
  readonly digest: Digest
  /** The sectors that change, and the cuts. What changes nothing, whatever else the disk has, is not among them. */
  readonly cells: readonly Cell[]
  readonly cuts: readonly Cut[]
}

/** A cell with all versions so far. */
interface Draft extends Cell {
  readonly versions: Version[]
  readonly steps: Step[]
  /** Bytes: where the writes of the epoch into the sector end, as far as they are within the file. */
  reach: number
}

/** What an epoch has done to one file so far. */
interface Progress {
  readonly file: FileRef
  readonly place: number
  readonly before: Store
  now: Store
  readonly cells: Map<number, Draft>
  readonly cuts: Cut[]
}

/** The sectors that a write covers; of those that a punched range covers, the ones that are not as before the epoch. */
const sectorsOf = (change: Write | Punch, { before, now, cells }: Progress): readonly number[] => {
  const length = change._tag === 'Write' ? change.bytes.length : Math.min(change.length, now.length - change.at)
  const first = Math.floor(change.at / sectorSize)
  const end = length <= 0 ? first : Math.ceil((change.at + length) / sectorSize)
  return change._tag === 'Write'
    ? Array.from({ length: end - first }, (_, i) => first + i)
    : [...new Set([...cells.keys(), ...differing(before, now)])].filter((index) => index >= first && index < end)
}

/** Records a truncation: what it takes, no write reaches any more. */
const recordCut = ({ place, cells, cuts }: Progress, length: number, by: number): void => {
  cuts.push({ place, length, by })
  for (const cell of cells.values()) cell.reach = Math.min(cell.reach, length)
}

/** Records what the change numbered `by` makes of the file. */
const record = (progress: Progress, change: Change, by: number): void => {
  const { file, place, before, now: old, cells, cuts } = progress
  const now = changed(old, change)
  progress.now = now
  if (change._tag === 'Truncate') {
    if (now !== old || cells.size > 0 || cuts.length > 0) recordCut(progress, change.length, by)
    return
  }
  const version = (index: number, bytes: Sector, end: number, since: number): Version => {
    return { sector: bytes, end, digest: sectorDigest(file, index, bytes), by: since }
  }
  const begun = (index: number): Draft => {
    const versions = [version(index, sector(before, index), 0, -1)]
    return { file, place, index, versions, steps: [], reach: 0 }
  }
  const lastCut = cuts.at(-1)
  /** The file is at least so long, whichever of the changes the disk has. */
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

/** The epoch of these changes, from these files on, which have this digest. */
const epochOf = (before: Files, digest: Digest, changes: readonly Change[]): Epoch => {
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

/** The epochs of the writes, one more than there are flushes: the last one, often empty, is what no flush has covered. */
export const epochsOf = (before: Files, writes: readonly HostWrite[]): readonly Epoch[] => {
  const epochs: Epoch[] = []
  let files = before
  let digest = 0
  let changes: Change[] = []
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
