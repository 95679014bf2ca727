/** Snapshots: taken, gone back to, and deleted. A snapshot is an L1 table of its own over clusters that trees share. */
import { empty, equal, fromText, toSomeText } from '../../bytes/octets.js'
import { orFail, type Plan, readAt } from '../../bytes/plan.js'
import { neededL1Entries } from '../../format/geometry.js'
import { sectorSize } from '../../format/limits.js'
import type { SnapshotEntry } from '../../format/snapshot.js'
import { type Disk, snapshotDisk } from '../../image/guest/extents.js'
import { allocateBytes } from '../engine/allocate.js'
import { endRound } from '../engine/finish.js'
import { releaseTable } from '../engine/l1-table.js'
import { refuse, type TablePlace, type Work } from '../engine/work.js'
import { changeCounts } from '../engine/refcounts.js'
import { addSnapshot, removeSnapshot } from './snapshot-table.js'
import type { Owner } from '../engine/transaction.js'
import { markCopied, surplus, tallyTree } from '../engine/tree.js'

/** When a snapshot is taken, as the one who asks for it reads the clock. */
export interface Moment {
  /** Seconds since the epoch. */
  readonly seconds: number
  readonly nanoseconds: number
}

/** Refuses what an image with an external data file does not have, and a table that does not decode. @see DATA-10 */
function* mayHaveSnapshots(w: Work): Plan<void> {
  const { header, snapshots } = w.opened.metadata
  if (w.g.externalDataFile)
    yield* refuse('DATA-10', 'an external data file', 'all data in the image', { structure: 'header' })
  if (snapshots.length !== header.nbSnapshots)
    yield* refuse('SNAP-01', `${snapshots.length} entries that decode`, `${header.nbSnapshots}`, {
      structure: 'snapshot table'
    })
}

/** The snapshot of this name, the oldest of several, or first of all the one with this id. @see SNAP-10 */
function* find(w: Work, name: string, idToo: boolean): Plan<SnapshotEntry> {
  const wanted = fromText(name)
  const { snapshots } = w.opened.metadata
  const found =
    (idToo ? snapshots.find((s) => equal(s.id, wanted)) : undefined) ?? snapshots.find((s) => equal(s.name, wanted))
  return (
    found ??
    (yield* refuse<SnapshotEntry>('SNAP-10', name, idToo ? 'the id or name of a snapshot' : 'the name of a snapshot'))
  )
}

/** The number an id begins with. */
const numberOf = (s: SnapshotEntry): bigint => BigInt(/^[0-9]*/.exec(toSomeText(s.id))?.[0] ?? '')

/** One more than the greatest of the ids. @see SNAP-06 */
const nextId = (snapshots: readonly SnapshotEntry[]): string =>
  String(snapshots.map(numberOf).reduce((most, id) => (id > most ? id : most), 0n) + 1n)

/** Writes a table of `entries` L1 entries to new clusters: those of another, and zeros behind them. */
function* copyL1(w: Work, from: TablePlace, entries: number, owner: Owner): Plan<TablePlace> {
  if (entries === 0) return { at: 0, entries }
  const at = yield* allocateBytes(w, 8 * entries)
  const bytes = new Uint8Array(8 * entries)
  if (from.entries > 0) bytes.set(yield* readAt(from.at, 8 * from.entries))
  yield* w.tx.put(owner, 'prepare', at, bytes)
  return { at, entries }
}

/**
 * Takes a snapshot of the disk: a copy of the L1 table, one reference more to everything below it, and no COPIED flag in
 * the active tree, of which nothing is its own any more. All that happens while nothing shows the snapshot: a crash
 * leaves counts too high. Then the snapshot table grows. There is no VM state.
 *
 * Refused with an external data file, beyond 65536 snapshots, and where a count would pass its width.
 *
 * @see ST-01, ST-03, SNAP-04, SNAP-05 and SNAP-06
 */
