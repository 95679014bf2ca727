/** The differences between a repair of this package and one of QEMU that are intended. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { viewOf } from '../../src/bytes/octets.js'
import { examine } from '../../src/image/check/check.js'
import type { CheckState } from '../../src/image/check/state.js'
import { readMetadata, refusal } from '../../src/image/metadata.js'
import type { RepairMode } from '../../src/transition/repair/repair.js'
import { runOn } from '../image/world.js'
import { explained } from './differences.js'
import type { OwnOutcome, RepairOutcome } from './repairs.js'
import type { Subject, Verdict } from './verdict.js'

/** Two repairs of a damaged image, and what is read of the image before and after each. */
export interface RepairComparison {
  readonly damaged: Subject
  readonly qemu: RepairOutcome
  readonly own: OwnOutcome
  readonly before: Verdict
  readonly afterQemu: Verdict
  readonly afterOwn: Verdict
  /** The state of a check before the repair; none where it ends early. */
  readonly state: CheckState | undefined
}

/** The state of a check before a repair. */
const stateOf = (image: Uint8Array, mode: RepairMode): CheckState | undefined => {
  const m = E.flatten(runOn(image, readMetadata()))
  const done = E.isLeft(m) ? m : E.flatten(runOn(image, examine(m.right, image.length, { beforeRepair: mode })))
  return E.isRight(done) ? done.right.state : undefined
}

/** Both repairs of a damaged image, and what is read of the images by `verdictOf`. */
export const comparisonOf = (
  damaged: Subject,
  mode: RepairMode,
  qemu: RepairOutcome,
  own: OwnOutcome,
  verdictOf: (image: Uint8Array) => Verdict
): RepairComparison => ({
  damaged,
  qemu,
  own,
  before: verdictOf(damaged.image),
  afterQemu: verdictOf(qemu.image),
  afterOwn: verdictOf(own.image),
  state: stateOf(damaged.image, mode)
})

/** The first counts of a report: exit code, corruptions, leaks and check errors. None where there are no counts. */
const countsOf = ({ report }: RepairOutcome): readonly number[] => report.split(/[ ,]+/).slice(0, 4).map(Number)

/** A report without the end of the image. */
const withoutEnd = ({ report }: RepairOutcome): string => report.replace(/ \d+,/, ',')

/** Whether this package leaves no more of anything wrong than QEMU does, or what QEMU gives up on. */
const leavesNoMore = ({ qemu, own }: RepairComparison): boolean => {
  const [theirs, mine] = [countsOf(qemu), countsOf(own)]
  return qemu.report === '1' || (own.report !== '1' && mine.every((n, i) => i === 0 || n <= (theirs[i] ?? 0)))
}

/** The number of snapshots that a header has. */
const snapshotsIn = (image: Uint8Array): number => (image.length < 64 ? 0 : viewOf(image).getUint32(60))

const breaks = (p: RepairComparison, clause: ClauseId): boolean =>
  p.state?.findings.kept.some((f) => f.clause === clause) === true

interface RepairDifference {
  readonly clause: ClauseId
  readonly why: string
  readonly explains: (comparison: RepairComparison) => boolean
}

/** The first row that explains a difference is its reason. */
const repairDifferences: readonly RepairDifference[] = [
  {
    clause: 'LUKS-03',
    why: 'QEMU opens the LUKS header and its key slots first, and refuses the image',
    explains: (p) =>
      p.qemu.report === '1' &&
      explained({ question: 'check', damaged: p.damaged, qemu: '1', ours: p.own.report })?.clause.startsWith('LUKS') ===
        true
  },
  {
    clause: 'CHK-14',
    why: 'QEMU has written the header without its snapshots',
    explains: (p) => breaks(p, 'CHK-14') && snapshotsIn(p.qemu.image) < snapshotsIn(p.own.image)
  },
  {
    clause: 'FEAT-07',
    why: 'QEMU frees the clusters of bitmaps whose extension is gone, after it has marked the image corrupt over that write',
    explains: (p) => p.own.refusals.some(({ clause }) => clause === 'FEAT-07')
  },
  {
    clause: 'CHK-15',
    why: 'a table is not followed: QEMU frees what it names, or changes refcounts without it',
    explains: (p) => p.state?.knowsAll === false
  },
  {
    clause: 'CHK-02',
    why: 'QEMU frees the clusters in the file of what ends past the file',
    explains: (p) => (p.state?.uncounted.length ?? 0) > 0
  },
  {
    clause: 'SUB-06',
    why: 'QEMU frees the payload of a compressed entry with a subcluster bitmap',
    explains: (p) => breaks(p, 'SUB-06')
  },
  {
    clause: 'INT-21',
    why: 'a repair would write over metadata of another kind, which is refused',
    explains: (p) => p.own.refusals.some(({ clause }) => clause === 'INT-21')
  },
  {
    clause: 'CHK-13',
    why: 'QEMU drops snapshots that cannot be read; the image is refused as it is when it is opened',
    explains: (p) => {
      const m = E.flatten(runOn(p.damaged.image, readMetadata()))
      return p.own.refusals.length > 0 && E.isRight(m) && refusal(m.right.issues) !== undefined
    }
  },
  {
    clause: 'CHK-09',
    why: 'rebuilt refcounts lie past everything in the file, in QEMU where clusters are free',
    explains: (p) => withoutEnd(p.qemu) === withoutEnd(p.own)
  },
  {
    clause: 'CHK-10',
    why: 'this package repairs more, or what QEMU gives up on',
    explains: (p) => leavesNoMore(p)
  },
  {
    clause: 'REF-08',
    why: 'a table is used as one of another kind too: one repair does not see what the other writes',
    explains: (p) => p.own.report !== '1' && (breaks(p, 'REF-08') || breaks(p, 'GEN-01'))
  }
]

/** The clause of the row that explains a difference; empty where there is none, undefined where no row explains it. */
export const explainedRepair = (p: RepairComparison): ClauseId | '' | undefined => {
  const same =
    p.qemu.report === p.own.report &&
    p.afterQemu.guest === p.afterOwn.guest &&
    p.afterQemu.snapshot === p.afterOwn.snapshot
  return same ? '' : repairDifferences.find((row) => row.explains(p))?.clause
}

/** Whether a repair has changed what is read of an image, in a way that QEMU's has not. */
export const hasChangedData = ({ before, afterQemu, afterOwn }: RepairComparison): boolean =>
  (['guest', 'snapshot'] as const).some(
    (question) =>
      before[question].length > 1 &&
      before[question] !== afterOwn[question] &&
      afterQemu[question] !== afterOwn[question]
  )
