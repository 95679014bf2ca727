/** Repair: counts made equal to the references, copied flags made equal to the counts, and bits cleared that no right reader heeds. */
import { type Plan, orFail, readAt } from '../../bytes/plan.js'
import { viewOf } from '../../bytes/octets.js'
import { clusterSize, l2EntrySize } from '../../format/geometry.js'
import { l1Entry } from '../../format/l1.js'
import { clusterKind, L2View } from '../../format/views.js'
import { type Examined, examine } from '../../image/check/check.js'
import type { Finding, Totals } from '../../image/check/findings.js'
import type { CheckState } from '../../image/check/state.js'
import { type Metadata, readMetadata } from '../../image/metadata.js'
import { branchesOf } from './branches.js'
import { endRound, finish, type Step } from '../engine/finish.js'
import { openedAs, type Surroundings } from '../engine/open.js'
import { refuse, Work } from '../engine/work.js'
import { reachPastEnd } from './past-end.js'
import { rebuild } from './rebuild.js'
import { addToCounts } from '../engine/refcounts.js'
import { readThrough } from '../engine/transaction.js'
import { mendedWord } from './mend.js'
import { completeSnapshots } from '../snapshots/snapshot-table.js'
import { putWord } from '../engine/l2-tables.js'

/** What may be repaired: counts that are too high, or all that has one right answer. @see CHK-08 */
export type RepairMode = 'leaks' | 'all'

/**
 * A repair: the step it is, what was wrong before and is wrong afterwards, and how much it mended. Copied flags are held
 * against the counts that it made, so one may be mended that fitted the count before, and one that did not need not be.
 *
 * @see CHK-08
 */
export interface Repaired extends Step {
  readonly before: Totals
  readonly after: Totals
  readonly mended: Pick<Totals, 'leaks' | 'corruptions'>
}

/** Runs of neighbouring clusters whose counts are off by the same number, which is their references less their count. */
function* deviations({
  state,
  end
}: Examined): Generator<{ readonly cluster: number; readonly n: number; readonly by: number }> {
  const length = Math.max(end, state.references.length, Math.ceil(state.fileLength / state.size))
  const off = (c: number): number => Math.min(state.max, state.references.get(c)) - state.refcounts.counts.get(c)
  for (let c = 0, n = 1; c < length; c += n, n = 1) {
    const by = off(c)
    if (by === 0) continue
    while (c + n < length && off(c + n) === by) n++
    yield { cluster: c, n, by }
  }
}

/** Whether the counts cannot be mended where they stand: a table entry or a block is wrong, or a block is missing. @see CHK-09 */
const needsRebuild = ({ state }: Examined, raised: boolean): boolean =>
  state.refcounts.unreadable.size > 0 ||
  raised ||
  state.findings.kept.some((f) => f.severity === 'corruption' && f.structure === 'refcount table entry')

/** Makes counts that are too low high enough, then those that are too high low enough. */
function* mendCounts(w: Work, e: Examined, mode: RepairMode): Plan<void> {
  const wrong = [...deviations(e)]
  const missing = wrong.some(({ cluster, by }) => by > 0 && e.state.refcounts.counts.get(cluster) === 0)
  if (needsRebuild(e, missing)) {
    if (mode === 'leaks')
      return yield* refuse('CHK-09', 'counts that have to be built anew', 'a repair of everything', {
        structure: 'refcount table'
      })
    return yield* rebuild(w, e)
  }
  for (const { cluster, n, by } of wrong)
    if (by < 0 || mode === 'all') yield* addToCounts(w, cluster, n, by, by > 0 ? 'prepare' : 'release')
}

const isMappingEntry = ({ structure }: Finding): boolean => structure === 'L1 table entry' || structure === 'L2 entry'

/** Clears what is set in entries and means nothing: reserved bits, and the copied flag of a compressed cluster. @see CHK-10 */
function* mendEntries(w: Work, e: Examined): Plan<void> {
  const stride = l2EntrySize(w.g)
  yield* branchesOf(w, e, function* ({ at, l1, active, again }): Plan<void> {
    const branch = l1Entry.leaf.ofWord(viewOf(yield* readAt(l1, 8)).getBigUint64(0))
    if (branch.reserved !== 0n)
      yield* putWord(
        w,
        active ? 'active L1 table' : 'inactive L1 table',
        'prepare',
        l1,
        l1Entry.leaf.toWord({ ...branch, reserved: 0n })
      )
    if (again) return
    const view = new L2View(yield* readAt(at, clusterSize(w.g)), w.g)
    for (let i = 0; i < view.length; i++) {
      const word = view.words.at((i * stride) / 8)
      const mended = mendedWord(word, w.g)
      if (mended !== word) yield* putWord(w, 'active L2 table', 'prepare', at + i * stride, mended)
    }
  })
}

