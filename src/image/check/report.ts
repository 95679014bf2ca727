/** Check reports: the outcome of a check, its exit code, and its JSON. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import { issueJson } from '../../bytes/issue.js'
import type { JsonObject } from '../../bytes/json.js'
import type { Finding } from './findings.js'
import type { Metadata } from '../metadata.js'

/** What a check found. */
export interface CheckReport {
  readonly metadata: Metadata
  readonly corruptions: number
  readonly leaks: number
  readonly checkErrors: number
  /** Broken musts of the format that QEMU ignores. */
  readonly flaws: number
  /** What breaks nothing and is worth knowing. */
  readonly notes: number
  readonly totalClusters: number
  readonly allocatedClusters: number
  readonly fragmentedClusters: number
  readonly compressedClusters: number
  /** End of the last cluster with a count, in bytes. @see CHK-12 */
  readonly imageEndOffset: number
  /** Findings in the order they were met, the first hundred of each clause. */
  readonly findings: readonly Finding[]
  /** How many findings of a clause are not among them. */
  readonly leftOut: ReadonlyMap<ClauseId, number>
}

/**
 * The exit code for a report, as qemu-img's; with `strict`, a broken must of the format is a corruption.
 *
 * @see CHK-07
 * @example
 * import { check, exitCode, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const checked = runSync(check(196616), worldOf(files, () => undefined))
 * const report = checked._tag === 'Right' ? checked.right : checked
 * assert.equal(report._tag === 'Right' && exitCode(report.right), 0)
 */
export const exitCode = (r: CheckReport, strict = false): 0 | 1 | 2 | 3 => {
  if (r.checkErrors > 0) return 1
  if (r.corruptions > 0 || (strict && r.flaws > 0)) return 2
  return r.leaks > 0 ? 3 : 0
}

const unlessZero = (key: string, n: number): JsonObject => (n === 0 ? {} : { [key]: n })

const findingJson = (f: Finding): JsonObject => ({
  severity: f.severity,
  message: f.message,
  ...issueJson(f),
  ...(f.guest === undefined ? {} : { guest: { ...f.guest } }),
  ...(f.owners === undefined
    ? {}
    : { owners: f.owners.map(({ guest, ...o }) => (guest === undefined ? o : { ...o, guest: { ...guest } })) })
})

/**
 * The report as JSON: qemu-img's keys, then what QEMU does not look at, and the findings.
 *
 * @see CHK-07
 * @example
 * import { check, checkJson, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const checked = runSync(check(196616), worldOf(files, () => undefined))
 * const report = checked._tag === 'Right' ? checked.right : checked
 * assert.equal(report._tag === 'Right' && checkJson(report.right, 'disk.qcow2')['total-clusters'], 16)
 */
export const checkJson = (r: CheckReport, filename: string): JsonObject => ({
  filename,
  format: 'qcow2',
  'check-errors': r.checkErrors,
  ...unlessZero('image-end-offset', r.imageEndOffset),
  ...unlessZero('corruptions', r.corruptions),
  ...unlessZero('leaks', r.leaks),
  ...unlessZero('total-clusters', r.totalClusters),
  ...unlessZero('allocated-clusters', r.allocatedClusters),
  ...unlessZero('fragmented-clusters', r.fragmentedClusters),
  ...unlessZero('compressed-clusters', r.compressedClusters),
  ...unlessZero('flaws', r.flaws),
  ...unlessZero('notes', r.notes),
  findings: r.findings.map(findingJson),
  ...(r.leftOut.size === 0 ? {} : { 'findings-left-out': Object.fromEntries(r.leftOut) })
})
