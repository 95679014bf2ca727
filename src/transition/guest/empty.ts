/** Emptying: the guest reads what lies below, everywhere. */
import type { Plan } from '../../bytes/plan.js'
import { clusterSize, l2Entries } from '../../format/geometry.js'
import { endRound } from '../engine/finish.js'
import { drop } from './guest-range.js'
import { refuse, type Work } from '../engine/work.js'
import { changeCounts, countedEnd, dropEmptyBlocks } from '../engine/refcounts.js'
import { surplus } from '../engine/tree.js'

/**
 * Makes the whole disk unallocated, and gives back what held it. Snapshots, bitmaps and, where there are snapshots, VM state
 * behind the end of the disk stay. A crash leaves of each cluster what it was or what lies below, and leaks at most.
 * Refused where an external data file is the raw disk.
 *
 * @see CR-05
 */
export function* makeEmpty(w: Work): Plan<void> {
  if (w.header.autoclearFeatures.rawExternalData)
    return yield* refuse('DATA-06', 'raw external data', 'clusters that may be unallocated')
  const clusters = Math.ceil(w.disk.size / clusterSize(w.g))
  const all = w.l1.entries * l2Entries(w.g)
  const gone = yield* drop(w, 0, w.header.nbSnapshots === 0 ? all : Math.min(all, clusters))
  yield* changeCounts(w, surplus(gone, -1), 'release')
  yield* endRound(w)
  yield* dropEmptyBlocks(w, 'expose')
  yield* endRound(w)
  const length = yield* countedEnd(w)
  w.tx.schedule('release', { _tag: 'Truncate', file: { part: 'image', depth: 0 }, length })
}
