/** Repair: refcounts become the numbers of references, and entries lose what no reader may heed. */
import type { Issue } from '../../bytes/issue.js'
import { failOn, orFail, type Plan } from '../../bytes/plan.js'
import { type CheckOptions, type Examined, examine, ignoredRefusals } from '../../image/check/check.js'
import type { Finding, Totals } from '../../image/check/findings.js'
import type { CheckState } from '../../image/check/state.js'
import { hasSnapshotTable, type Metadata, readMetadata, refusal } from '../../image/metadata.js'
import { CommandState } from '../engine/command-state.js'
import { refuse } from '../engine/refuse.js'
import { endRound, finish, type Step } from '../engine/finish.js'
import { type OpenOptions, writableImage } from '../engine/open.js'
import { addToRefcounts, type RefcountChange } from '../engine/refcounts.js'
import { readThrough } from '../engine/transaction.js'
import { repairSnapshots } from '../snapshots/snapshot-table.js'
import { extendFile, repairCopied, repairEntries } from './entries.js'
import { rebuild } from './rebuild.js'

/** What is repaired: refcounts that are too high, or everything that has one right answer. @see CHK-08 */
export type RepairMode = 'leaks' | 'all'

/**
 * The outcome of a repair: its step, the totals of a check before and after it, and how many of them it has fixed. COPIED
 * flags are compared with repaired refcounts, so that `fixed` may count one that was right before, and not one that was wrong.
 *
 * @see CHK-08
 */
export interface Repaired extends Step {
  readonly before: Totals
  readonly after: Totals
  readonly fixed: Pick<Totals, 'leaks' | 'corruptions'>
  /** Notes on what the repair destroys: leaked clusters that look like lost L2 tables. @see CHK-17 */
  readonly evidence: readonly Finding[]
}

/** The changes that make each refcount the number of references, as far as its width allows. */
function* deviations({ state, end }: Examined): Generator<RefcountChange> {
  const length = Math.max(end, state.references.length, Math.ceil(state.fileLength / state.size))
  const { references, uncounted, max, refcounts } = state
  /** How far to change a refcount. References of ranges that end past the file keep it from being lowered, and do not raise it. */
  const off = (c: number): number | bigint => {
    const [stored, counted] = [refcounts.counts.exact(c), Math.min(max, references.get(c))]
    const wanted = counted < stored ? Math.min(Number(stored), counted + uncounted.get(c)) : counted
    return typeof stored === 'bigint' ? BigInt(wanted) - stored : wanted - stored
  }
  for (let c = 0, n = 1; c < length; c += n, n = 1) {
    const by = off(c)
    if (Number(by) === 0) continue
    while (c + n < length && off(c + n) === by) n++
    yield { cluster: c, n, by }
  }
}

/**
 * Whether refcounts cannot be repaired in place: an entry of the refcount table is wrong, or a block is used twice or missing.
 * A repair of leaks does without a block outside the file.
 *
 * @see CHK-09
 */
const needsRebuild = ({ state }: Examined, missing: boolean, mode: RepairMode): boolean =>
  missing ||
  state.sharedBlock ||
  state.findings.kept.some(
    ({ severity, structure, phase }) =>
      severity === 'corruption' && structure === 'refcount table entry' && (mode === 'all' || phase === 'invalid')
  )

/**
 * Raises refcounts that are too low, then lowers those that are too high. As long as a table is not followed, nothing is
 * freed: its clusters would be.
 *
 * @see CHK-08 and CHK-09
 */
function* repairRefcounts(w: CommandState, e: Examined, mode: RepairMode): Plan<void> {
  const wrong = [...deviations(e)]
  const missing = wrong.some(({ cluster, by }) => by > 0 && e.state.refcounts.at(cluster * e.state.size) === 0)
  if (needsRebuild(e, missing, mode)) {
    if (mode === 'leaks')
      return yield* refuse('CHK-09', 'refcounts that have to be rebuilt', 'a repair of everything', {
        structure: 'refcount table'
      })
    if (!e.state.knowsAll)
      return yield* refuse('CHK-09', 'a table that cannot be followed', 'every reference, to rebuild refcounts', {
        structure: 'refcount table'
      })
    return yield* rebuild(w, e)
  }
  // Refcounts of less than a byte share bytes: what is lowered later has to include what was raised.
  const raised = mode === 'all' ? wrong.filter(({ by }) => by > 0) : []
  const lowered = e.state.knowsAll ? wrong.filter(({ by }) => by < 0) : []
  for (const { cluster, n, by } of raised) yield* addToRefcounts(w, cluster, n, by, 'prepare')
  for (const { cluster, n, by } of lowered) yield* addToRefcounts(w, cluster, n, by, 'release')
}

function* examined(fileLength: number, options: CheckOptions): Plan<Examined> {
  const metadata = yield* orFail<Metadata>(yield* readMetadata())
  return yield* orFail<Examined>(yield* examine(metadata, fileLength, options))
}

/** What a check finds after the repair. It does not count payloads where none may be, which a repair counts to keep them. */
function* totalsAfter({ state }: Examined, length: number): Plan<Totals> {
  const kept = state.findings.countOf('DATA-05') + state.findings.countOf('SUB-06')
  const { findings } = kept === 0 ? state : (yield* examined(length, {})).state
  return findings.totals
}

