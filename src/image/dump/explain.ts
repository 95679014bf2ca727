/** Explain: the structures and clusters that a byte of the file belongs to, their values, and the clauses that define them. */
import { type Json, type JsonObject } from '../../bytes/json.js'
import { type Plan, onEmit } from '../../bytes/plan.js'
import { clusterSize, type Geometry, geometry, l1Coverage } from '../../format/geometry.js'
import { l2Entry } from '../../format/l2-entry.js'
import { RefcountView, clusterKind, L2View } from '../../format/views.js'
import { blockCoverage } from '../../format/geometry.js'
import { partsOf, type StructurePart } from './explain-parts.js'
import type { Metadata } from '../metadata.js'
import { type RegionItem, type Region, regions } from './regions.js'

/** A structure or cluster that a byte is part of. There may be several: compressed clusters share sectors, damaged tables overlap. */
export interface Explanation extends StructurePart {
  /** The structure or cluster, in the format's own words. */
  readonly structure: string
  /** Whose it is: the active tree, a snapshot, a bitmap; empty for the image as a whole. */
  readonly of: string
}

/** What one byte of the file belongs to. */
export interface ExplainReport {
  readonly offset: number
  readonly explanations: readonly Explanation[]
  /** Refcount of the host cluster the byte lies in; `undefined` when no block describes it. @see REF-03 */
  readonly refcount: string | undefined
}

const ofRegion = (r: Region, m: Metadata, g: Geometry, offset: number): readonly Explanation[] =>
  offset >= r.at && offset < r.at + r.bytes.length
    ? partsOf(r, m, g, offset - r.at).map((p) => ({ ...p, at: r.at + p.at, structure: r.structure, of: r.of }))
    : []

/** Host range of entry `i` of an L2 table; empty where it has none. */
const hostRange = (view: L2View, i: number, size: number): { readonly at: number; readonly size: number } => {
  const kind = view.kind(i)
  if (kind === clusterKind.Compressed) return { at: view.hostOffset(i), size: view.availableBytes(i) }
  return view.isPlaced(i) ? { at: view.hostClusterOffset(i), size } : { at: 0, size: 0 }
}

/** The guest clusters of an L2 table whose data covers byte `offset`. */
const ofData = (r: Region, g: Geometry, offset: number): readonly Explanation[] => {
  const view = new L2View(r.bytes, g)
  const size = clusterSize(g)
  const out: Explanation[] = []
  for (let i = 0; i < view.length; i++) {
    const host = hostRange(view, i, size)
    if (offset < host.at || offset >= host.at + host.size) continue
    const guest = (r.index ?? 0) * l1Coverage(g) + i * size
    const compressed = view.kind(i) === clusterKind.Compressed
    out.push({
      structure: compressed ? 'compressed cluster' : 'data cluster',
      of: r.of,
      part: compressed ? `guest cluster at ${guest}` : `guest byte ${guest + offset - host.at}`,
      at: host.at,
      size: host.size,
      value: l2Entry(g).json.encode(view.entry(i)),
      clause: compressed ? 'CMP-02' : 'RD-03',
      doc: `entry ${i} of the L2 table at ${r.at}`
    })
  }
  return out
}

const refcountOf = (r: Region, g: Geometry, offset: number): string | undefined => {
  const first = (r.index ?? 0) * blockCoverage(g)
  if (r.structure !== 'refcount block' || offset < first || offset >= first + blockCoverage(g)) return undefined
  return new RefcountView(r.bytes, g.refcountOrder).entry(Math.floor((offset - first) / clusterSize(g))).toString()
}

/**
 * What byte `offset` of an image of `fileLength` bytes belongs to: nothing, if the byte is not used.
 *
 * @example
 * import { explain, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const report = runSync(explain(196616, 20), worldOf(files, () => undefined))
 * const parts = report._tag === 'Right' ? report.right.explanations.map(({ part }) => part) : []
 * assert.deepEqual(parts, ['cluster_bits'])
 */
export function* explain(fileLength: number, offset: number): Plan<ExplainReport> {
  const explanations: Explanation[] = []
  let refcount: string | undefined
  let metadata: Metadata | undefined
  yield* onEmit(regions(fileLength), function* (found: RegionItem): Plan<void> {
    if (found._tag === 'Metadata') metadata = found.metadata
    if (found._tag !== 'Region' || metadata === undefined) return
    const g = geometry(metadata.header)
    const r = found.region
    if (g === undefined) return
    explanations.push(...ofRegion(r, metadata, g, offset))
    if (r.structure === 'L2 table' && !g.externalDataFile) explanations.push(...ofData(r, g, offset))
    refcount = refcountOf(r, g, offset) ?? refcount
  })
  return { offset, explanations, refcount }
}

/**
 * The report as JSON.
 *
 * @example
 * import { explain, explainJson, runSync } from 'qcow2-spec/image'
 * import { apply, worldOf } from 'qcow2-spec/store'
 * import { create } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const created = create({ size: 1 << 20 })
 * const files = created._tag === 'Right' ? apply(created.right)([]) : []
 * const report = runSync(explain(196616, 20), worldOf(files, () => undefined))
 * assert.equal(report._tag === 'Right' && explainJson(report.right)['refcount'], '1')
 */
export const explainJson = (a: ExplainReport): JsonObject => ({
  offset: a.offset,
  ...(a.refcount === undefined ? {} : { refcount: a.refcount }),
  explanations: a.explanations.map((e): Json => ({
    structure: e.structure,
    ...(e.of === '' ? {} : { of: e.of }),
    part: e.part,
    at: e.at,
    size: e.size,
    value: e.value,
    clause: e.clause,
    doc: e.doc
  }))
})
