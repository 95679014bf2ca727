/** The selection: all that is known of one byte of the file. */
import { type Clause, clause, type ClauseId } from '../../spec/clauses/index.js'
import type { Json } from '../bytes/json.js'
import { type Plan, readAt } from '../bytes/plan.js'
import { viewOf } from '../bytes/octets.js'
import { blockEntries, clusterSize, type Geometry, l1Coverage, l2EntrySize } from '../format/geometry.js'
import { headerFields } from '../format/header.js'
import { l2Entry } from '../format/l2-entry.js'
import { refcountAt } from '../format/refcount.js'
import { snapshotFixed, snapshotStarts } from '../format/snapshot.js'
import { bitmapFixed, bitmapStarts } from '../format/bitmap-directory.js'
import { RefcountTableView } from '../format/views.js'
import type { Finding } from '../image/check/findings.js'
import { partsOf } from '../image/dump/explain-parts.js'
import { trustedBitmaps } from '../image/metadata.js'
import { type BitDiagram, diagramsOf } from './diagram.js'
import type { ImageIndex, StructurePlace } from './image-index.js'
import type { Interval } from './intervals.js'
import { type Kind, kindAt, kindOf } from './kinds.js'
import { luksPart } from './luks-parts.js'
import { rulesFor, type ShownRule } from './rules.js'

/** A part of a structure, or of guest data, that a byte belongs to. */
export interface SelectedPart {
  readonly kind: Kind
  /** The structure, in the format's own words. */
  readonly structure: string
  /** Whose it is: the active tree, a snapshot, a bitmap; empty for the image as a whole. */
  readonly of: string
  readonly part: string
  readonly at: number
  readonly size: number
  readonly value: Json
  readonly doc: string
  readonly clause: ClauseId
  readonly says: Clause
  readonly rules: readonly ShownRule[]
  readonly diagrams: readonly BitDiagram[]
  /** Host offset that the value is, where it is one. */
  readonly target?: number
  /** Byte offset of the entry or field that leads to the structure. */
  readonly from?: number
  /** Of guest data: the guest byte, or the first one of a compressed cluster. */
  readonly guest?: number
}

/** Something that has bytes in a host cluster. */
export interface ClusterOwner {
  readonly kind: Kind
  readonly name: string
  readonly at: number
  readonly size: number
  /** Byte offset of the entry or field that leads to it. */
  readonly from?: number
}

export interface Selection {
  readonly at: number
  readonly byte: number
  readonly parts: readonly SelectedPart[]
  /** The host cluster of the byte. */
  readonly cluster: { readonly at: number; readonly size: number } | undefined
  /** Its refcount; undefined where no block describes it. */
  readonly refcount: string | undefined
  readonly owners: readonly ClusterOwner[]
  readonly findings: readonly Finding[]
}

const titleOf = ({ structure, of, index }: StructurePlace): string =>
  `${structure}${index === undefined ? '' : ` ${index}`}${of === '' ? '' : `, ${of}`}`

const headerPlace = (key: string): number => headerFields.placeOf(key).at

const snapshotField = (index: ImageIndex, of: string): number | undefined => {
  const m = index.metadata
  const start = m === undefined ? undefined : snapshotStarts(m.snapshots)[Number(of.replace('snapshot ', ''))]
  if (m === undefined || start === undefined) return undefined
  return Number(m.header.snapshotsOffset) + start + snapshotFixed.placeOf('l1TableOffset').at
}

const bitmapField = (index: ImageIndex, of: string): number | undefined => {
  const m = index.metadata
  const start = m === undefined ? undefined : bitmapStarts(m.bitmaps)[Number(of.replace('bitmap ', ''))]
  const directory = m === undefined ? undefined : trustedBitmaps(m)?.bitmapDirectoryOffset
  if (start === undefined || directory === undefined) return undefined
  return Number(directory) + start + bitmapFixed.placeOf('bitmapTableOffset').at
}

/** The byte offset of the entry of a parent table that leads to a structure. */
const entryOf = (index: ImageIndex, parent: string, { of, index: i = 0 }: StructurePlace): number | undefined => {
  const table = index.places.find((p) => p.structure === parent && (p.of === of || parent === 'refcount table'))
  return table === undefined ? undefined : table.at + 8 * i
}

/** The byte offset of the entry or header field that leads to a structure. */
const originOf = (index: ImageIndex, place: StructurePlace): number | undefined => {
  switch (place.structure) {
    case 'L1 table':
      return place.of === 'active' ? headerPlace('l1TableOffset') : snapshotField(index, place.of)
    case 'L2 table':
      return entryOf(index, 'L1 table', place)
    case 'refcount table':
      return headerPlace('refcountTableOffset')
    case 'refcount block':
      return entryOf(index, 'refcount table', place)
    case 'snapshot table':
      return headerPlace('snapshotsOffset')
    case 'backing file name':
      return headerPlace('backingFileOffset')
    case 'bitmap table':
      return bitmapField(index, place.of)
    case 'bitmap data':
      return entryOf(index, 'bitmap table', place)
    default:
      return undefined
  }
}

/** The host offset that a field of this name holds. */
const targetOf = (part: string, value: Json, fileLength: number): number | undefined => {
  const n = typeof value === 'string' || typeof value === 'number' ? Number(value) : 0
  return part.endsWith('_offset') && n > 0 && n < fileLength ? n : undefined
}