/** Sets the copied flags of the active tree where the count is one, and clears the others that have a count. @see L2-04 */
function* mendCopied(w: Work, e: Examined): Plan<void> {
  const { state } = e
  const stride = l2EntrySize(w.g)
  const copied = 1n << 63n
  const countAt = (offset: number): number | undefined => state.refcounts.at(offset)
  function* mend(
    owner: 'active L1 table' | 'active L2 table',
    at: number,
    word: bigint,
    count: number | undefined
  ): Plan<void> {
    if (count === undefined) return
    const next = count === 1 ? word | copied : word & ~copied
    if (next !== word) yield* putWord(w, owner, 'prepare', at, next)
  }
  yield* branchesOf(w, e, function* ({ at, l1, active, again }): Plan<void> {
    if (!active) return
    yield* mend('active L1 table', l1, viewOf(yield* readAt(l1, 8)).getBigUint64(0), countAt(at))
    if (again) return
    const view = new L2View(yield* readAt(at, state.size), w.g)
    for (let i = 0; i < view.length; i++) {
      const kind = view.kind(i)
      if (kind !== clusterKind.Normal && kind !== clusterKind.ZeroAllocated) continue
      const count = w.g.externalDataFile ? 1 : countAt(view.hostClusterOffset(i))
      yield* mend('active L2 table', at + i * stride, view.words.at((i * stride) / 8), count)
    }
  })
}

function* examined(fileLength: number, mode: RepairMode): Plan<Examined> {
  const metadata = yield* orFail<Metadata>(yield* readMetadata())
  return yield* orFail<Examined>(yield* examine(metadata, fileLength, { mending: mode === 'all' }))
}

const isSound = (t: Totals): boolean => t.corruptions === 0 && t.checkErrors === 0

const hasOnlyCopied = (state: CheckState): boolean =>
  state.findings.kept.every((f) => f.severity !== 'corruption' || f.field === 'copied')

/** Clears the dirty and the corrupt bit of an image in which nothing is wrong any more. @see CHK-11 */
function* absolve(w: Work): Plan<void> {
  const features = w.header.incompatibleFeatures
  if (!features.dirty && !features.corrupt) return
  yield* endRound(w)
  yield* w.changeHeader('expose', { incompatibleFeatures: { ...features, dirty: false, corrupt: false } })
}

function* rounds(w: Work, first: Examined, mode: RepairMode, length: () => number): Plan<Repaired> {
  const before = { ...first.state.findings.totals }
  const findings = first.state.findings.kept
  if (
    mode === 'all' &&
    findings.some((f) => f.severity === 'corruption' && f.phase === 'invalid' && isMappingEntry(f))
  ) {
    yield* mendEntries(w, first)
    yield* endRound(w)
  }
  if (mode === 'all') yield* reachPastEnd(w, first)
  yield* mendCounts(w, yield* examined(length(), mode), mode)
  yield* endRound(w)
  if (mode === 'all') yield* completeSnapshots(w)
  yield* endRound(w)
  const counted = yield* examined(length(), mode)
  if (mode === 'all' || hasOnlyCopied(counted.state)) yield* mendCopied(w, counted)
  yield* endRound(w)
  const after = (yield* examined(length(), mode)).state.findings.totals
  if (isSound(after)) yield* absolve(w)
  const met = before.corruptions - first.state.copiedFlags + counted.state.copiedFlags
  const mended = { leaks: before.leaks - after.leaks, corruptions: met - after.corruptions }
  return { ...(yield* finish(w)), before, after: { ...after }, mended }
}

/**
 * Repairs an image of `fileLength` bytes: with `leaks` counts that are too high are lowered, with `all` everything is mended
 * that has one right answer. What guests read stays as it is. It can be cut short anywhere and done again.
 *
 * @see CHK-08, CHK-09 and CHK-11
 */
export function* repair(around: Surroundings, fileLength: number, mode: RepairMode): Plan<Repaired> {
  const first = yield* examined(fileLength, mode)
  const w = new Work(openedAs(around, first.metadata, first.state.g))
  return yield* readThrough(
    w.tx,
    rounds(w, first, mode, () => Math.max(fileLength, w.tx.end))
  )
}
