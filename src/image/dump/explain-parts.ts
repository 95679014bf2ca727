/** Parts of structures: the field or entry that holds a byte, its value, and the clause that defines it. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { ByteType } from '../../bytes/byte-type.js'
import type { EntryType, Padded, Tail } from '../../bytes/entry.js'
import { toEight } from '../../bytes/entry.js'
import { integerToJson, type Json } from '../../bytes/json.js'
import { startsOf, sum } from '../../bytes/list.js'
import { bitAt, label, toHex, viewOf } from '../../bytes/octets.js'
import type { Placed } from '../../bytes/struct.js'
import { bitmapDirectory, bitmapEntry } from '../../format/bitmap-directory.js'
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

const covers = (at: number, size: number, offset: number): boolean => offset >= at && offset < at + size

/** The row of a field table that covers byte `offset`; the table starts at byte `from`. */
const inRows = (rows: readonly Placed[], bytes: Uint8Array, from: number, offset: number): readonly StructurePart[] =>
  rows
    .filter((p) => covers(from + p.at, p.row.as.size, offset) && from + p.at + p.row.as.size <= bytes.length)
    .map((p) => ({
      part: p.row.name,
      at: from + p.at,
      size: p.row.as.size,
      value: p.row.as.json.encode(p.row.as.get(viewOf(bytes), from + p.at)),
      clause: p.row.clause,
      doc: p.row.doc
    }))

const raw = (bytes: Uint8Array, at: number, size: number): Json => toHex(bytes.subarray(at, at + Math.min(size, 32)))

const inHeader = (bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const h = header.decode(bytes)
  const fixed = E.isRight(h) && h.right.version === 2 ? headerV2.rows : headerFields.rows
  const start = fixed.reduce((n, p) => n + p.row.as.size, 0)
  const found = [...inRows(fixed, bytes, 0, offset), ...inRows(additionalFields.rows, bytes, start, offset)]
  return found.length > 0
    ? found
    : [
        {
          part: 'unknown additional fields',
          at: start,
          size: bytes.length - start,
          value: raw(bytes, start, bytes.length - start),
          clause: 'HDR-03',
          doc: 'kept when the header is rewritten'
        }
      ]
}

/** The parts of an entry of variable length: its table, its strings, its padding. */
const inEntry = <A extends Padded & Partial<F>, F>(
  type: EntryType<A, F>,
  bytes: Uint8Array,
  from: number,
  offset: number,
  clause: ClauseId
): readonly StructurePart[] => {
  const table = inRows(type.fixed.rows, bytes, from, offset)
  if (table.length > 0) return table
  const tails = Object.values<Tail<unknown, keyof F>>(type.tails)
  const sizes = tails.map((tail) => {
    const row = type.fixed.rows.find((p) => p.key === tail.size)
    return row === undefined ? 0 : Number(row.row.as.get(viewOf(bytes), from + row.at))
  })
  const starts = startsOf(sizes).map((at) => from + type.fixed.size + at)
  const found = tails.flatMap((tail, i): readonly StructurePart[] => {
    const [at, size] = [starts[i] ?? 0, sizes[i] ?? 0]
    const own = bytes.subarray(at, at + size)
    return covers(at, size, offset)
      ? [{ part: tail.name, at, size, value: label(own), clause: tail.clause, doc: tail.doc }]
      : []
  })
  const end = from + type.fixed.size + sum(sizes)
  return found.length > 0
    ? found
    : [
        {
          part: 'padding',
          at: end,
          size: toEight(end),
          value: raw(bytes, end, toEight(end)),
          clause,
          doc: 'up to a multiple of 8'
        }
      ]
}

const named = (name: string, parts: readonly StructurePart[]): readonly StructurePart[] =>
  parts.map((p) => ({ ...p, part: `${name}: ${p.part}` }))

const inExtensions = (bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const area = extensionArea.decode(bytes)
  if (E.isLeft(area)) return []
  const sizes = area.right.extensions.map((e) => extension.sizeOf(e))
  const starts = extensionStarts(area.right)
  const i = sizes.findIndex((size, n) => covers(starts[n] ?? 0, size, offset))
  const e = area.right.extensions[i]
  const at = starts[i] ?? 0
  if (e !== undefined)
    return [
      {
        part: extensionNames[e._tag],
        at,
        size: sizes[i] ?? 0,
        value: extension.json.encode(e),
        clause: 'EXT-01',
        doc: offset < at + 8 ? 'type and length of the extension' : 'data of the extension'
      }
    ]
  const end = sum(sizes)
  return offset < end + 8
    ? [{ part: 'end marker', at: end, size: 8, value: raw(bytes, end, 8), clause: 'EXT-02', doc: 'ends the area' }]
    : [
        {
          part: 'unused',
          at: end + 8,
          size: bytes.length - end - 8,
          value: null,
          clause: 'EXT-21',
          doc: 'nothing may be stored here'
        }
      ]
}