function* structureParts(index: ImageIndex, g: Geometry, place: StructurePlace, at: number): Plan<SelectedPart[]> {
  const m = index.metadata
  if (m === undefined) return []
  const region = yield* index.region(place)
  const found = luksPart(region, at - place.at) ?? partsOf(region, m, g, at - place.at)
  const from = originOf(index, place)
  return found.map((p): SelectedPart => {
    const bytes = region.bytes.subarray(p.at, p.at + p.size)
    const diagrams = diagramsOf(place.structure, p.part, g, bytes, place.at + p.at)
    const inBits = diagrams.flatMap(({ ranges }) => ranges.flatMap(({ target }) => target ?? [])).at(0)
    const target = inBits ?? targetOf(p.part, p.value, index.fileLength)
    return {
      ...p,
      at: place.at + p.at,
      kind: kindOf(place.structure),
      structure: place.structure,
      of: place.of,
      says: clause(p.clause),
      rules: rulesFor(place.structure, p.part),
      diagrams,
      ...(target === undefined ? {} : { target }),
      ...(from === undefined ? {} : { from })
    }
  })
}

/** The entry of an L2 table that leads to a byte of guest data, and the guest byte. */
export const entryOfData = (index: ImageIndex, g: Geometry, run: Interval, at: number) => {
  const table = index.places[run.table]
  const isCompressed = kindAt(run.kind) === 'compressed'
  const entry = run.entry + (isCompressed ? 0 : Math.floor((at - run.from) / clusterSize(g)))
  const cluster = (table?.index ?? 0) * l1Coverage(g) + entry * clusterSize(g)
  return {
    table,
    entry,
    from: (table?.at ?? 0) + entry * l2EntrySize(g),
    /** Guest offset of the cluster; of the byte itself, unless it is part of a payload. */
    guest: isCompressed ? cluster : cluster + ((at - run.from) % clusterSize(g)),
    at: isCompressed ? run.from : at - ((at - run.from) % clusterSize(g)),
    size: isCompressed ? run.to - run.from : clusterSize(g)
  }
}

function* dataPart(index: ImageIndex, g: Geometry, run: Interval, offset: number): Plan<SelectedPart[]> {
  const { table, entry, from, guest, at, size } = entryOfData(index, g, run, offset)
  if (table === undefined) return []
  const bytes = yield* readAt(from, l2EntrySize(g))
  const value = l2Entry(g).decode(bytes)
  const isCompressed = kindAt(run.kind) === 'compressed'
  const id = isCompressed ? 'CMP-02' : 'RD-03'
  return [
    {
      kind: kindAt(run.kind),
      structure: isCompressed ? 'compressed cluster' : 'data cluster',
      of: table.of,
      part: `guest ${isCompressed ? 'cluster at' : 'byte'} ${guest}`,
      at,
      size,
      value: value._tag === 'Right' ? l2Entry(g).json.encode(value.right) : null,
      doc: `entry ${entry} of the L2 table at 0x${table.at.toString(16)}`,
      clause: id,
      says: clause(id),
      rules: [],
      diagrams: [],
      from,
      guest
    }
  ]
}

/** The refcount of a host cluster; undefined where no block describes it. @see REF-03 */
function* refcountOf(index: ImageIndex, g: Geometry, cluster: number): Plan<string | undefined> {
  const h = index.metadata?.header
  const block = Math.floor(cluster / blockEntries(g))
  if (h === undefined || 8 * block >= h.refcountTableClusters * clusterSize(g)) return undefined
  const table = Number(h.refcountTableOffset) + 8 * block
  if (!(table < index.fileLength)) return undefined
  const at = new RefcountTableView(yield* readAt(table, 8)).refcountBlockOffset(0)
  if (at === 0 || at >= index.fileLength || at % clusterSize(g) !== 0) return undefined
  return String(refcountAt(viewOf(yield* readAt(at, clusterSize(g))), g.refcountOrder, cluster % blockEntries(g)))
}

const mostOwners = 16

const ownersOf = (index: ImageIndex, g: Geometry, at: number): readonly ClusterOwner[] => {
  const to = at + clusterSize(g)
  const structures = index.structuresIn(at, to).map((p): ClusterOwner => {
    const from = originOf(index, p)
    const place = { kind: kindOf(p.structure), name: titleOf(p), at: p.at, size: p.size }
    return from === undefined ? place : { ...place, from }
  })
  const data: ClusterOwner[] = []
  for (const run of index.data.within(at, to)) {
    const e = entryOfData(index, g, run, Math.max(at, run.from))
    data.push({ kind: kindAt(run.kind), name: `guest ${e.guest}`, at: e.at, size: e.size, from: e.from })
    if (data.length === mostOwners) break
  }
  return [...structures.slice(0, mostOwners), ...data]
}

const covers = (at: number) => (f: Finding) => f.at <= at && at < f.at + Math.max(1, f.size)

/** What byte `at` of the file is. `findings` are those of the whole image. */
export function* select(index: ImageIndex, at: number, findings: readonly Finding[]): Plan<Selection> {
  const g = index.geometry
  const byte = (yield* readAt(at, 1))[0] ?? 0
  const here = findings.filter(covers(at))
  if (g === undefined)
    return { at, byte, parts: [], cluster: undefined, refcount: undefined, owners: [], findings: here }
  const size = clusterSize(g)
  const cluster = { at: at - (at % size), size }
  const parts: SelectedPart[] = []
  for (const place of index.structuresIn(at, at + 1)) parts.push(...(yield* structureParts(index, g, place, at)))
  for (const run of index.data.within(at, at + 1)) parts.push(...(yield* dataPart(index, g, run, at)))
  return {
    at,
    byte,
    parts,
    cluster,
    refcount: yield* refcountOf(index, g, Math.floor(at / size)),
    owners: ownersOf(index, g, cluster.at),
    findings: here
  }
}
