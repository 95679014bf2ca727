/** Check: what `qemu-img check` counts, and the findings behind every number. */
import * as E from 'fp-ts/lib/Either.js'
import { type Issue, issueJson, refusalOf } from '../bytes/issue.js'
import type { JsonObject } from '../bytes/json.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { bitmapTableEntry } from '../format/bitmap.js'
import { blockEntries, clusterSize } from '../format/geometry.js'
import { presentedSize } from '../format/header-rules.js'
import * as limits from '../format/limits.js'
import { l1IsReadable, snapshotExtra, snapshotStarts } from '../format/snapshot.js'
import { BitmapTableView } from '../format/views.js'
import { checkL1, checkL2Tables, type Uses } from './check-trees.js'
import { type BlockTable, compareRefcounts, countBlocks, loadRefcounts, readBlockTable } from './check-refcounts.js'
import { CheckState, type Finding, inconsistent } from './check-state.js'
import {
  bitmapsExtension,
  encryptionPointer,
  type Metadata,
  readMetadata,
  refusal,
  snapshotTablePlace
} from './metadata.js'

/** What a check found. */
export interface CheckReport {
  readonly metadata: Metadata
  readonly corruptions: number
  readonly leaks: number
  readonly checkErrors: number
  /** Violated demands of the format that QEMU does not look at. */
  readonly flaws: number
  readonly totalClusters: number
  readonly allocatedClusters: number
  readonly fragmentedClusters: number
  readonly compressedClusters: number
  /** End of the last cluster with a count, in bytes. @see CHK-12 */
  readonly imageEndOffset: number
  /** The first thousand findings. */
  readonly findings: readonly Finding[]
}

/** Opening checks that a check passes over. @see CHK-13 */
const passed = ['OPEN-14'] as const

function* snapshots(state: CheckState, m: Metadata, uses: Uses, perBlock: number): Plan<void> {
  const table = snapshotTablePlace(m)
  const starts = snapshotStarts(m.snapshots)
  if (state.g.externalDataFile && m.header.nbSnapshots > 0)
    state.find(
      'corruption',
      inconsistent(
        'DATA-01',
        'header',
        60,
        4,
        `${m.header.nbSnapshots} snapshots`,
        'none with an external data file',
        'nb_snapshots'
      )
    )
  for (const [i, s] of m.snapshots.entries()) {
    const at = table.at + (starts[i] ?? 0)
    const bad = (field: string, offset: number, size: number, found: string, expected: string): void => {
      state.find(
        'corruption',
        inconsistent('CHK-04', 'snapshot table entry', at + offset, size, found, expected, field)
      )
    }
    if (m.header.version === 3 && snapshotExtra.sizeOf(s.extra) < 16)
      bad('extra_data_size', 36, 4, String(snapshotExtra.sizeOf(s.extra)), 'at least 16')
    if (s.l1TableOffset % BigInt(state.size) !== 0n)
      bad('l1_table_offset', 0, 8, String(s.l1TableOffset), 'a multiple of the cluster size')
    else if (s.l1Size > limits.maxL1Entries) bad('l1_size', 8, 4, String(s.l1Size), `at most ${limits.maxL1Entries}`)
    else if (l1IsReadable(s) && state.spend(Math.min(8 * s.l1Size, state.fileLength)))
      yield* checkL1(state, uses, Number(s.l1TableOffset), s.l1Size, false, perBlock)
    else
      state.find(
        'error',
        inconsistent('CHK-06', 'snapshot table entry', at, 8, String(s.l1TableOffset), 'a table that can be read')
      )
  }
  state.refer('snapshot table', table.at, table.size)
}

/** Bytes of a bitmap table that are read at a time: in a bitmap in use it has any length. */
const piece = 2 ** 20

function* bitmapTable(state: CheckState, table: number, entries: number): Plan<void> {
  const end = Math.min(table + 8 * entries, Math.ceil(state.fileLength / 8) * 8)
  if (end <= table || !state.spend(end - table)) return
  for (let at = table; at < end; at += piece)
    bitmapTableEntries(state, at, new BitmapTableView(yield* readAt(at, Math.min(piece, end - at))))
}

