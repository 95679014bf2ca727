/** Sites: every number and every bit of an image that a damage may change, from the field tables of its structures. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../spec/clauses/index.js'
import { type BitRow, isBits } from '../bytes/bits.js'
import { viewOf } from '../bytes/octets.js'
import { fromMemory, runSync } from '../bytes/plan.js'
import type { NumberRule } from '../bytes/rule.js'
import { availableBytes } from '../format/compressed.js'
import { blockEntries, type Geometry, l2EntrySize } from '../format/geometry.js'
import { luksHeader, luksSlot } from '../format/luks.js'
import { refcountAt, refcountBits } from '../format/refcount.js'
import { clusterKind, L2View } from '../format/views.js'
import type { Metadata } from '../image/metadata.js'
import { type RegionItem, type Region, regions } from '../image/dump/regions.js'
import type { ByteRange } from '../image/byte-range.js'
import { type Field, type Fielded, moved, reservedClause } from './field.js'
import {
  areaFields,
  bitmapDirectoryFields,
  bitmapTableFields,
  headerFields,
  l1Fields,
  l2FieldsOf,
  luksFields,
  refcountTableFields,
  snapshotTableFieldsOf
} from './structures.js'

/** What the bits of a site are: a place in the file, some other number, or one bit. */
type Role = 'offset' | 'number' | 'bit'

/** Bits `lo` to `hi` of the big-endian number of `size` bytes at byte `at` of the file. */
export interface Site {
  readonly name: string
  readonly at: number
  readonly size: number
  readonly lo: number
  readonly hi: number
  readonly role: Role
  /** Whether the number is the word with its other bits clear, as an offset whose low bits have another meaning. */
  readonly masked: boolean
  readonly rules: readonly NumberRule[]
  /** The clause of its row, or of the reserved bits that it is one of. */
  readonly clause: ClauseId
}

/** An image taken apart. */
export interface ImageParts {
  readonly file: Uint8Array
  readonly metadata: Metadata
  readonly geometry: Geometry
  readonly regions: readonly Region[]
  /** Sites by the structure they belong to. */
  readonly sites: ReadonlyMap<string, readonly Site[]>
  /** Places and lengths of compressed payloads. */
  readonly payloads: readonly ByteRange[]
}

const bitSite = (f: Field, name: string, bit: number, clause: ClauseId): Site => ({
  name,
  at: f.at,
  size: f.leaf.size,
  lo: bit,
  hi: bit,
  role: 'bit',
  masked: false,
  rules: [],
  clause
})

const rowSite = (f: Field, row: BitRow): Site =>
  row._tag === 'Flag'
    ? bitSite(f, row.name, row.lo, row.clause)
    : {
        ...bitSite(f, row.name, row.lo, row.clause),
        hi: row.hi,
        role: row._tag === 'Masked' ? 'offset' : 'number',
        masked: row._tag === 'Masked'
      }

/** The sites of a field: its rows and its reserved bits, or the number it is. Byte strings have none. */
export const sitesOf = (f: Field): readonly Site[] => {
  const { leaf } = f
  if (leaf.kind === 'octets') return []
  if (!isBits(leaf))
    return [
      {
        ...bitSite(f, f.name, 0, f.clause),
        hi: 8 * leaf.size - 1,
        role: f.name.endsWith('offset') ? 'offset' : 'number',
        rules: f.rules
      }
    ]
  const bits = Array.from({ length: 8 * leaf.size }, (_, i) => i)
  const reserved = bits.filter((i) => ((leaf.reservedMask >> BigInt(i)) & 1n) === 1n)
  return [
    ...Object.values<BitRow>(leaf.rows).map((row) => rowSite(f, row)),
    ...reserved.map((i) => bitSite(f, `${f.name} bit ${i}`, i, reservedClause(f)))
  ]
}

/** Most entries of one table that are damaged. */
const most = 8

/** Entries of a table worth damaging: some of those that are not zero, the first that is, and the last. */
const chosen = (length: number, isZero: (i: number) => boolean): readonly number[] => {
  const indices = Array.from({ length }, (_, i) => i)
  const used = indices.filter((i) => !isZero(i))
  const step = Math.max(1, used.length / most)
  const some = used.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step))
  return [...new Set([...some, ...indices.filter(isZero).slice(0, 1), ...indices.slice(-1)])]
}

/** The fields of what the bytes decode to. */
const fieldsIn =
  <A>(s: Fielded<A>) =>
  (bytes: Uint8Array): readonly Field[] => {
    const decoded = s.type.decode(bytes)
    return E.isRight(decoded) ? s.fields(decoded.right) : []
  }

