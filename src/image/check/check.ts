/** Check: what `qemu-img check` counts, and the findings behind every number and beyond. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Issue } from '../../bytes/issue.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import type { Decompressor } from '../../compression/decompress.js'
import { bitmapStarts, bitmapTableEntry } from '../../format/bitmap.js'
import { blockEntries, type Geometry } from '../../format/geometry.js'
import { compressionType } from '../../format/header.js'
import { presentedSize } from '../../format/header-rules.js'
import * as limits from '../../format/limits.js'
import { l1IsReadable, snapshotExtra, snapshotStarts } from '../../format/snapshot.js'
import { BitmapTableView } from '../../format/views.js'
import { type BlockTable, compareRefcounts, countBlocks, loadRefcounts, readBlockTable } from './refcounts.js'
import type { CheckReport } from './report.js'
import { inconsistent, CheckState } from './state.js'
import type { Uses } from './l2-table.js'
import { checkL1, checkL2Tables } from './trees.js'
import type { Counts } from './counts.js'
import { bitmapFindings } from './bitmaps.js'
import { compressedFindings } from './compressed.js'
import { headerFindings } from './header.js'
import { nameOwners } from './owners.js'
import { countsPastEnd } from './past-end.js'
import { activeTree, snapshotFindings, snapshotTree } from './snapshots.js'
import {
  bitmapsExtension,
  encryptionPointer,
  type Metadata,
  readMetadata,
  refusal,
  snapshotTablePlace
} from '../metadata.js'

/** Opening checks that a check passes over; one that a repair follows also over what the repair mends. @see CHK-13 and CHK-08 */
export const passedBy = (mending: boolean): readonly string[] => (mending ? ['OPEN-14', 'OPEN-29'] : ['OPEN-14'])

const snapshotEntry = 'snapshot table entry'

function* snapshots(state: CheckState, m: Metadata, uses: Uses, perBlock: number): Plan<void> {
  const table = snapshotTablePlace(m)
  const starts = snapshotStarts(m.snapshots)
  if (state.g.externalDataFile && m.header.nbSnapshots > 0) {
    const where = { structure: 'header', field: 'nb_snapshots', at: 60, size: 4 }
    state.find(
      'corruption',
      inconsistent('DATA-01', where, String(m.header.nbSnapshots), '0 with an external data file')
    )
  }
  for (const [i, s] of m.snapshots.entries()) {
    const at = table.at + (starts[i] ?? 0)
    const bad = (clause: ClauseId, field: string, offset: number, size: number, found: bigint, expected: string) => {
      const where = { structure: snapshotEntry, field, at: at + offset, size }
      state.find('corruption', inconsistent(clause, where, String(found), expected))
    }
    const extra = snapshotExtra.sizeOf(s.extra)
    if (m.header.version === 3 && extra < 16) bad('SNAP-02', 'extra_data_size', 36, 4, BigInt(extra), 'at least 16')
    if (extra > limits.maxSnapshotExtra)
      bad('SNAP-03', 'extra_data_size', 36, 4, BigInt(extra), `at most ${limits.maxSnapshotExtra}`)
    if (s.l1TableOffset % BigInt(state.size) !== 0n)
      bad('SNAP-01', 'l1_table_offset', 0, 8, s.l1TableOffset, 'a multiple of the cluster size')
    else if (s.l1Size > limits.maxL1Entries)
      bad('SNAP-07', 'l1_size', 8, 4, BigInt(s.l1Size), `at most ${limits.maxL1Entries}`)
    else if (l1IsReadable(s) && state.spend(Math.min(8 * s.l1Size, state.fileLength)))
      yield* checkL1(state, uses, snapshotTree(m, state.g, s, at), perBlock)
    else {
      const where = { structure: snapshotEntry, field: 'l1_table_offset', at, size: 8 }
      state.find('error', inconsistent('CHK-06', where, String(s.l1TableOffset), 'a table that can be read'))
    }
  }
  state.claim('snapshot table', table.at, table.size, { entry: 64 })
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
    const entry = at + 8 * i
    const offset = view.clusterOffset(i)
    const reserved = bitmapTableEntry.leaf.reservedMask & view.words.at(i)
    if (reserved !== 0n || (offset !== 0 && (lo & 1) === 1) || offset % state.size !== 0) {
      const where = { structure: 'bitmap table entry', at: entry, size: 8 }
      const word = `0x${view.words.at(i).toString(16)}`
      state.find('corruption', inconsistent('BMP-05', where, word, 'an aligned offset alone, or all_ones alone'))
    } else if (offset !== 0) state.claim('bitmap data', offset, state.size, { entry })
  }
}

