/** The snapshot table: new ones are placed whole, and the header's two words about it change one after the other. */
import { toEight } from '../../bytes/entry.js'
import { empty } from '../../bytes/octets.js'
import { clusterSize } from '../../format/geometry.js'
import type { Plan } from '../../bytes/plan.js'
import { maxSnapshotExtra, maxSnapshots, maxSnapshotTable } from '../../format/limits.js'
import {
  snapshotDiskSize,
  snapshotEntry,
  type SnapshotEntry,
  snapshotExtra,
  snapshotTable,
  vmStateSize
} from '../../format/snapshot.js'
import { snapshotTablePlace } from '../../image/metadata.js'
import { allocateBytes } from '../engine/allocate.js'
import { releaseTable } from '../engine/l1-table.js'
import { refuse, type Work } from '../engine/work.js'
import { countOf } from '../engine/refcounts.js'

/** The bytes of a table: every entry but the last padded to a multiple of 8. @see SNAP-01 and SNAP-04 */
const bytesOf = (entries: readonly SnapshotEntry[]): Uint8Array =>
  snapshotTable(entries.length).encode(
    entries.map((s, i) => {
      const missing = i === entries.length - 1 ? 0 : toEight(snapshotEntry.sizeOf({ ...s, padding: empty }))
      return s.padding.length === missing ? s : { ...s, padding: new Uint8Array(missing) }
    })
  )

/** Writes a table to new clusters, and lets the header name it. As many of its entries count as nb_snapshots says. */
function* place(w: Work, entries: readonly SnapshotEntry[]): Plan<number> {
  const table = bytesOf(entries)
  if (table.length > maxSnapshotTable)
    yield* refuse('SNAP-07', `a snapshot table of ${table.length} bytes`, `at most ${maxSnapshotTable}`, {
      phase: 'limit'
    })
  const at = yield* allocateBytes(w, table.length)
  yield* w.tx.put('snapshot table', 'prepare', at, table)
  yield* w.changeHeader('expose', { snapshotsOffset: BigInt(at) })
  return at
}

/** The same, and the old table goes. */
function* replace(w: Work, entries: readonly SnapshotEntry[]): Plan<number> {
  const at = yield* place(w, entries)
  const old = snapshotTablePlace(w.opened.metadata)
  releaseTable(w, old.at, old.size)
  return at
}

/**
 * Adds an entry behind the others. The new table begins with the same entries, so that the header may name its place
 * first and their number afterwards. @see ST-01, ST-03 and SNAP-07
 */
export function* addSnapshot(w: Work, added: SnapshotEntry): Plan<void> {
  const { snapshots } = w.opened.metadata
  if (snapshots.length >= maxSnapshots)
    yield* refuse('ST-03', `${snapshots.length + 1} snapshots`, `at most ${maxSnapshots}`, { phase: 'limit' })
  if (!snapshotEntry.is(added))
    yield* refuse('SNAP-01', 'a name or a date that does not fit', 'at most 65535 bytes, and 32 bits of seconds')
  yield* replace(w, [...snapshots, added])
  yield* w.changeHeader('settle', { nbSnapshots: snapshots.length + 1 })
}

/**
 * Takes an entry out. In the new table it stands behind the others, where only the number of entries leaves it out; so the
 * header may again name the place first, and a crash in between has moved the entry and lost nothing. Clusters that
 * nothing but that entry needs are released.
 *
 * @see ST-20
 */
export function* removeSnapshot(w: Work, removed: SnapshotEntry): Plan<void> {
  const { snapshots } = w.opened.metadata
  const kept = snapshots.filter((s) => s !== removed)
  const inPlace = removed === snapshots.at(-1)
  const at = inPlace ? snapshotTablePlace(w.opened.metadata).at : yield* replace(w, [...kept, removed])
  yield* w.changeHeader('settle', { nbSnapshots: kept.length })
  w.releaseStage = 'retire'
  const size = clusterSize(w.g)
  const needed = Math.ceil(bytesOf(kept).length / size) * size
  releaseTable(w, at + needed, bytesOf([...kept, removed]).length - needed)
  if (kept.length === 0) yield* w.changeHeader('retire', { snapshotsOffset: 0n })
}

/** The entry with extra data as long as its version asks, and short enough for QEMU. @see SNAP-02 and SNAP-03 */
const whole = (w: Work, s: SnapshotEntry): SnapshotEntry => {
  const size = snapshotExtra.sizeOf(s.extra)
  if (w.g.version === 3 && size < 16)
    return {
      ...s,
      extra: {
        vmStateSize: vmStateSize(s),
        diskSize: snapshotDiskSize(s, w.header.size),
        icount: 0xffff_ffff_ffff_ffffn,
        rest: empty
      }
    }
  if (size <= maxSnapshotExtra) return s
  const { rest } = s.extra
  return { ...s, extra: { ...s.extra, rest: rest.subarray(0, rest.length - (size - maxSnapshotExtra)) } }
}

/** Clusters of the table as it is that have a count: of a table behind the end of the file they may have none. */
function* countedClusters(w: Work): Plan<readonly number[]> {
  const { at, size } = snapshotTablePlace(w.opened.metadata)
  const bytes = clusterSize(w.g)
  const counted: number[] = []
  for (let c = at / bytes; c * bytes < at + size; c++) if ((yield* countOf(w, c)) > 0n) counted.push(c)
  return counted
}

/** Writes a table in which the extra data of every entry say the sizes that they left to be understood, and are cut where they are too long. */
export function* completeSnapshots(w: Work): Plan<void> {
  const { snapshots } = w.opened.metadata
  const mended = snapshots.map((s) => whole(w, s))
  if (mended.every((s, i) => s === snapshots[i])) return
  const old = yield* countedClusters(w)
  yield* place(w, mended)
  w.released.push(...old)
}
