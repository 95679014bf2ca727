/** Clusters past the end of the file: under the dirty bit they may be pointed to before they were ever written. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { sectorSize } from '../../format/limits.js'
import { clusterKind, L2View } from '../../format/views.js'
import type { Examined } from '../../image/check/check.js'
import { branchesOf } from './branches.js'
import type { Work } from '../engine/work.js'

/**
 * Makes the file of a dirty image as long as the clusters that its active tree names, so that they can be counted. They read
 * as zeros before and afterwards. An entry that lies further off than the disk has clusters is left alone.
 *
 * @see FEAT-04, GEN-03 and CHK-02
 */
export function* reachPastEnd(w: Work, e: Examined): Plan<void> {
  if (!w.header.incompatibleFeatures.dirty || w.g.externalDataFile) return
  const { size, fileLength } = e.state
  const most = (Math.ceil(fileLength / size) + Math.ceil(Number(w.header.size) / size)) * size
  let end = 0
  yield* branchesOf(w, e, function* ({ at, active }): Plan<void> {
    if (!active) return
    const view = new L2View(yield* readAt(at, size), w.g)
    for (let i = 0; i < view.length; i++) {
      const kind = view.kind(i)
      if (kind !== clusterKind.Normal && kind !== clusterKind.ZeroAllocated) continue
      const offset = view.hostClusterOffset(i)
      if (offset % size === 0 && offset + size <= most) end = Math.max(end, offset + size)
    }
  })
  if (end > fileLength) w.tx.write('guest data', 'prepare', end - sectorSize, new Uint8Array(sectorSize))
}
