/** Parts of structures: the field or entry that holds a byte, its value, and the clause that defines it. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { ByteType } from '../../bytes/byte-type.js'
import type { EntryType, Padded, Tail } from '../../bytes/entry.js'
import { integerToJson, type Json } from '../../bytes/json.js'
import { sum } from '../../bytes/list.js'
import { bitAt, label, toHex, viewOf } from '../../bytes/octets.js'
import type { Placed } from '../../bytes/struct.js'
import { bitmapDirectory, bitmapEntry, bitmapStarts } from '../../format/bitmap-directory.js'
import { bitmapTableEntry } from '../../format/bitmap.js'
import { extension } from '../../format/extension.js'
import { extensionNames } from '../../format/extension-kinds.js'
import { extensionArea, extensionStarts } from '../../format/extension-area.js'
import {
  blockCoverage,
  blockEntries,
  clusterSize,
  type Geometry,
  l1Coverage,
  l2EntrySize
} from '../../format/geometry.js'
import { additionalFields, header, headerFields, headerV2 } from '../../format/header.js'
import { l1Entry } from '../../format/l1.js'
import { l2Entry } from '../../format/l2-entry.js'
import { refcountAt, refcountTableEntry } from '../../format/refcount.js'
import { snapshotEntry, snapshotStarts } from '../../format/snapshot.js'
import type { Metadata } from '../metadata.js'
import type { Region } from './regions.js'

/** A part of a structure; offsets count from the structure's start. */
export interface StructurePart {
  readonly part: string
  readonly at: number
  readonly size: number
  readonly value: Json
  readonly clause: ClauseId
  readonly doc: string
}

const single = (
  part: string,
  at: number,
  size: number,
  value: Json,
  clause: ClauseId,
  doc: string
): readonly StructurePart[] => [{ part, at, size, value, clause, doc }]

const covers = (at: number, size: number, offset: number): boolean => offset >= at && offset < at + size

/** The row of a field table that covers byte `offset`; the table starts at byte `from`. */
const inRows = (rows: readonly Placed[], bytes: Uint8Array, from: number, offset: number): readonly StructurePart[] =>
  rows
    .filter((p) => covers(from + p.at, p.row.as.size, offset) && from + p.at + p.row.as.size <= bytes.length)
    .flatMap(({ at, row: { name, as, clause, doc } }) =>
      single(name, from + at, as.size, as.json.encode(as.get(viewOf(bytes), from + at)), clause, doc)
    )

const raw = (bytes: Uint8Array, at: number, size: number): Json => toHex(bytes.subarray(at, at + Math.min(size, 32)))

const inHeader = (bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const h = header.decode(bytes)
  const fixed = E.isRight(h) && h.right.version === 2 ? headerV2 : headerFields
  const start = fixed.size
  const found = [...inRows(fixed.rows, bytes, 0, offset), ...inRows(additionalFields.rows, bytes, start, offset)]
  if (found.length > 0) return found
  const ends = additionalFields.rows.map((p) => start + p.at + p.row.as.size).filter((end) => end <= bytes.length)
  const from = Math.max(start, ...ends)
  const size = bytes.length - from
  const value = raw(bytes, from, size)
  return single('unknown additional fields', from, size, value, 'HDR-03', 'kept when the header is rewritten')
}

/** Most bytes of a string or of extra data that a value has: a damaged length may name more than the file holds. */
const mostShown = 1024

/** The parts of entry `index` of a table of entries of variable length: its fields, its strings, its padding. */
const inEntry = <A extends Padded & Partial<F>, F>(
  type: EntryType<A, F>,
  index: number,
  bytes: Uint8Array,
  from: number,
  offset: number,
  clause: ClauseId
): readonly StructurePart[] => {
  const a = type.decode(bytes.subarray(from))
  if (E.isLeft(a)) return []
  const padding = { name: 'padding', clause, doc: 'up to a multiple of 8' }
  const tails: readonly (readonly [string, typeof padding])[] = [
    ...Object.entries<Tail<unknown, keyof F>>(type.tails),
    ['padding', padding]
  ]
  const found = tails.flatMap(([key, tail]): readonly StructurePart[] => {
    const place = type.placeOf(key, a.right)
    const at = from + place.at
    if (!covers(at, place.size, offset)) return []
    const own = bytes.subarray(at, at + Math.min(place.size, mostShown))
    return single(tail.name, at, place.size, tail === padding ? toHex(own) : label(own), tail.clause, tail.doc)
  })
  return [...inRows(type.fixed.rows, bytes, from, offset), ...found].map((p) => ({
    ...p,
    part: `entry ${index}: ${p.part}`
  }))
}

