/** VM state: the state of a running machine, in the tree of a snapshot past the guest disk. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../bytes/issue.js'
import { type Geometry, l1Coverage } from '../../format/geometry.js'
import { type SnapshotEntry, snapshotSizeRules, snapshotStarts, vmStateSize } from '../../format/snapshot.js'
import { type GuestDisk, snapshotDisk } from './extents.js'
import type { Metadata } from '../metadata.js'

/** L1 entries in front of the VM state of a disk of `size` bytes: all those that cover the disk. @see SNAP-12 */
const diskEntries = (g: Geometry, size: number): number => Math.ceil(size / l1Coverage(g))

/**
 * Guest offset in bytes of the VM state of a disk of `size` bytes.
 *
 * @see SNAP-12 and ST-30
 * @example
 * import { vmStateOffset } from 'qcow2-spec/image'
 * import * as assert from 'node:assert/strict'
 *
 * const g = { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false, refcountOrder: 4 }
 * assert.equal(vmStateOffset(g, 1 << 20), 2 ** 29)
 */
export const vmStateOffset = (g: Geometry, size: number): number => diskEntries(g, size) * l1Coverage(g)

/** Byte offset of a snapshot's entry in the file. */
const entryAt = (m: Metadata, s: SnapshotEntry): number =>
  Number(m.header.snapshotsOffset) + (snapshotStarts(m.snapshots)[m.snapshots.indexOf(s)] ?? 0)

/** The tree of a disk past the disk, as a disk of its own of `size` bytes, or as many as its L1 table covers. */
const afterDisk = (g: Geometry, disk: GuestDisk, size?: number): GuestDisk => {
  const first = diskEntries(g, disk.size)
  const l1Size = Math.max(0, disk.l1Size - first)
  const [from, l1TableOffset] = [first * l1Coverage(g), disk.l1TableOffset + 8 * first]
  return { ...disk, from, size: size ?? l1Size * l1Coverage(g), l1TableOffset, l1Size }
}

/**
 * The VM state of the active disk as a disk of its own, as long as its L1 table covers: the image does not record its length. As
 * a chain of this one layer it is read like any other; a backing file has no part in it.
 *
 * @see SNAP-12
 */
export const activeVmState = (g: Geometry, disk: GuestDisk): GuestDisk => afterDisk(g, disk)

/**
 * The VM state of a snapshot as a disk of its own: its L1 table is the snapshot's from the first entry on that covers no
 * disk cluster. As a chain of this one layer it is read and mapped like any other; a backing file has no part in it.
 * Refused where the L1 table cannot be read, or ends before the VM state does.
 *
 * @see SNAP-12
 * @example
 * import { readMetadata, runSync, vmStateDisk } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const read = runSync(readMetadata(), worldOf(files, () => undefined))
 * const m = read._tag === 'Right' && read.right._tag === 'Right' ? read.right.right : undefined
 * const g = m?.geometry
 * const states = m === undefined || g === undefined ? m : m.snapshots.map((s) => vmStateDisk(m, g, s))
 * assert.deepEqual(states, []) // a new image has no snapshots
 */
export const vmStateDisk = (m: Metadata, g: Geometry, s: SnapshotEntry): E.Either<readonly Issue[], GuestDisk> =>
  E.chain((disk: GuestDisk): E.Either<readonly Issue[], GuestDisk> => {
    const issues = snapshotSizeRules.judge(s, { ...g, disk: m.header.size }, entryAt(m, s))
    const tooFew = issues.filter(({ clause }) => clause === 'SNAP-12')
    return tooFew.length > 0 ? E.left(tooFew) : E.right(afterDisk(g, disk, Number(vmStateSize(s))))
  })(snapshotDisk(m, g, s))
