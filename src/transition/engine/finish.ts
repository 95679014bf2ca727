/** Finishing a command: counts fall, overlaps are looked for, and the changes become an ordered list of writes. */
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { failWith, orFail, type Plan } from '../../bytes/plan.js'
import { type Metadata, readMetadata } from '../../image/metadata.js'
import { knownOf, type Opened, refuse, type Work } from './work.js'
import { beyondFiles, type Claim, inOrder } from './transaction.js'
import { overlapOf, tablesNow } from './overlap.js'
import { changeCounts, type CountChange } from './refcounts.js'

/** What a command answers with: what is to be done in this order, and the image as it is known afterwards. */
export interface Step {
  readonly writes: readonly HostWrite[]
  /** The same writes without the flushes, by stages, of which some are empty. */
  readonly staged: readonly (readonly HostWrite[])[]
  /** The ranges of the image file that are written, and whose bytes they are. */
  readonly claims: readonly Claim[]
  readonly next: Opened
}

/** Clusters as changes of their counts: each loses a reference as often as it is named. */
function* losses(named: readonly number[]): Generator<CountChange> {
  const clusters = Float64Array.from(named).sort()
  for (let i = 0, next = 0; i < clusters.length; i = next) {
    const first = clusters[i] ?? 0
    while (clusters[next] === first) next++
    const times = next - i
    let n = 1
    while (clusters[next] === first + n && (times === 1 ? clusters[next + 1] !== first + n : false)) {
      next++
      n++
    }
    yield { cluster: first, n, by: -times }
  }
}

/** Lowers the counts of what was released, and ends the round. */
export function* endRound(w: Work): Plan<void> {
  const { released, releaseStage } = w
  w.released = []
  w.releaseStage = 'release'
  for (const c of released) if (!w.freed.has(c)) w.freed.set(c, w.tx.claims.length)
  yield* changeCounts(w, losses(released), releaseStage)
  w.tx.nextRound()
}

/** What is wrong with the first of the writes, if any, that is somewhere no file reaches. @see GEN-05 */
const farWrite = (staged: Step['staged']): Issue | undefined => {
  for (const stage of staged)
    for (const w of stage) {
      if (w._tag === 'Flush') continue
      const at = w._tag === 'Truncate' ? 0 : w.at
      const length = w._tag === 'Write' ? w.bytes.length : w.length
      const issue = beyondFiles(w.file.part === 'data' ? 'data file' : 'image', at, length)
      if (issue !== undefined) return issue
    }
  return undefined
}

/** The step that a command has come to. */
export function* finish(w: Work): Plan<Step> {
  yield* endRound(w)
  const tables = w.tx.claims.length === 0 ? w.opened.tables : yield* tablesNow(w)
  const overlap = tables === undefined ? undefined : overlapOf(w, tables)
  if (overlap !== undefined)
    yield* refuse('INT-21', `a write of ${overlap.claim.owner} over ${overlap.section}`, 'a place of its own', {
      structure: overlap.claim.owner,
      at: overlap.claim.at,
      size: overlap.claim.length
    })
  const moved = w.tx.claims.some(
    (c) => c.owner === 'main header' || c.owner.startsWith('snapshot') || c.owner === 'bitmap directory'
  )
  const known = moved ? knownOf(yield* orFail<Metadata>(yield* readMetadata()), w.g) : { ...w.opened, tables }
  const staged = w.tx.hostWrites()
  const far = farWrite(staged)
  if (far !== undefined) yield* failWith([far])
  return {
    writes: inOrder(staged),
    staged,
    claims: w.tx.claims,
    next: {
      ...w.opened,
      ...known,
      backing: w.backing,
      firstFree: w.firstFree,
      compressedCursor: w.compressedCursor
    }
  }
}
