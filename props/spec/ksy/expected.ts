/** What the parser of a .ksy file has to find in an image, by our codecs. */
import * as E from 'fp-ts/lib/Either.js'
import type { Bits, BitsLeaf } from '../../../src/bytes/bits.js'
import { isObject } from '../../../src/bytes/json.js'
import { part, toHex, viewOf } from '../../../src/bytes/octets.js'
import type { Placed } from '../../../src/bytes/struct.js'
import { bitmapEntry, bitmapDirectory } from '../../../src/format/bitmap-directory.js'
import { bitmapTableEntry } from '../../../src/format/bitmap.js'
import { compressedBits } from '../../../src/format/compressed.js'
import { extensionTypes } from '../../../src/format/extension-kinds.js'
import { extensionArea, extensionRange } from '../../../src/format/extension-area.js'
import { bitmapsExtension, encryptionPointer, featureName } from '../../../src/format/extension-payload.js'
import { type Extension, typeOf } from '../../../src/format/extension.js'
import { clusterSize, geometry, type Geometry, l2EntrySize } from '../../../src/format/geometry.js'
import { additionalFields, type Header, header, headerFields, headerV2 } from '../../../src/format/header.js'
import { l1Entry } from '../../../src/format/l1.js'
import { standardBits, subclusterBits } from '../../../src/format/l2.js'
import { refcountAt, refcountTableEntry } from '../../../src/format/refcount.js'
import { snapshotEntry, snapshotExtra, snapshotTable } from '../../../src/format/snapshot.js'

/** Where a value is in what the parser returns: names of fields, and indexes of lists. */
export type Path = readonly (string | number)[]

/** A value and its place: a number in decimal, bytes in hexadecimal, or a truth value. */
export interface Expected {
  readonly path: Path
  readonly value: string
}

/** As much of a bit field as is compared. */
type Word = Pick<BitsLeaf<never>, 'jsonRows' | 'size' | 'reservedMask'> & { get(view: DataView, at: number): Bits }

const isWord = (u: unknown): u is Word => isObject(u) && u['kind'] === 'bits'

const isReserving = (u: unknown): u is Bits => isObject(u) && typeof u['reserved'] === 'bigint'

const text = (value: unknown): string => (value instanceof Uint8Array ? toHex(value) : String(value))

/** The lowest and highest bits of the runs of a mask, none of which is in both halves of the word. */
const runs = (mask: bigint): readonly (readonly [lo: number, hi: number])[] => {
  const has = (bit: number): boolean => ((mask >> BigInt(bit)) & 1n) === 1n
  const bits = Array.from({ length: 64 }, (_, bit) => bit).filter(has)
  const starts = bits.filter((bit) => bit === 32 || !has(bit - 1))
  const ends = bits.filter((bit) => bit === 31 || !has(bit + 1))
  return starts.map((lo, i) => [lo, ends[i] ?? lo])
}

/** The bits of a word: each row, and each run of reserved bits. */
const wordValues = (path: Path, word: Word, value: Bits): readonly Expected[] => [
  ...word.jsonRows
    .filter(({ key }) => key !== 'reserved')
    .map(({ key, name }) => ({ path: [...path, name], value: text(Reflect.get(value, key)) })),
  ...runs(word.reservedMask).map(([lo, hi]) => ({
    path: [...path, `reserved_${lo}_${hi}`],
    value: String(BigInt.asUintN(hi - lo + 1, value.reserved >> BigInt(lo)))
  }))
]

const wordAt = (path: Path, word: Word, bytes: Uint8Array): readonly Expected[] =>
  wordValues(path, word, word.get(viewOf(bytes), 0))

/** The fields of a table that the value has. */
const rowValues = (path: Path, rows: readonly Placed[], value: object): readonly Expected[] =>
  rows.flatMap(({ key, row }) => {
    const field: unknown = Reflect.get(value, key)
    if (field === undefined || row.name === 'magic') return []
    return isWord(row.as) && isReserving(field)
      ? wordValues([...path, row.name], row.as, field)
      : [{ path: [...path, row.name], value: text(field) }]
  })

const headerValues = (h: Header): readonly Expected[] => [
  ...rowValues(['header'], h.version === 2 ? headerV2.rows : headerFields.rows, h),
  ...rowValues(['header', 'additional_fields'], additionalFields.rows, h.additional)
]

/** Entries at most that are compared in a table: the first and the last, and of those that are not zero the first ones. */
const most = 40

const chosen = (bytes: Uint8Array, size: number): readonly number[] => {
  const n = Math.floor(bytes.length / size)
  const set: number[] = []
  for (let at = 0; at < n * size && set.length < most; at += size)
    for (let i = at; i < at + size; i++)
      if (bytes[i] !== 0) {
        set.push(at / size)
        break
      }
  return n === 0 ? [] : [...new Set([0, n - 1, ...set])]
}

/** A part of the file at an offset other than 0, if it lies within the file. */
const within = (file: Uint8Array, at: bigint, length: number): Uint8Array | undefined =>
  at !== 0n && at + BigInt(length) <= BigInt(file.length) ? part(file, Number(at), length) : undefined

const tableValues = (
  path: Path,
  bytes: Uint8Array | undefined,
  size: number,
  values: (path: Path, entry: Uint8Array) => readonly Expected[]
): readonly Expected[] =>
  bytes === undefined
    ? []
    : chosen(bytes, size).flatMap((i) => values([...path, i], bytes.subarray(i * size, (i + 1) * size)))

