/** Finishing a command: refcounts fall, the overlap check runs, and the changes become an ordered list of writes. */
import type { HostWrite } from '../../bytes/host-write.js'
import type { Issue } from '../../bytes/issue.js'
import { failOn, orFail, type Plan } from '../../bytes/plan.js'
import { type Metadata, readMetadata } from '../../image/metadata.js'
import { CommandState, fromMetadata, type WritableImage } from './command-state.js'
import { refuse } from './refuse.js'
import { changeRefcounts, type RefcountChange } from './refcounts.js'
import { type Claim, overlapOf, tablesNow } from './sections.js'
import { inOrder, type StagedWrites } from './stages.js'
import { beyondFiles, readThrough } from './transaction.js'

/** The outcome of a command: the writes to perform, in this order, and the image after them. */
export interface Step {
  readonly writes: readonly HostWrite[]
  /** The same writes by stage, without the flushes. */
  readonly staged: StagedWrites
  /** The ranges of the image file that are written. */
  readonly claims: readonly Claim[]
  readonly next: WritableImage
}

/** Changes that take one reference from a cluster for each time that it is listed. */
function* losses(listed: readonly number[]): Generator<RefcountChange> {
  const clusters = Float64Array.from(listed).sort()
  for (let i = 0, next = 0; i < clusters.length; i = next) {
    const first = clusters[i] ?? 0
    while (clusters[next] === first) next++
    const times = next - i
    let n = 1
    while (times === 1 && clusters[next] === first + n && clusters[next + 1] !== first + n) {
      next++
      n++
    }
    yield { cluster: first, n, by: -times }
  }
}

/** Lowers the refcounts of what was released, and ends the round. */
export function* endRound(w: CommandState): Plan<void> {
  const { released, releaseStage } = w
  w.released = []
  w.releaseStage = 'release'
  for (const c of released) if (!w.freed.has(c)) w.freed.set(c, w.tx.claims.length)
  yield* changeRefcounts(w, losses(released), releaseStage)
  w.tx.nextRound()
}

/** The issue of a write that no file reaches. @see GEN-05 */
const farWrite = (w: HostWrite): readonly Issue[] => {
  if (w._tag === 'Flush') return []
  const length = w._tag === 'Write' ? w.bytes.length : w.length
  return beyondFiles(w.file.part === 'data' ? 'data file' : 'image', w._tag === 'Truncate' ? 0 : w.at, length)
}

/**
 * The issues of an image whose header promises bitmaps and has none. QEMU's overlap check takes each write that it tests
 * for one over their directory.
 *
 * @see FEAT-07
 */
const missingBitmaps = ({ issues }: Metadata, claims: readonly Claim[]): readonly Issue[] =>
  claims.every(({ section }) => section === 'main header') ? [] : issues.filter(({ clause }) => clause === 'FEAT-07')

/** Whether a claim changes what {@link readMetadata} reads. */
const isMetadata = ({ section }: Claim): boolean =>
  section === 'main header' || section === 'snapshot table' || section === 'bitmap directory'

/**
 * The outcome of a command that is carried out. Refused where a write would go over metadata of another section, or where no
 * file reaches, and where bitmaps are missing that the header promises.
 *
 * @see INT-21, GEN-05 and FEAT-07
 */
export function* finish(w: CommandState): Plan<Step> {
  yield* endRound(w)
  const { claims } = w.tx
  const { g, metadata, ranges, tables: known } = w.image
  yield* failOn(missingBitmaps(metadata, claims))
  const tables = claims.length === 0 ? known : yield* tablesNow(metadata.header, g, known, claims)
  const overlap = tables === undefined ? undefined : overlapOf({ g, ranges, tables, claims, freed: w.freed })
  if (overlap !== undefined)
    yield* refuse('INT-21', `a write of ${overlap.claim.section} over ${overlap.section}`, 'a place of its own', {
      structure: overlap.claim.section,
      at: overlap.claim.at,
      size: overlap.claim.length
    })
  const after = claims.some(isMetadata) ? fromMetadata(yield* orFail<Metadata>(yield* readMetadata()), w.g) : { tables }
  const staged = w.tx.hostWrites()
  yield* failOn(staged.flat().flatMap(farWrite).slice(0, 1))
  return {
    writes: inOrder(staged),
    staged,
    claims,
    next: {
      ...w.image,
      ...after,
      backing: w.backing,
      firstFree: w.firstFree,
      compressedCursor: w.compressedCursor
    }
  }
}

/** The outcome of a command that changes an image as `change` says, and whose file has `fileSize` bytes. */
export function* carryOut(
  image: WritableImage,
  change: (w: CommandState) => Plan<void>,
  fileSize?: number
): Plan<Step> {
  const w = new CommandState(image, fileSize)
  function* command(): Plan<Step> {
    yield* change(w)
    return yield* finish(w)
  }
  return yield* readThrough(w.tx, command())
}
