/** Zero clusters, expanded to what version 2 has instead: clusters that hold zeros, or unallocated ones. */
import { failOn, orFail, type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { compressionType } from '../../format/header.js'
import { l1OffsetRules } from '../../format/l1.js'
import { clusterKind, L1View, L2View } from '../../format/views.js'
import { type GuestDisk, snapshotDisk } from '../../image/guest/extents.js'
import { copiedFlag } from '../engine/active-tree.js'
import { allocate } from '../engine/allocate.js'
import type { CommandState, TablePlace } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'
import { addToRefcounts, refcountOf } from '../engine/refcounts.js'

/** An L1 table of the image, and the section of the L2 tables that it names. */
interface OwnedL1Table {
  readonly section: 'active L2 table' | 'inactive L2 table'
  readonly l1: TablePlace
}

/** The L1 tables of the image. Refused where that of a snapshot cannot be read. */
function* l1Tables(w: CommandState): Plan<readonly OwnedL1Table[]> {
  const tables: OwnedL1Table[] = [{ section: 'active L2 table', l1: w.l1 }]
  for (const s of w.image.metadata.snapshots) {
    const { l1TableOffset, l1Size } = yield* orFail<GuestDisk>(snapshotDisk(w.image.metadata, w.g, s))
    tables.push({ section: 'inactive L2 table', l1: { at: l1TableOffset, entries: l1Size } })
  }
  return tables
}

/** Writes zeros to a new cluster with this refcount, and returns its host offset. */
function* zeroCluster(w: CommandState, refcount: number): Plan<number> {
  const { cluster } = yield* allocate(w, 1)
  const at = cluster * clusterSize(w.g)
  w.tx.write('guest data', 'prepare', at, new Uint8Array(clusterSize(w.g)))
  if (refcount > 1) yield* addToRefcounts(w, cluster, 1, refcount - 1, 'prepare')
  return at
}

/**
 * Expands the zero clusters of the L2 table at a host offset. A host cluster to which only this table refers keeps its place:
 * zeros are written to it while no reader sees them. One with other references may hold data of theirs, and is released.
 */
function* expandTable(w: CommandState, section: OwnedL1Table['section'], at: number): Plan<void> {
  const size = clusterSize(w.g)
  const view = new L2View(yield* readAt(at, size), w.g)
  const sharers = Number(yield* refcountOf(w, at / size))
  for (let i = 0; i < view.length; i++) {
    const kind = view.kind(i)
    if (kind === clusterKind.Compressed && compressionType(w.header) !== 0)
      yield* refuse('AM-03', 'a cluster that is not deflated', 'none in version 2', {
        structure: 'L2 entry',
        at: at + 8 * i
      })
    if (kind !== clusterKind.ZeroPlain && kind !== clusterKind.ZeroAllocated) continue
    const placed = kind === clusterKind.ZeroAllocated
    const host = placed ? view.hostClusterOffset(i) : 0
    const own = placed && Number(yield* refcountOf(w, host / size)) === sharers
    if (own) w.tx.write('guest data', 'prepare', host, new Uint8Array(size))
    else if (placed) for (let n = 0; n < sharers; n++) w.released.push(host / size)
    const backed = w.header.backingFileOffset !== 0n
    const next = own ? host : backed ? yield* zeroCluster(w, sharers) : 0
    const copied = next !== 0 && sharers === 1 ? copiedFlag : 0n
    yield* w.tx.putWord(section, 'expose', at + 8 * i, BigInt(next) | copied)
  }
}

/**
 * Makes every zero cluster of the disk and of its snapshots a normal one that holds zeros or, without a backing file, an
 * unallocated one. An L2 table that several trees share changes once. Refused at a cluster that is compressed by another
 * method than version 2 knows, and at a snapshot whose L1 table cannot be read.
 *
 * @see AM-03 and AM-04
 */
export function* expandZeros(w: CommandState): Plan<void> {
  const seen = new Set<number>()
  for (const { section, l1 } of yield* l1Tables(w)) {
    const table = new L1View(yield* readAt(l1.at, 8 * l1.entries))
    for (let i = 0; i < table.length; i++) {
      const at = table.l2TableOffset(i)
      if (at === 0 || seen.has(at)) continue
      yield* failOn(l1OffsetRules.judge(table.entry(i), w.g, l1.at + 8 * i))
      seen.add(at)
      yield* expandTable(w, section, at)
    }
  }
}