function* bitmaps(state: CheckState, m: Metadata): Plan<void> {
  const extension = bitmapsExtension(m)
  if (extension === undefined) return
  const directory = Number(extension.bitmapDirectoryOffset)
  state.claim('bitmap directory', directory, Number(extension.bitmapDirectorySize))
  const starts = bitmapStarts(m.bitmaps)
  for (const [i, b] of m.bitmaps.entries()) {
    const at = Number(b.bitmapTableOffset)
    state.claim('bitmap table', at, 8 * b.bitmapTableSize, { entry: directory + (starts[i] ?? 0) })
    if (b.bitmapTableSize <= limits.maxBitmapTable) yield* bitmapTable(state, at, b.bitmapTableSize)
  }
}

/**
 * Goes through everything that refers to clusters, in QEMU's order; `tables` is what becomes of the L2 tables. Without a
 * refcount table the structures that count are left out.
 */
function* walk(
  state: CheckState,
  m: Metadata,
  table: BlockTable | undefined,
  tables: (uses: Uses) => Plan<void>
): Plan<Uses> {
  const perBlock = blockEntries(state.g)
  const uses: Uses = new Map()
  state.claim('header', 0, state.size)
  yield* checkL1(state, uses, activeTree(m, state.g), perBlock)
  yield* snapshots(state, m, uses, perBlock)
  yield* tables(uses)
  if (table !== undefined)
    state.claim('refcount table', table.at, m.header.refcountTableClusters * state.size, { entry: 48 })
  const pointer = encryptionPointer(m)
  if (pointer !== undefined) state.claim('encryption area', Number(pointer.offset), Number(pointer.length))
  yield* bitmaps(state, m)
  if (table !== undefined) countBlocks(state, table)
  return uses
}

/** What QEMU counts, then what it does not look at. The result is one more than the highest cluster with a count. */
function* everything(state: CheckState, m: Metadata, table: BlockTable, options: CheckOptions): Plan<number> {
  yield* loadRefcounts(state, table)
  const uses = yield* walk(state, m, table, (all) => checkL2Tables(state, all))
  headerFindings(state, m)
  snapshotFindings(state, m)
  yield* bitmapFindings(state, m)
  const end = compareRefcounts(state)
  yield* countsPastEnd(state, table)
  yield* nameOwners(state, uses, (again, tables) => walk(again, m, table, () => tables))
  if (options.deep !== undefined) yield* compressedFindings(state, uses, compressionType(m.header), options.deep)
  return end
}

/** How to check. */
export interface CheckOptions {
  /** Bytes of the external data file. Without it, nothing is said of entries past its end. */
  readonly dataFileLength?: number
  /** Decoders for a deep check, which reads and decodes every compressed cluster. Without them none is read. */
  readonly deep?: Decompressor
  /** Whether a repair follows, which also cuts the extra data of snapshots that are too long to be opened. @see CHK-08 */
  readonly mending?: boolean
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
  const refused = refusal(m.issues, passedBy(options.mending === true))
  const g = m.geometry
  if (refused !== undefined || g === undefined) return E.left(refused === undefined ? m.issues : [refused])
  const state = new CheckState(g, fileLength, m.snapshots.length > 0, options.dataFileLength)
  const table = yield* readBlockTable(Number(m.header.refcountTableOffset), m.header.refcountTableClusters, state)
  return E.right({ metadata: m, state, end: yield* everything(state, m, table, options) })
}

/** How often each host cluster is referred to, but for the refcount table and its blocks. */
export function* referencesOf(m: Metadata, g: Geometry, fileLength: number): Plan<Counts> {
  const state = new CheckState(g, fileLength, m.snapshots.length > 0)
  yield* walk(state, m, undefined, (uses) => checkL2Tables(state, uses))
  return state.references
}

/** Checks an image of `fileLength` bytes whose metadata was read. @see {@link check} */
export function* checkMetadata(
  m: Metadata,
  fileLength: number,
  options: CheckOptions = {}
): Plan<E.Either<readonly Issue[], CheckReport>> {
  return E.map(({ metadata, state, end }: Examined): CheckReport => ({
    metadata,
    ...state.totals,
    totalClusters: Math.ceil(Number(presentedSize(metadata.header)) / state.size),
    imageEndOffset: end * state.size,
    findings: state.findings,
    leftOut: state.leftOut()
  }))(yield* examine(m, fileLength, options))
}

/**
 * Checks an image of `fileLength` bytes. Fails where the image is refused before anything is counted. The work is bounded
 * by the file: tables that are shared are read once and counted as often as they are used.
 *
 * @see CHK-01
 */
export function* check(fileLength: number, options: CheckOptions = {}): Plan<E.Either<readonly Issue[], CheckReport>> {
  const m = yield* readMetadata()
  return E.isLeft(m) ? m : yield* checkMetadata(m.right, fileLength, options)
}