const bitmapTableEntries = (state: CheckState, at: number, view: BitmapTableView): void => {
  for (let i = 0; i < view.length; i++) {
    const [hi, lo] = [view.words.hi(i), view.words.lo(i)]
    if (hi === 0 && lo <= 1) continue
    const offset = view.clusterOffset(i)
    const reserved = bitmapTableEntry.leaf.reservedMask & view.words.at(i)
    if (reserved !== 0n || (offset !== 0 && (lo & 1) === 1) || offset % state.size !== 0)
      state.find(
        'corruption',
        inconsistent(
          'BMP-05',
          'bitmap table entry',
          at + 8 * i,
          8,
          `0x${view.words.at(i).toString(16)}`,
          'an aligned offset alone, or all_ones alone'
        )
      )
    else if (offset !== 0) state.refer('bitmap data', offset, state.size)
  }
}

function* bitmaps(state: CheckState, m: Metadata): Plan<void> {
  const extension = bitmapsExtension(m)
  if (extension === undefined) return
  state.refer('bitmap directory', Number(extension.bitmapDirectoryOffset), Number(extension.bitmapDirectorySize))
  for (const b of m.bitmaps) {
    state.refer('bitmap table', Number(b.bitmapTableOffset), 8 * b.bitmapTableSize)
    if (b.bitmapTableSize <= limits.maxBitmapTable)
      yield* bitmapTable(state, Number(b.bitmapTableOffset), b.bitmapTableSize)
  }
}

/** What QEMU does not look at, as far as header, extensions and tables of contents show it. */
const flawsOf = (state: CheckState, issues: readonly Issue[]): void => {
  for (const i of issues) if (refusalOf(i) === undefined && i.source === 'format') state.find('flaw', i)
}

function* everything(state: CheckState, m: Metadata, table: BlockTable): Plan<number> {
  const h = m.header
  const perBlock = blockEntries(state.g)
  const uses: Uses = new Map()
  yield* loadRefcounts(state, table)
  state.refer('header', 0, state.size)
  yield* checkL1(state, uses, Number(h.l1TableOffset), h.l1Size, true, perBlock)
  yield* snapshots(state, m, uses, perBlock)
  yield* checkL2Tables(state, uses, perBlock)
  state.refer('refcount table', table.at, h.refcountTableClusters * state.size)
  const pointer = encryptionPointer(m)
  if (pointer !== undefined) state.refer('encryption area', Number(pointer.offset), Number(pointer.length))
  yield* bitmaps(state, m)
  countBlocks(state, table)
  flawsOf(state, m.issues)
  return compareRefcounts(state)
}

/**
 * Checks an image of `fileLength` bytes. Fails where the image is refused before anything is counted. The work is bounded
 * by the file: tables that are shared are read once and counted as often as they are used.
 *
 * @see CHK-01
 */
export function* check(fileLength: number): Plan<E.Either<readonly Issue[], CheckReport>> {
  const metadata = yield* readMetadata()
  if (E.isLeft(metadata)) return metadata
  const m = metadata.right
  const refused = refusal(m.issues, passed)
  const g = m.geometry
  if (refused !== undefined || g === undefined) return E.left(refused === undefined ? m.issues : [refused])
  // QEMU counts the file's length in whole sectors.
  const state = new CheckState(g, Math.ceil(fileLength / limits.sectorSize) * limits.sectorSize)
  const table = yield* readBlockTable(Number(m.header.refcountTableOffset), m.header.refcountTableClusters, state)
  const end = yield* everything(state, m, table)
  return E.right({
    metadata: m,
    ...state.totals,
    totalClusters: Math.ceil(Number(presentedSize(m.header)) / clusterSize(g)),
    imageEndOffset: end * state.size,
    findings: state.findings
  })
}

/** The exit code for a report, as qemu-img's; with `strict`, a violated demand of the format is a corruption. @see CHK-07 */
export const exitCode = (r: CheckReport, strict = false): 0 | 1 | 2 | 3 => {
  if (r.checkErrors > 0) return 1
  if (r.corruptions > 0 || (strict && r.flaws > 0)) return 2
  return r.leaks > 0 ? 3 : 0
}

const unlessZero = (key: string, n: number): JsonObject => (n === 0 ? {} : { [key]: n })

/** The report as JSON: qemu-img's keys, then `findings`. @see CHK-07 */
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
  findings: r.findings.map((f) => ({
    severity: f.severity,
    ...issueJson(f),
    ...(f.guest === undefined ? {} : { guest: { ...f.guest } })
  }))
})