const isSound = (t: Totals): boolean => t.corruptions === 0 && t.checkErrors === 0

/** Whether a finding is about bits of an L1 or L2 entry. */
const isInEntry = ({ severity, phase, structure }: Finding): boolean =>
  severity === 'corruption' && phase === 'invalid' && (structure === 'L1 table entry' || structure === 'L2 entry')

/** Whether COPIED flags are all that is wrong outside of the snapshot table, so that a repair of leaks may correct them. @see CHK-08 */
const hasOnlyCopied = ({ findings, copiedFlags }: CheckState): boolean => {
  const { corruptions, leaks, checkErrors } = findings.totals
  return corruptions - findings.countOf('SNAP-02') === copiedFlags && leaks === 0 && checkErrors === 0
}

/** Clears the dirty and the corrupt bit of a sound image. @see CHK-11 */
function* clearMarks(w: CommandState): Plan<void> {
  const features = w.header.incompatibleFeatures
  if (!features.dirty && !features.corrupt) return
  yield* endRound(w)
  yield* w.changeHeader('expose', { incompatibleFeatures: { ...features, dirty: false, corrupt: false } })
}

/** Corruptions but for COPIED flags. */
const corruptionsOf = ({ state }: Examined): number => state.findings.totals.corruptions - state.copiedFlags

/** The rounds of a repair, in QEMU's order: each is examined before the next, whatever it has written. */
function* rounds(w: CommandState, first: Examined, mode: RepairMode, length: () => number): Plan<Repaired> {
  let latest = first
  let claims = 0
  function* now(): Plan<Examined> {
    yield* endRound(w)
    if (w.tx.claims.length > claims) latest = yield* examined(length(), { beforeRepair: mode })
    claims = w.tx.claims.length
    return latest
  }
  const all = mode === 'all'
  const entries = all && first.state.findings.kept.some(isInEntry) ? yield* repairEntries(w, first) : 0
  yield* endRound(w)
  // In a longer file a table past its end would read as one that names nothing.
  if (all && first.state.knowsAll) yield* extendFile(w, first)
  const counted = yield* now()
  yield* repairRefcounts(w, counted, mode)
  const recounted = yield* now()
  const snapshots = all && hasSnapshotTable(first.metadata, first.state.end) ? yield* repairSnapshots(w) : 0
  const copied = yield* now()
  if (all || hasOnlyCopied(copied.state)) yield* repairCopied(w, copied)
  const last = yield* now()
  if (isSound(last.state.findings.totals)) yield* clearMarks(w)
  yield* endRound(w)
  const after = yield* totalsAfter(last, length())
  const counts = corruptionsOf(counted) - corruptionsOf(recounted)
  const flags = copied.state.copiedFlags - last.state.copiedFlags
  const leaks = counted.state.findings.totals.leaks - recounted.state.findings.totals.leaks
  return {
    ...(yield* finish(w)),
    before: first.state.findings.totals,
    after,
    fixed: { leaks, corruptions: entries + counts + snapshots + flags },
    evidence: first.state.findings.kept.filter(({ clause }) => clause === 'CHK-17')
  }
}

/** Why a check could not be completed: as long as it cannot, nothing is repaired. @see CHK-15 */
const incomplete = ({ state }: Examined): readonly Finding[] =>
  state.findings.kept.filter((f) => f.severity === 'error' && f.structure !== 'refcount').slice(0, 1)

/** Why the image would still be refused: extra data that are too long, in a snapshot table that is not rewritten. @see CHK-15 */
const lasting = ({ metadata, state }: Examined): readonly Issue[] => {
  const refused = hasSnapshotTable(metadata, state.end) ? undefined : refusal(metadata.issues, ignoredRefusals(false))
  return refused === undefined ? [] : [refused]
}

/**
 * Repairs an image of `fileLength` bytes: with `leaks` lowers refcounts that are too high, with `all` repairs everything that
 * has one right answer. The guest disk stays as it is, and so do the snapshots of a sound image. A repair that was cut short
 * can be started again.
 *
 * @see CHK-08, CHK-09, CHK-11 and CHK-14
 * @example
 * import { fromMemory, portable, runSync } from 'qcow2-spec/image'
 * import { create, repair } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 0, clusterBits: 9 })
 * const [first] = created._tag === 'Right' ? created.right : []
 * const image = first?._tag === 'Write' ? first.bytes : new Uint8Array(0)
 * const leaking = image.with(2 * 512 + 7, 1) // a refcount of one for cluster 3, which nothing refers to
 * const repaired = runSync(
 *   repair({ backing: [], decompressor: portable }, leaking.length + 512, 'leaks'),
 *   { read: fromMemory(leaking) }
 * )
 * assert.equal(repaired._tag === 'Right' && repaired.right.fixed.leaks, 1)
 */
export function* repair(options: OpenOptions, fileLength: number, mode: RepairMode): Plan<Repaired> {
  const first = yield* examined(fileLength, { beforeRepair: mode })
  yield* failOn([...incomplete(first), ...lasting(first)].slice(0, 1))
  const w = new CommandState(writableImage(options, first.metadata, first.state.g))
  return yield* readThrough(
    w.tx,
    rounds(w, first, mode, () => Math.max(fileLength, w.tx.end))
  )
}