const l2Values =
  (g: Geometry) =>
  (path: Path, entry: Uint8Array): readonly Expected[] => {
    const bits = compressedBits(g.clusterBits)
    const { compressed } = bits.get(viewOf(entry), 0)
    // Bit 0, which is reserved in an extended entry, has the name that it has in others.
    const standard = wordAt([...path, 'standard'], standardBits, entry)
    return [
      { path: [...path, 'is_compressed'], value: String(compressed) },
      ...(compressed ? wordAt([...path, 'compressed'], bits, entry) : standard),
      ...(g.extendedL2 ? wordAt([...path, 'subclusters'], subclusterBits, entry.subarray(8)) : [])
    ]
  }

const l1Values = (file: Uint8Array, g: Geometry, path: Path, bytes: Uint8Array | undefined): readonly Expected[] =>
  tableValues(path, bytes, 8, (at, entry) => {
    const { l2TableOffset: offset } = l1Entry.leaf.get(viewOf(entry), 0)
    const table = within(file, offset, clusterSize(g))
    return [...wordAt(at, l1Entry.leaf, entry), ...tableValues([...at, 'l2_table'], table, l2EntrySize(g), l2Values(g))]
  })

const refcountValues = (file: Uint8Array, h: Header, g: Geometry): readonly Expected[] => {
  const table = within(file, h.refcountTableOffset, h.refcountTableClusters * clusterSize(g))
  return tableValues(['refcount_table'], table, 8, (at, entry) => {
    const { refcountBlockOffset: offset } = refcountTableEntry.leaf.get(viewOf(entry), 0)
    const block = within(file, offset, clusterSize(g))
    const entries = (clusterSize(g) * 8) >> g.refcountOrder
    const counts = block === undefined ? [] : [...Array(Math.min(most, entries)).keys(), entries - 1]
    // A field of one bit is a truth value.
    const count = (refcount: bigint): string => String(g.refcountOrder === 0 ? refcount === 1n : refcount)
    return [
      ...wordAt(at, refcountTableEntry.leaf, entry),
      ...counts.map((i) => ({
        path: [...at, 'block', 'refcounts', i],
        value: count(refcountAt(viewOf(block ?? new Uint8Array()), g.refcountOrder, i))
      }))
    ]
  })
}

const snapshotValues = (file: Uint8Array, h: Header, g: Geometry): readonly Expected[] => {
  const bytes = within(file, h.snapshotsOffset, 0)
  const table = snapshotTable(Math.min(h.nbSnapshots, most)).decode(file.subarray(Number(h.snapshotsOffset)))
  if (bytes === undefined || E.isLeft(table)) return []
  return table.right.flatMap((s, i) => [
    ...rowValues(['snapshots', i], snapshotEntry.fixed.rows, s),
    ...rowValues(['snapshots', i, 'extra_data'], snapshotExtra.rows, s.extra),
    { path: ['snapshots', i, 'id_str'], value: toHex(s.id) },
    { path: ['snapshots', i, 'name'], value: toHex(s.name) },
    ...l1Values(file, g, ['snapshots', i, 'l1_table'], within(file, s.l1TableOffset, 8 * s.l1Size))
  ])
}

const extensionValues = (file: Uint8Array, h: Header, g: Geometry): readonly Expected[] => {
  const { from, to } = extensionRange(h, g)
  const area = extensionArea.decode(file.subarray(from, to))
  // The parser stops at a known extension of another length, which our codec keeps as bytes.
  const isCut = (e: Extension): boolean => e._tag === 'Other' && Object.values(extensionTypes).includes(e.type)
  if (E.isLeft(area) || area.right.extensions.some(isCut)) return []
  return area.right.extensions.flatMap((e, i) => {
    const path = ['extension_area', 'extensions', i]
    const data = [...path, 'data']
    const head = { path: [...path, 'type'], value: String(typeOf(e)) }
    switch (e._tag) {
      case 'Encryption':
        return [head, ...rowValues(data, encryptionPointer.rows, e.data)]
      case 'FeatureNames':
        return [head, ...e.data.names.flatMap((name, n) => rowValues([...data, 'names', n], featureName.rows, name))]
      case 'Bitmaps': {
        const { bitmapDirectoryOffset: at, bitmapDirectorySize: size } = e.data
        const directory = within(file, at, Number(size))
        const bitmaps = directory === undefined ? undefined : bitmapDirectory.decode(directory)
        return [
          head,
          ...rowValues(data, bitmapsExtension.rows, e.data),
          ...(bitmaps === undefined || E.isLeft(bitmaps) ? [] : bitmaps.right).flatMap((b, n) => {
            const own = [...data, 'directory', 'bitmaps', n]
            const table = within(file, b.bitmapTableOffset, 8 * b.bitmapTableSize)
            return [
              ...rowValues(own, bitmapEntry.fixed.rows, b),
              { path: [...own, 'name'], value: toHex(b.name) },
              ...tableValues([...own, 'table'], table, 8, (slot, entry) => wordAt(slot, bitmapTableEntry.leaf, entry))
            ]
          })
        ]
      }
      default:
        return [head, { path: data, value: toHex(e.data) }]
    }
  })
}

/** Every value of an image, as far as its structures decode and lie within the file; none where its header does not. */
export const expectedOf = (file: Uint8Array): readonly Expected[] => {
  const decoded = header.decode(file)
  const g = E.isRight(decoded) ? geometry(decoded.right) : undefined
  if (E.isLeft(decoded) || g === undefined || file.length < clusterSize(g)) return []
  const h = decoded.right
  return [
    ...headerValues(h),
    ...extensionValues(file, h, g),
    ...l1Values(file, g, ['l1_table'], within(file, h.l1TableOffset, 8 * h.l1Size)),
    ...refcountValues(file, h, g),
    ...snapshotValues(file, h, g)
  ]
}
