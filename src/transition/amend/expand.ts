/** Zero clusters made into what version 2 can say of them: clusters that hold zeros, or none. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { compressionType } from '../../format/header.js'
import { clusterKind, L1View, L2View } from '../../format/views.js'
import { allocate } from '../engine/allocate.js'
import { refuse, type TablePlace, type Work } from '../engine/work.js'
import { addToCounts, countOf } from '../engine/refcounts.js'
import { putWord } from '../engine/l2-tables.js'
import { hostOf } from '../guest/write.js'

/** A tree of the image, and whose its L2 tables are. */
interface Tree {
  readonly owner: 'active L2 table' | 'inactive L2 table'
  readonly l1: TablePlace
}

const trees = (w: Work): readonly Tree[] => [
  { owner: 'active L2 table', l1: w.l1 },
  ...w.opened.metadata.snapshots.map((s): Tree => ({
    owner: 'inactive L2 table',
    l1: { at: Number(s.l1TableOffset), entries: s.l1Size }
  }))
]

/** A new cluster of zeros with this count, as byte offset. */
function* zeroCluster(w: Work, count: number): Plan<number> {
  const { cluster } = yield* allocate(w, 1)
  const at = cluster * clusterSize(w.g)
  w.tx.write('guest data', 'prepare', at, new Uint8Array(clusterSize(w.g)))
  if (count > 1) yield* addToCounts(w, cluster, 1, count - 1, 'prepare')
  return at
}

/**
 * Expands the zero clusters of the L2 table at a host offset. A cluster that only this table knows keeps its place: zeros
 * are written to it while nobody sees them. One that is known elsewhere may hold data there, and is given back.
 */
function* expandTable(w: Work, owner: Tree['owner'], at: number): Plan<void> {
  const size = clusterSize(w.g)
  const view = new L2View(yield* readAt(at, size), w.g)
  const sharers = Number(yield* countOf(w, at / size))
  for (let i = 0; i < view.length; i++) {
    const kind = view.kind(i)
    if (kind === clusterKind.Compressed && compressionType(w.header) !== 0)
      yield* refuse('AM-03', 'a cluster that is not deflated', 'none in version 2', {
        structure: 'L2 entry',
        at: at + 8 * i
      })
    if (kind !== clusterKind.ZeroPlain && kind !== clusterKind.ZeroAllocated) continue
    const placed = kind === clusterKind.ZeroAllocated
    const host = placed ? yield* hostOf(w, 0, view.entry(i)) : 0
    const own = placed && Number(yield* countOf(w, host / size)) === sharers
    if (own) w.tx.write('guest data', 'prepare', host, new Uint8Array(size))
    else if (placed) for (let n = 0; n < sharers; n++) w.released.push(host / size)
    const backed = w.header.backingFileOffset !== 0n
    const next = own ? host : backed ? yield* zeroCluster(w, sharers) : 0
    const copied = next !== 0 && sharers === 1 ? 1n << 63n : 0n
    yield* putWord(w, owner, 'expose', at + 8 * i, BigInt(next) | copied)
  }
}

/**
 * Makes every zero cluster of the disk and of its snapshots a normal one that holds zeros or, where nothing is behind the
 * image, an unallocated one. An L2 table that several trees share changes once. Refused at a cluster compressed in a way
 * that version 2 cannot say.
 *
 * @see AM-03 and AM-04
 */
export function* expandZeros(w: Work): Plan<void> {
  const seen = new Set<number>()
  for (const { owner, l1 } of trees(w)) {
    const table = new L1View(yield* readAt(l1.at, 8 * l1.entries))
    for (let i = 0; i < table.length; i++) {
      const at = table.l2TableOffset(i)
      if (at === 0 || seen.has(at)) continue
      if (at % clusterSize(w.g) !== 0)
        yield* refuse('L1-05', `0x${at.toString(16)}`, 'a multiple of the cluster size', {
          structure: 'L1 table entry'
        })
      seen.add(at)
      yield* expandTable(w, owner, at)
    }
  }
}