const inExtensions = (bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const area = extensionArea.decode(bytes)
  if (E.isLeft(area)) return []
  const sizes = area.right.extensions.map((e) => extension.sizeOf(e))
  const starts = extensionStarts(area.right)
  const i = sizes.findIndex((size, n) => covers(starts[n] ?? 0, size, offset))
  const [e, at] = [area.right.extensions[i], starts[i] ?? 0]
  const doc = offset < at + 8 ? 'type and length of the extension' : 'data of the extension'
  if (e !== undefined) return single(extensionNames[e._tag], at, sizes[i] ?? 0, extension.json.encode(e), 'EXT-01', doc)
  const end = sum(sizes)
  return offset < end + 8
    ? single('end marker', end, 8, raw(bytes, end, 8), 'EXT-02', 'ends the area')
    : single('unused', end + 8, bytes.length - end - 8, null, 'EXT-21', 'nothing may be stored here')
}

const inSnapshots = (m: Metadata, bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const starts = snapshotStarts(m.snapshots)
  const i = starts.findLastIndex((at) => at <= offset)
  return inEntry(snapshotEntry, i, bytes, starts[i] ?? 0, offset, 'SNAP-01')
}

const inBitmaps = (bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const entries = bitmapDirectory.decode(bytes)
  if (E.isLeft(entries)) return []
  const starts = bitmapStarts(entries.right)
  const i = starts.findLastIndex((at) => at <= offset)
  return inEntry(bitmapEntry, i, bytes, starts[i] ?? 0, offset, 'BMP-02')
}

/** The entry of a table of equal entries that covers byte `offset`. */
const inTable = <A>(
  type: ByteType<A>,
  size: number,
  bytes: Uint8Array,
  offset: number,
  clause: ClauseId,
  doc: (index: number) => string
): readonly StructurePart[] => {
  const i = Math.floor(offset / size)
  const a = type.decode(bytes.subarray(i * size))
  return E.isLeft(a) ? [] : single(`entry ${i}`, i * size, size, type.json.encode(a.right), clause, doc(i))
}

const range = (from: number, size: number): string => `${from} to ${from + size - 1}`

const inBlock = (r: Region, g: Geometry, offset: number): readonly StructurePart[] => {
  const width = 2 ** g.refcountOrder
  const first = Math.floor((offset * 8) / width)
  const counts = Array.from({ length: Math.max(1, 8 / width) }, (_, i) => first + i)
  const base = (r.index ?? 0) * blockEntries(g)
  return single(
    counts.length === 1 ? `refcount ${first}` : `refcounts ${range(first, counts.length)}`,
    Math.floor((first * width) / 8),
    Math.max(1, width / 8),
    counts.map((i) => integerToJson(refcountAt(viewOf(r.bytes), g.refcountOrder, i))),
    'REF-05',
    `host cluster ${counts.map((i) => base + i).join(', ')}`
  )
}

const inBitmapData = (r: Region, g: Geometry, offset: number): readonly StructurePart[] => {
  const first = ((r.index ?? 0) * clusterSize(g) + offset) * 8
  const value = Array.from({ length: 8 }, (_, i) => (bitAt(r.bytes, offset * 8 + i) ? 1 : 0))
  return single(`bits ${range(first, 8)}`, offset, 1, value, 'BMP-06', 'least significant bit first')
}

/** The parts of a region that cover byte `offset` of it; offsets of the parts count from the region's start. */
export const partsOf = (r: Region, m: Metadata, g: Geometry, offset: number): readonly StructurePart[] => {
  const { bytes } = r
  const guestBytes = (from: number, size: number): string => `guest bytes ${range(from, size)}`
  switch (r.structure) {
    case 'header':
      return inHeader(bytes, offset)
    case 'header extensions':
      return inExtensions(bytes, offset)
    case 'backing file name':
      return single('name', 0, bytes.length, label(bytes), 'BACK-01', 'not NUL terminated')
    case 'L1 table':
      return inTable(l1Entry, 8, bytes, offset, 'L1-01', (i) => guestBytes(i * l1Coverage(g), l1Coverage(g)))
    case 'L2 table': {
      const [start, size] = [(r.index ?? 0) * l1Coverage(g), clusterSize(g)]
      return inTable(l2Entry(g), l2EntrySize(g), bytes, offset, 'L2-03', (i) => guestBytes(start + i * size, size))
    }
    case 'refcount table': {
      const doc = (i: number): string => `host bytes ${range(i * blockCoverage(g), blockCoverage(g))}`
      return inTable(refcountTableEntry, 8, bytes, offset, 'REF-04', doc)
    }
    case 'refcount block':
      return inBlock(r, g, offset)
    case 'snapshot table':
      return inSnapshots(m, bytes, offset)
    case 'bitmap directory':
      return inBitmaps(bytes, offset)
    case 'bitmap table':
      return inTable(bitmapTableEntry, 8, bytes, offset, 'BMP-05', (i) => `cluster ${i} of the bitmap's data`)
    case 'bitmap data':
      return inBitmapData(r, g, offset)
    case 'encryption area':
      return single('bytes', offset, 1, raw(bytes, offset, 1), 'LUKS-03', 'LUKS header and key material, opaque here')
  }
}