/** The fields of the chosen entries of a table. */
const tableFields = <A>(r: Region, s: Fielded<A>, size = 8): readonly Field[] => {
  const entry = (i: number): Uint8Array => r.bytes.subarray(i * size, (i + 1) * size)
  return chosen(Math.floor(r.bytes.length / size), (i) => entry(i).every((b) => b === 0)).flatMap((i) =>
    moved(fieldsIn(s)(entry(i)), i * size)
  )
}

/** Key slots of which the fields are damaged. */
const someSlots = 2

const encryptionFields = (bytes: Uint8Array): readonly Field[] => [
  ...fieldsIn(luksFields.header)(bytes),
  ...Array.from({ length: someSlots }, (_, i) => luksHeader.size + i * luksSlot.size).flatMap((at) =>
    moved(fieldsIn(luksFields.slot)(bytes.subarray(at)), at)
  )
]

/** The fields of a region, from its start. Refcount blocks and bitmap data have none: they are numbers and bits alone. */
const fieldsOf = (r: Region, m: Metadata, g: Geometry): readonly Field[] => {
  switch (r.structure) {
    case 'header':
      return fieldsIn(headerFields)(r.bytes)
    case 'header extensions':
      return fieldsIn(areaFields)(r.bytes)
    case 'L1 table':
      return tableFields(r, l1Fields)
    case 'L2 table':
      return tableFields(r, l2FieldsOf(g), l2EntrySize(g))
    case 'refcount table':
      return tableFields(r, refcountTableFields)
    case 'snapshot table':
      return fieldsIn(snapshotTableFieldsOf(m.snapshots.length))(r.bytes)
    case 'bitmap directory':
      return fieldsIn(bitmapDirectoryFields)(r.bytes)
    case 'bitmap table':
      return tableFields(r, bitmapTableFields)
    case 'encryption area':
      return (r.index ?? 0) === 0 ? encryptionFields(r.bytes) : []
    case 'refcount block':
    case 'bitmap data':
    case 'backing file name':
      return []
  }
}

/** Refcount `i` of a block that begins at byte 0. */
export const countSite = (i: number, g: Pick<Geometry, 'refcountOrder'>): Site => {
  const width = refcountBits(g.refcountOrder)
  const lo = (i * width) % 8
  return {
    name: `refcount ${i}`,
    at: Math.floor((i * width) / 8),
    size: Math.max(1, width / 8),
    lo,
    hi: lo + width - 1,
    role: 'number',
    masked: false,
    rules: [],
    clause: 'REF-02'
  }
}

/** The chosen counts of a refcount block. */
const countSites = (r: Region, g: Geometry): readonly Site[] => {
  const view = viewOf(r.bytes)
  return chosen(blockEntries(g), (i) => refcountAt(view, g.refcountOrder, i) === 0n).map((i) => {
    const site = countSite(i, g)
    return { ...site, at: r.at + site.at }
  })
}

const regionSites = (r: Region, m: Metadata, g: Geometry): readonly Site[] =>
  r.structure === 'refcount block' ? countSites(r, g) : moved(fieldsOf(r, m, g), r.at).flatMap(sitesOf)

/** The payloads of the compressed clusters of an L2 table. */
const payloadsOf = (r: Region, g: Geometry): readonly ByteRange[] => {
  const view = new L2View(r.bytes, g)
  return Array.from({ length: view.length }, (_, i) => i)
    .filter((i) => view.kind(i) === clusterKind.Compressed)
    .map((i) => {
      const at = view.hostOffset(i)
      const additionalSectors = view.additionalSectors(i)
      return { at, size: availableBytes({ hostOffset: BigInt(at % 512), additionalSectors }) }
    })
}

/** An image taken apart; nothing without metadata and a geometry. */
export const partsOf = (file: Uint8Array): ImageParts | undefined => {
  const found: RegionItem[] = []
  runSync(regions(file.length), { read: fromMemory(file), emit: (f: RegionItem) => found.push(f) })
  const metadata = found.flatMap((f) => (f._tag === 'Metadata' ? [f.metadata] : []))[0]
  const geometry = metadata?.geometry
  if (metadata === undefined || geometry === undefined) return undefined
  const all = found.flatMap((f) => (f._tag === 'Region' ? [f.region] : []))
  const sites = new Map<string, Site[]>()
  for (const r of all) {
    const here = regionSites(r, metadata, geometry).filter((s) => s.at + s.size <= file.length)
    if (here.length > 0) sites.set(r.structure, [...(sites.get(r.structure) ?? []), ...here])
  }
  const payloads = all.flatMap((r) => (r.structure === 'L2 table' ? payloadsOf(r, geometry) : []))
  return { file, metadata, geometry, regions: all, sites, payloads }
}