export function* createSnapshot(w: Work, name: string, { seconds, nanoseconds }: Moment): Plan<void> {
  yield* mayHaveSnapshots(w)
  yield* changeCounts(w, surplus(yield* tallyTree(w, w.l1), 1), 'prepare')
  yield* markCopied(w, 'prepare', w.l1, () => false)
  const l1 = yield* copyL1(w, w.l1, w.l1.entries, 'inactive L1 table')
  yield* addSnapshot(w, {
    l1TableOffset: BigInt(l1.at),
    l1Size: l1.entries,
    dateSec: seconds,
    dateNsec: nanoseconds,
    vmClockNsec: 0n,
    vmStateSize: 0,
    extra: { vmStateSize: 0n, diskSize: BigInt(w.disk.size), icount: 0n, rest: empty },
    id: fromText(nextId(w.opened.metadata.snapshots)),
    name: fromText(name),
    padding: empty
  })
}

/** What a disk must be to become the active one. @see RS-01 and ST-11 */
function* mayBecome(w: Work, { size }: Disk): Plan<void> {
  if (w.opened.metadata.bitmaps.length > 0)
    yield* refuse('ST-11', 'an image with bitmaps, which would not record the change', 'none')
  if (size % sectorSize !== 0 || !Number.isSafeInteger(size))
    yield* refuse('RS-01', `a snapshot of ${size} bytes`, `a multiple of ${sectorSize}`)
  if (w.g.version === 2 && size !== w.disk.size)
    yield* refuse('RS-01', `a snapshot of ${size} bytes`, `${w.disk.size}, as the disk of version 2 is`)
}

/**
 * Makes the disk what it was, size and all. A new L1 table holds the entries of the snapshot's, and one word of the header
 * brings it in; before, the references that the snapshot's tree has more than the active one are added, and afterwards
 * those that the active one had more are taken. Everything is shared now, so that no COPIED flag is set, whatever the
 * flags in the snapshot's tables were.
 *
 * A disk that gets smaller gets its size before its content, and one that gets larger after it: a crash in between shows
 * the old content cut off, or the beginning of the snapshot's.
 *
 * Refused with bitmaps, and in version 2 where the sizes differ.
 *
 * @see ST-10, ST-11 and L2-07
 */
export function* applySnapshot(w: Work, name: string): Plan<void> {
  yield* mayHaveSnapshots(w)
  const wanted = yield* find(w, name, true)
  const { size, l1TableOffset, l1Size } = yield* orFail<Disk>(snapshotDisk(w.opened.metadata, w.g, wanted))
  yield* mayBecome(w, { ...w.disk, size })
  const old = w.l1
  const oldSize = w.disk.size
  const theirs = { at: l1TableOffset, entries: l1Size }
  const [leaving, coming] = [yield* tallyTree(w, old), yield* tallyTree(w, theirs)]
  const entries = Math.max(old.entries, l1Size, Number(neededL1Entries(w.g, BigInt(size))))
  const l1 = yield* copyL1(w, theirs, entries, 'active L1 table')
  yield* changeCounts(w, surplus(coming, 1, leaving), 'prepare')
  yield* markCopied(w, 'prepare', l1, () => false)
  if (size < oldSize) yield* w.changeHeader('prepare', { size: BigInt(size) })
  yield* w.changeHeader('expose', { l1TableOffset: BigInt(l1.at) })
  yield* w.changeHeader('settle', { l1Size: entries })
  releaseTable(w, old.at, 8 * old.entries)
  yield* changeCounts(w, surplus(leaving, -1, coming), 'release')
  yield* endRound(w)
  if (size > oldSize) yield* w.changeHeader('expose', { size: BigInt(size) })
}

/**
 * Deletes the snapshot of this name: out of the table first, then one reference less to everything below its L1 table.
 * What counts one afterwards belongs to the active tree alone, and its COPIED flags say so once the counts are durable.
 *
 * @see ST-20, SNAP-10 and L2-07
 */
export function* deleteSnapshot(w: Work, name: string): Plan<void> {
  yield* mayHaveSnapshots(w)
  const wanted = yield* find(w, name, false)
  const { l1TableOffset, l1Size } = yield* orFail<Disk>(snapshotDisk(w.opened.metadata, w.g, wanted))
  const tally = yield* tallyTree(w, { at: l1TableOffset, entries: l1Size })
  yield* removeSnapshot(w, wanted)
  releaseTable(w, l1TableOffset, 8 * l1Size)
  const own = yield* changeCounts(w, surplus(tally, -1), w.releaseStage)
  yield* endRound(w)
  yield* markCopied(w, 'expose', w.l1, (cluster, copied) => copied || own.has(cluster))
}
