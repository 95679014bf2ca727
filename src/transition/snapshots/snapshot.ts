/** Snapshots: created, applied and deleted. A snapshot is an L1 table of its own over clusters that trees share. */
import { empty, equal, fromText, toSomeText } from '../../bytes/octets.js'
import { orFail, type Plan } from '../../bytes/plan.js'
import { neededL1Entries } from '../../format/geometry.js'
import type { SnapshotEntry } from '../../format/snapshot.js'
import { type GuestDisk, snapshotDisk } from '../../image/guest/extents.js'
import { copyL1 } from '../engine/active-tree.js'
import type { CommandState } from '../engine/command-state.js'
import { mayHaveSize, mayStoreData, refuse } from '../engine/refuse.js'
import { endRound } from '../engine/finish.js'
import { changeRefcounts } from '../engine/refcounts.js'
import { markCopied, surplus, treeReferences } from '../engine/references.js'
import { addSnapshot, removeSnapshot } from './snapshot-table.js'

/** The time of a snapshot, which the caller reads from its clock. */
export interface SnapshotTime {
  /** Seconds since the epoch. */
  readonly seconds: number
  readonly nanoseconds: number
}

/** Refuses an image with an external data file, and a snapshot table that does not decode. @see DATA-10 and SNAP-01 */
function* mayHaveSnapshots(w: CommandState): Plan<void> {
  const { header, snapshots } = w.image.metadata
  yield* mayStoreData(w.g)
  if (snapshots.length !== header.nbSnapshots)
    yield* refuse('SNAP-01', `${snapshots.length} entries that decode`, `${header.nbSnapshots}`, {
      structure: 'snapshot table'
    })
}

/** The snapshot with this name, the oldest of several; with `idToo`, rather the one with this id. @see SNAP-10 */
function* find(w: CommandState, name: string, idToo: boolean): Plan<SnapshotEntry> {
  const wanted = fromText(name)
  const { snapshots } = w.image.metadata
  const found =
    (idToo ? snapshots.find((s) => equal(s.id, wanted)) : undefined) ?? snapshots.find((s) => equal(s.name, wanted))
  return (
    found ??
    (yield* refuse<SnapshotEntry>(
      'SNAP-10',
      `no snapshot '${name}'`,
      `the ${idToo ? 'id or name' : 'name'} of an existing snapshot`
    ))
  )
}

/** The number that an id begins with. */
const numberOf = (s: SnapshotEntry): bigint => BigInt(/^[0-9]*/.exec(toSomeText(s.id))?.[0] ?? '')

/** One more than the greatest id. @see SNAP-06 */
const nextId = (snapshots: readonly SnapshotEntry[]): string =>
  String(snapshots.map(numberOf).reduce((most, id) => (id > most ? id : most), 0n) + 1n)

/**
 * Creates a snapshot of the disk, without VM state: copies the L1 table, adds one reference to everything that it leads to,
 * and clears the COPIED flags of the active tree, in which everything is shared now. Then the snapshot table grows. Until
 * that is durable nothing shows the snapshot, and a crash leaves refcounts that are too high.
 *
 * Refused with an external data file, beyond 65536 snapshots, and where a refcount would not fit its width.
 *
 * @see ST-01, ST-02, ST-03, SNAP-04, SNAP-05 and SNAP-06
 */
export function* createSnapshot(w: CommandState, name: string, { seconds, nanoseconds }: SnapshotTime): Plan<void> {
  yield* mayHaveSnapshots(w)
  yield* changeRefcounts(w, surplus(yield* treeReferences(w, w.l1), 1), 'prepare')
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
    id: fromText(nextId(w.image.metadata.snapshots)),
    name: fromText(name),
    padding: empty
  })
}

/** Refuses a disk of `size` bytes that cannot become the active one. @see RS-01 and ST-11 */
function* mayApply(w: CommandState, size: number): Plan<void> {
  if (w.image.metadata.bitmaps.length > 0)
    yield* refuse('ST-11', 'an image with bitmaps, which would not record the change', 'none')
  yield* mayHaveSize(size, `a snapshot of ${size} bytes`)
  if (w.g.version === 2 && size !== w.disk.size)
    yield* refuse('RS-01', `a snapshot of ${size} bytes`, `${w.disk.size}, as the disk of version 2 is`)
}

/**
 * Makes the disk what it was, and as large. A new L1 table has the entries of the snapshot's, and one word of the header
 * makes it the active one; before that the references are added that only the snapshot's tree has, and afterwards those are
 * taken away that only the old active tree had. Everything is shared then, so no COPIED flag is set, whatever the
 * snapshot's tables say.
 *
 * A disk that shrinks changes its size before its content, and one that grows after it: a crash in between shows the old
 * content without its end, or the beginning of the snapshot's.
 *
 * Refused with bitmaps, and in version 2 where the sizes differ.
 *
 * @see ST-10, ST-11 and L2-07
 */
export function* applySnapshot(w: CommandState, name: string): Plan<void> {
  yield* mayHaveSnapshots(w)
  const wanted = yield* find(w, name, true)
  const { size, l1TableOffset, l1Size } = yield* orFail<GuestDisk>(snapshotDisk(w.image.metadata, w.g, wanted))
  yield* mayApply(w, size)
  const old = w.l1
  const oldSize = w.disk.size
  const theirs = { at: l1TableOffset, entries: l1Size }
  const [leaving, coming] = [yield* treeReferences(w, old), yield* treeReferences(w, theirs)]
  const entries = Math.max(old.entries, l1Size, Number(neededL1Entries(w.g, BigInt(size))))
  const l1 = yield* copyL1(w, theirs, entries, 'active L1 table')
  yield* changeRefcounts(w, surplus(coming, 1, leaving), 'prepare')
  yield* markCopied(w, 'prepare', l1, () => false)
  if (size < oldSize) yield* w.changeHeader('prepare', { size: BigInt(size) })
  yield* w.changeHeader('expose', { l1TableOffset: BigInt(l1.at) })
  yield* w.changeHeader('settle', { l1Size: entries })
  w.release(old.at, 8 * old.entries)
  yield* changeRefcounts(w, surplus(leaving, -1, coming), 'release')
  yield* endRound(w)
  if (size > oldSize) yield* w.changeHeader('expose', { size: BigInt(size) })
}

/**
 * Deletes the snapshot with this name: its entry goes first, then one reference to everything that its L1 table leads to.
 * Clusters whose refcount is one afterwards belong to the active tree alone; its COPIED flags say so once that is durable.
 *
 * @see ST-20, SNAP-10 and L2-07
 */
export function* deleteSnapshot(w: CommandState, name: string): Plan<void> {
  yield* mayHaveSnapshots(w)
  const wanted = yield* find(w, name, false)
  const { l1TableOffset, l1Size } = yield* orFail<GuestDisk>(snapshotDisk(w.image.metadata, w.g, wanted))
  const gone = yield* treeReferences(w, { at: l1TableOffset, entries: l1Size })
  yield* removeSnapshot(w, wanted)
  w.release(l1TableOffset, 8 * l1Size)
  const own = yield* changeRefcounts(w, surplus(gone, -1), w.releaseStage)
  yield* endRound(w)
  yield* markCopied(w, 'expose', w.l1, (cluster, copied) => copied || own.has(cluster))
}