const inSnapshots = (m: Metadata, bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const starts = snapshotStarts(m.snapshots)
  const i = starts.findLastIndex((at) => at <= offset)
  return named(`entry ${i}`, inEntry(snapshotEntry, bytes, starts[i] ?? 0, offset, 'SNAP-01'))
}

const inBitmaps = (bytes: Uint8Array, offset: number): readonly StructurePart[] => {
  const entries = bitmapDirectory.decode(bytes)
  if (E.isLeft(entries)) return []
  const starts = startsOf(entries.right.map((b) => bitmapEntry.sizeOf(b)))
  const i = starts.findLastIndex((at) => at <= offset)
  return named(`entry ${i}`, inEntry(bitmapEntry, bytes, starts[i] ?? 0, offset, 'BMP-02'))
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
  return E.isLeft(a)
    ? []
    : [{ part: `entry ${i}`, at: i * size, size, value: type.json.encode(a.right), clause, doc: doc(i) }]
}

const range = (from: number, size: number): string => `${from} to ${from + size - 1}`

const inBlock = (r: Region, g: Geometry, offset: number): readonly StructurePart[] => {
  const width = 2 ** g.refcountOrder
  const first = Math.floor((offset * 8) / width)
  const counts = Array.from({ length: Math.max(1, 8 / width) }, (_, i) => first + i)
  const base = (r.index ?? 0) * blockEntries(g)
  return [
    {
      part: counts.length === 1 ? `refcount ${first}` : `refcounts ${range(first, counts.length)}`,
      at: Math.floor((first * width) / 8),
      size: Math.max(1, width / 8),
      value: counts.map((i) => integerToJson(refcountAt(viewOf(r.bytes), g.refcountOrder, i))),
      clause: 'REF-05',
      doc: `host cluster ${counts.map((i) => base + i).join(', ')}`
    }
  ]
}

/** The parts of a region that cover byte `offset` of it; offsets of the parts count from the region's start. */
export const partsOf = (r: Region, m: Metadata, g: Geometry, offset: number): readonly StructurePart[] => {
  switch (r.structure) {
    case 'header':
      return inHeader(r.bytes, offset)
    case 'header extensions':
      return inExtensions(r.bytes, offset)
    case 'backing file name':
      return [
        {
          part: 'name',
          at: 0,
          size: r.bytes.length,
          value: label(r.bytes),
          clause: 'BACK-01',
          doc: 'not NUL terminated'
        }
      ]
    case 'L1 table':
      return inTable(
        l1Entry,
        8,
        r.bytes,
        offset,
        'L1-01',
        (i) => `guest bytes ${range(i * l1Coverage(g), l1Coverage(g))}`
      )
    case 'L2 table': {
      const start = (r.index ?? 0) * l1Coverage(g)
      const size = clusterSize(g)
      return inTable(
        l2Entry(g),
        l2EntrySize(g),
        r.bytes,
        offset,
        'L2-03',
        (i) => `guest bytes ${range(start + i * size, size)}`
      )
    }
    case 'refcount table':
      return inTable(
        refcountTableEntry,
        8,
        r.bytes,
        offset,
        'REF-04',
        (i) => `host bytes ${range(i * blockCoverage(g), blockCoverage(g))}`
      )
    case 'refcount block':
      return inBlock(r, g, offset)
    case 'snapshot table':
      return inSnapshots(m, r.bytes, offset)
    case 'bitmap directory':
      return inBitmaps(r.bytes, offset)
    case 'bitmap table':
      return inTable(bitmapTableEntry, 8, r.bytes, offset, 'BMP-05', (i) => `cluster ${i} of the bitmap's data`)
    case 'bitmap data': {
      const first = ((r.index ?? 0) * clusterSize(g) + offset) * 8
      const value = Array.from({ length: 8 }, (_, i) => (bitAt(r.bytes, offset * 8 + i) ? 1 : 0))
      return [
        {
          part: `bits ${range(first, 8)}`,
          at: offset,
          size: 1,
          value,
          clause: 'BMP-06',
          doc: 'least significant bit first'
        }
      ]
    }
    case 'encryption area':
      return [
        {
          part: 'bytes',
          at: offset,
          size: 1,
          value: raw(r.bytes, offset, 1),
          clause: 'LUKS-03',
          doc: 'LUKS header and key material, opaque here'
        }
      ]
  }
}
