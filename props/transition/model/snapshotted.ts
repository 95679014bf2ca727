/** A snapshot taken step by step, for the proofs of commands that meet shared clusters. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { empty, fromText } from '../../../src/bytes/octets.js'
import { type Plan, readAt } from '../../../src/bytes/plan.js'
import { clusterSpan } from '../../../src/format/compressed.js'
import { clusterSize } from '../../../src/format/geometry.js'
import type { L2Entry } from '../../../src/format/l2.js'
import { type SnapshotEntry, snapshotEntry } from '../../../src/format/snapshot.js'
import { L1View, L2View } from '../../../src/format/views.js'
import { allocateBytes } from '../../../src/transition/engine/allocate.js'
import { carryOut, type Step } from '../../../src/transition/engine/finish.js'
import type { CommandState } from '../../../src/transition/engine/command-state.js'
import { addToRefcounts } from '../../../src/transition/engine/refcounts.js'
import { type Machine, perform, runOver } from './machine.js'

/** The host clusters that an entry refers to, first and last. */
const clustersOf = (e: L2Entry, size: number): readonly [first: number, last: number] | undefined => {
  if (e._tag === 'Compressed') {
    const { first, last } = clusterSpan(e, Math.log2(size))
    return [first, last]
  }
  if (!('hostClusterOffset' in e)) return undefined
  const cluster = Number(e.hostClusterOffset) / size
  return [cluster, cluster]
}

/** The table with no entry saying that what it refers to is its own. Compressed entries never say so. */
const withoutCopied = (bytes: Uint8Array, stride: number): Uint8Array =>
  bytes.map((byte, i) => (i % stride === 0 ? byte & 0x7f : byte))

/** Counts one reference more to an L2 table and to all it refers to. */
function* shareTable(w: CommandState, at: number): Plan<void> {
  const size = clusterSize(w.g)
  const bytes = yield* readAt(at, size)
  const view = new L2View(bytes, w.g)
  yield* addToRefcounts(w, at / size, 1, 1, 'prepare')
  for (let i = 0; i < view.length; i++) {
    const span = clustersOf(view.entry(i), size)
    if (span !== undefined) yield* addToRefcounts(w, span[0], span[1] - span[0] + 1, 1, 'prepare')
  }
  yield* w.tx.put('active L2 table', 'prepare', at, withoutCopied(bytes, w.g.extendedL2 ? 16 : 8))
}

/** The one entry of the snapshot table. */
const entryFor = (w: CommandState, l1: number, entries: number, name: string): SnapshotEntry => ({
  l1TableOffset: BigInt(l1),
  l1Size: entries,
  dateSec: 0,
  dateNsec: 0,
  vmClockNsec: 0n,
  vmStateSize: 0,
  extra: { vmStateSize: 0n, diskSize: BigInt(w.disk.size), rest: empty },
  id: fromText('1'),
  name: fromText(name),
  padding: empty
})

function* take(w: CommandState, name: string): Plan<void> {
  const { at, entries } = w.l1
  const table = yield* readAt(at, 8 * entries)
  const view = new L1View(table)
  for (let i = 0; i < entries; i++) if (view.l2TableOffset(i) !== 0) yield* shareTable(w, view.l2TableOffset(i))
  const l1 = yield* allocateBytes(w, table.length)
  yield* w.tx.put('inactive L1 table', 'prepare', l1, table)
  yield* w.tx.put('active L1 table', 'prepare', at, withoutCopied(table, 8))
  const entry = snapshotEntry.encode(entryFor(w, l1, entries, name))
  const snapshots = yield* allocateBytes(w, entry.length)
  yield* w.tx.put('snapshot table', 'prepare', snapshots, entry)
  yield* w.changeHeader('expose', { nbSnapshots: 1, snapshotsOffset: BigInt(snapshots) })
}

/** The machine after its first snapshot; refused where a refcount does not fit. */
export const snapshotted = (m: Machine, name: string): E.Either<readonly Issue[], Machine> =>
  E.map(({ writes, next }: Step) => ({ files: perform(m.files, writes), opened: next }))(
    runOver(
      m.files,
      carryOut(m.opened, (w) => take(w, name))
    )
  )
