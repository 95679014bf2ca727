/** Finishing a command: counts fall, overlaps are looked for, and the changes become an ordered list of writes. */
import type { HostWrite } from '../bytes/host-write.js'
import { orFail, type Plan } from '../bytes/plan.js'
import { type Metadata, readMetadata } from '../image/metadata.js'
import { type Opened, refuse, type Work } from './opened.js'
import { overlapping } from './overlap.js'
import { addToCounts } from './refcounts.js'

/** What a command answers with: what is to be done in this order, and the image as it is known afterwards. */
export interface Step {
  readonly writes: readonly HostWrite[]
  readonly next: Opened
}

/** Lowers the counts of what was released, and ends the round. */
export function* endRound(w: Work): Plan<void> {
  const clusters = Float64Array.from(w.released).sort()
  w.released = []
  for (const c of clusters) if (!w.freed.has(c)) w.freed.set(c, w.tx.claims.length)
  for (let i = 0, next = 0; i < clusters.length; i = next) {
    const first = clusters[i] ?? 0
    while (clusters[next] === first) next++
    const times = next - i
    let n = 1
    while (clusters[next] === first + n && (times === 1 ? clusters[next + 1] !== first + n : false)) {
      next++
      n++
    }
    yield* addToCounts(w, first, n, -times, 'release')
    w.firstFree = Math.min(w.firstFree, first)
  }
  w.tx.nextRound()
}

/** The step that a command has come to. */
export function* finish(w: Work): Plan<Step> {
  yield* endRound(w)
  const overlap = yield* overlapping(w)
  if (overlap !== undefined)
    yield* refuse('INT-21', `a write of ${overlap.claim.owner} over ${overlap.section}`, 'a place of its own', {
      structure: overlap.claim.owner,
      at: overlap.claim.at,
      size: overlap.claim.length
    })
  const moved = w.tx.claims.some(
    (c) => c.owner === 'main header' || c.owner.startsWith('snapshot') || c.owner === 'bitmap directory'
  )
  const metadata = moved ? yield* orFail<Metadata>(yield* readMetadata()) : w.opened.metadata
  return {
    writes: w.tx.hostWrites(),
    next: { ...w.opened, metadata, g: w.g, backing: w.backing, firstFree: w.firstFree, packing: w.packing }
  }
}
