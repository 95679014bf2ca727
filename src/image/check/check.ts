/** Check: what `qemu-img check` reports, a finding for every number, and what QEMU does not look at. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issue, refusalOf } from '../../bytes/issue.js'
import type { Plan } from '../../bytes/plan.js'
import type { Decompressor } from '../../compression/decompress.js'
import { compressionType } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import { sectorSize } from '../../format/limits.js'
import { hasSnapshotTable, type Metadata, readMetadata, refusal } from '../metadata.js'
import { compareRefcounts, refcountsPastEnd } from './compare.js'
import { compressedFindings } from './compressed.js'
import { counting } from './counting.js'
import type { Uses } from './l2-table.js'
import { lostTables } from './lost-tables.js'
import { metadataFindings } from './metadata-findings.js'
import { nameOwners } from './owners.js'
import { readRefcounts, readRefcountTable, type RefcountTable } from './refcounts.js'
import type { CheckReport } from './report.js'
import { CheckState } from './state.js'
import type { Visitor } from './visitor.js'
import { walk } from './walk.js'

/** Opening checks over which QEMU's full repair deletes snapshots. @see CHK-16 */
const snapshotLimits: readonly string[] = ['OPEN-17', 'OPEN-30']

/** Opening checks that do not prevent a check, nor, of what a repair fixes, a check before a repair. @see CHK-13 and CHK-08 */
export const ignoredRefusals = (forRepair: boolean): readonly string[] =>
  forRepair ? ['OPEN-14', 'OPEN-29'] : ['OPEN-14']

/** Opening checks that a repair judges by itself, with {@link examine}. */
export const repairedRefusals = (mode: 'leaks' | 'all'): readonly string[] =>
  mode === 'all' ? [...ignoredRefusals(true), ...snapshotLimits] : ignoredRefusals(false)

/** Why an image that is refused is not repaired either. @see CHK-16 */
const unrepairable = (refused: Issue): Issue =>
  snapshotLimits.includes(refusalOf(refused) ?? '')
    ? issue({ ...refused, clause: 'CHK-16', expected: `${refused.expected}; a repair deletes no snapshots` })
    : refused

/** How to check. */
export interface CheckOptions {
  /** Bytes of the external data file. Without it, entries past its end are not found. */
  readonly dataFileLength?: number
  /** Decoders for a deep check, which reads and decodes every compressed cluster. Without them none is read. */
  readonly deep?: Decompressor
  /** The repair that follows. One of everything also cuts the extra data of snapshots that are too long to be opened. @see CHK-08 */
  readonly beforeRepair?: 'leaks' | 'all'
}

/** What QEMU counts, then what it does not look at. The result is one more than the highest cluster with a refcount or references. */
function* everything(state: CheckState, m: Metadata, table: RefcountTable, options: CheckOptions): Plan<number> {
  const again = (visitor: Visitor): Plan<Uses> => walk(m, state.g, state.fileLength, table, visitor)
  const uses = yield* again(counting(state))
  if (!hasSnapshotTable(m, state.end)) state.knowsAll = false
  yield* metadataFindings(state, m)
  const end = compareRefcounts(state)
  yield* refcountsPastEnd(state, table)
  if (state.knowsAll) yield* lostTables(state)
  yield* nameOwners(state, uses, again)
  if (options.deep !== undefined) yield* compressedFindings(state, uses, compressionType(m.header), options.deep)
  return end
}

/** What a check has counted. */
export interface Examined {
  readonly metadata: Metadata
  readonly state: CheckState
  /** One more than the highest cluster with a count. */
  readonly end: number
}

/** Checks an image as {@link check} does, and keeps the counts. */
export function* examine(
  m: Metadata,
  fileLength: number,
  options: CheckOptions = {}
): Plan<E.Either<readonly Issue[], Examined>> {
  const refused = refusal(m.issues, ignoredRefusals(options.beforeRepair === 'all'))
  const g = m.geometry
  if (refused !== undefined || g === undefined)
    return E.left(refused === undefined ? m.issues : [options.beforeRepair === 'all' ? unrepairable(refused) : refused])
  const length = Math.ceil(fileLength / sectorSize) * sectorSize
  const { refcountTableOffset, refcountTableClusters } = m.header
  const table = yield* readRefcountTable(Number(refcountTableOffset), refcountTableClusters, g, length)
  const refcounts = yield* readRefcounts(table, g, length)
  const { beforeRepair, dataFileLength } = options
  const shared = m.snapshots.length > 0
  const state = new CheckState(g, fileLength, length, refcounts, shared, beforeRepair !== undefined, dataFileLength)
  return E.right({ metadata: m, state, end: yield* everything(state, m, table, options) })
}

/** Checks an image of `fileLength` bytes whose metadata was read. @see {@link check} */
export function* checkMetadata(
  m: Metadata,
  fileLength: number,
  options: CheckOptions = {}
): Plan<E.Either<readonly Issue[], CheckReport>> {
  return E.map(({ metadata, state, end }: Examined): CheckReport => ({
    metadata,
    ...state.findings.totals,
    totalClusters: Math.ceil(Number(presentedSize(metadata.header)) / state.size),
    imageEndOffset: end * state.size,
    findings: state.findings.kept,
    leftOut: state.findings.leftOut()
  }))(yield* examine(m, fileLength, options))
}

/**
 * Checks an image of `fileLength` bytes. Fails where the image is refused before anything is counted. The work is bounded
 * by the file: tables that are shared are read once and counted as often as they are used.
 *
 * @see CHK-01
 * @example
 * import { check, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const checked = runSync(check(196616), worldOf(files, () => undefined))
 * const report = checked._tag === 'Right' ? checked.right : checked
 * assert.equal(report._tag === 'Right' && report.right.corruptions, 0)
 */
export function* check(fileLength: number, options: CheckOptions = {}): Plan<E.Either<readonly Issue[], CheckReport>> {
  const m = yield* readMetadata()
  return E.isLeft(m) ? m : yield* checkMetadata(m.right, fileLength, options)
}
