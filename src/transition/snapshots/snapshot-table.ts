/** The snapshot table: written whole to new clusters; then the two words of the header about it change one after the other. */
import { toEight } from '../../bytes/entry.js'
import { empty } from '../../bytes/octets.js'
import { failOn, type Plan } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { presentedSize } from '../../format/header-rules.js'
import { maxSnapshotExtra, minSnapshotExtra } from '../../format/limits.js'
import {
  noIcount,
  snapshotDiskSize,
  snapshotEntry,
  type SnapshotEntry,
  snapshotExtra,
  snapshotTable,
  snapshotTableRules,
  vmStateSize
} from '../../format/snapshot.js'
import { snapshotTablePlace } from '../../image/metadata.js'
import { allocateBytes } from '../engine/allocate.js'
import type { CommandState } from '../engine/command-state.js'
import { mayHave, refuse } from '../engine/refuse.js'
import { endRound } from '../engine/finish.js'
import { refcountOf } from '../engine/refcounts.js'

/** The bytes of a table: every entry but the last padded to a multiple of 8. @see SNAP-01 and SNAP-04 */
const bytesOf = (entries: readonly SnapshotEntry[]): Uint8Array =>
  snapshotTable(entries.length).encode(
    entries.map((s, i) => {
      const missing = i === entries.length - 1 ? 0 : toEight(snapshotEntry.sizeOf({ ...s, padding: empty }))
      return s.padding.length === missing ? s : { ...s, padding: new Uint8Array(missing) }
    })
  )

/** Writes a table to new clusters and makes the header name it, whose nb_snapshots says how many of its entries there are. */
function* place(w: CommandState, entries: readonly SnapshotEntry[]): Plan<number> {
  const table = bytesOf(entries)
  yield* failOn(snapshotTableRules.judge(table.length, undefined))
  const at = yield* allocateBytes(w, table.length)
  yield* w.tx.put('snapshot table', 'prepare', at, table)
  yield* w.changeHeader('expose', { snapshotsOffset: BigInt(at) })
  return at
}

/** Does the same, and releases the old table. */
function* replace(w: CommandState, entries: readonly SnapshotEntry[]): Plan<number> {
  const at = yield* place(w, entries)
  const old = snapshotTablePlace(w.image.metadata)
  w.release(old.at, old.size)
  return at
}

/**
 * Adds an entry at the end. The new table begins with the old entries, so that the header may name its place first and the
 * number of entries afterwards.
 *
 * @see ST-01, ST-03 and SNAP-07
 */
export function* addSnapshot(w: CommandState, added: SnapshotEntry): Plan<void> {
  const { snapshots } = w.image.metadata
  yield* mayHave(w.header, { nbSnapshots: snapshots.length + 1 })
  if (!snapshotEntry.is(added))
    yield* refuse('SNAP-01', 'a name or a date that does not fit', 'at most 65535 bytes, and 32 bits of seconds')
  yield* replace(w, [...snapshots, added])
  yield* w.changeHeader('settle', { nbSnapshots: snapshots.length + 1 })
}

/**
 * Removes an entry. In the new table it is the last one, which only nb_snapshots leaves out: the header may name the place
 * first here too, and a crash in between has moved the entry and lost nothing. Releases the clusters that only it needs.
 *
 * @see ST-20
 */
export function* removeSnapshot(w: CommandState, removed: SnapshotEntry): Plan<void> {
  const { snapshots } = w.image.metadata
  const kept = snapshots.filter((s) => s !== removed)
  const isLast = removed === snapshots.at(-1)
  const at = isLast ? snapshotTablePlace(w.image.metadata).at : yield* replace(w, [...kept, removed])
  yield* w.changeHeader('settle', { nbSnapshots: kept.length })
  w.releaseStage = 'retire'
  const size = clusterSize(w.g)
  const needed = Math.ceil(bytesOf(kept).length / size) * size
  w.release(at + needed, bytesOf([...kept, removed]).length - needed)
  if (kept.length === 0) yield* w.changeHeader('retire', { snapshotsOffset: 0n })
}

/** An entry with the extra data that version 3 asks for, on a disk of `size` bytes. @see SNAP-02 */
const withExtra = (s: SnapshotEntry, size: bigint): SnapshotEntry =>
  snapshotExtra.sizeOf(s.extra) >= minSnapshotExtra
    ? s
    : {
        ...s,
        extra: {
          vmStateSize: vmStateSize(s),
          diskSize: snapshotDiskSize(s, size),
          icount: noIcount,
          rest: empty
        }
      }

/** An entry whose extra data is cut to what QEMU reads. @see SNAP-03 */
const withShortExtra = (s: SnapshotEntry): SnapshotEntry => {
  const tooMuch = snapshotExtra.sizeOf(s.extra) - maxSnapshotExtra
  const { rest } = s.extra
  return tooMuch <= 0 ? s : { ...s, extra: { ...s.extra, rest: rest.subarray(0, rest.length - tooMuch) } }
}

/** Gives every entry the extra data that version 3 asks for, in a round of its own. @see AM-02 and SNAP-02 */
export function* extendSnapshots(w: CommandState): Plan<void> {
  const { snapshots } = w.image.metadata
  const extended = snapshots.map((s) => withExtra(s, presentedSize(w.header)))
  if (extended.every((s, i) => s === snapshots[i])) return
  yield* replace(w, extended)
  yield* endRound(w)
}

/** The clusters of the table that have a refcount: past the end of the file they may have none. */
function* referencedClusters(w: CommandState): Plan<readonly number[]> {
  const { at, size } = snapshotTablePlace(w.image.metadata)
  const bytes = clusterSize(w.g)
  const referenced: number[] = []
  for (let c = at / bytes; c * bytes < at + size; c++) if ((yield* refcountOf(w, c)) > 0n) referenced.push(c)
  return referenced
}

/**
 * Repairs the extra data of every entry: as long as the version asks, and as short as QEMU does. Returns how many entries
 * that has changed.
 *
 * @see SNAP-02 and SNAP-03
 */
export function* repairSnapshots(w: CommandState): Plan<number> {
  const { snapshots } = w.image.metadata
  const size = presentedSize(w.header)
  const repaired = snapshots.map((s) => withShortExtra(w.g.version === 3 ? withExtra(s, size) : s))
  const changed = repaired.filter((s, i) => s !== snapshots[i]).length
  if (changed === 0) return 0
  const old = yield* referencedClusters(w)
  yield* place(w, repaired)
  w.released.push(...old)
  return changed
}
