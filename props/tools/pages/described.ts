/** The structures: each field table with the rules of its structure, in the order in which the reference lists them. */
import { type BitRow, count } from '../../../src/bytes/bits.js'
import type { FieldRule } from '../../../src/bytes/judgement.js'
import { type Placed, StructType } from '../../../src/bytes/struct.js'
import { bitmapTableEntry, bitmapTableRules, lastBitsRules } from '../../../src/format/bitmap.js'
import {
  bitmapEntry,
  bitmapLoadingRules,
  bitmapNameRules,
  bitmapRules,
  bitmapSavedRules,
  bitmapTotalRules,
  directoryRules
} from '../../../src/format/bitmap-directory.js'
import { compressedBits } from '../../../src/format/compressed.js'
import { areaRules, repeatRules } from '../../../src/format/extension-area.js'
import { featureName } from '../../../src/format/extension-payload.js'
import { headRules } from '../../../src/format/extension-rules.js'
import { extensionRecord, lengthRules } from '../../../src/format/extension.js'
import { headerRules } from '../../../src/format/header-rules.js'
import { additionalFields, headerFields } from '../../../src/format/header.js'
import { offsetBits } from '../../../src/format/geometry.js'
import { l1Entry, l1Rules } from '../../../src/format/l1.js'
import { dataFileRules, l2Rules } from '../../../src/format/l2-rules.js'
import { standardBits, subclusterBits } from '../../../src/format/l2.js'
import { luksHeader, luksHeaderRules, luksSlot, luksSlotRules, luksSlots } from '../../../src/format/luks.js'
import { refcountTableEntry, refcountTableRules } from '../../../src/format/refcount.js'
import {
  snapshotEntry,
  snapshotExtra,
  snapshotFixed,
  snapshotRules,
  snapshotSizeRules,
  snapshotTableRules
} from '../../../src/format/snapshot.js'
import { extensionKinds, extensionTypes } from '../../../src/format/extension-kinds.js'

/** A string after the fields of a table, whose length is in one of them. */
export interface Tailed {
  readonly size: PropertyKey
  readonly name: string
  readonly doc: string
  readonly clause: string
}

/** Rules of any structure. */
export interface Rules {
  readonly rules: readonly FieldRule<never, never>[]
}

/** A word: the rows of its bits, and its size in bytes. */
export interface Word {
  readonly rows: Readonly<Record<string, BitRow>>
  readonly size: number
  /** A bit whose number depends on the image, here that of clusters of 64 KiB and refcounts of 16 bits, which is called x. */
  readonly x?: number
}

/** A structure of the format. Its fields are rows of a table or bits of a word. */
export interface Described {
  readonly title: string
  /** What its tables cannot say. */
  readonly note?: string
  /** Values that a field may have, and what they mean, with the clause that lists them. */
  readonly values?: {
    readonly of: string
    readonly meanings: readonly (readonly [string, string])[]
    readonly clause: string
  }
  /** The rows of its fields, and the bytes before the first one. */
  readonly rows?: readonly Placed[]
  readonly from?: number
  /** The strings after the fields. */
  readonly tails?: Readonly<Record<string, Tailed>>
  /** Its bits, for a structure of one word. */
  readonly bits?: Word
  /** The tables of its rules: those of the fields by themselves, together, and together with other structures. */
  readonly tables: readonly Rules[]
}

/** The number of a header extension, of 32 bits. */
const typeName = (type: number): string => `0x${type.toString(16).padStart(8, '0')}`

const knownExtensions = Object.values(extensionKinds)

/** Every structure of the format. */
export const describedStructures: readonly Described[] = [
  { title: 'header', rows: headerFields.rows, tables: [headerFields, headerRules] },
  {
    title: 'additional header fields',
    rows: additionalFields.rows,
    from: headerFields.size,
    tables: [additionalFields]
  },
  {
    title: extensionRecord.name,
    rows: extensionRecord.fixed.rows,
    tails: extensionRecord.tails,
    values: {
      of: 'Type',
      meanings: [
        [typeName(extensionTypes.end), 'end of the header extension area'],
        ...knownExtensions.map(({ type, title }): [string, string] => [typeName(type), title]),
        ['other', 'unknown: ignored and kept']
      ],
      clause: 'EXT-02'
    },
    tables: [repeatRules]
  },
  ...knownExtensions.map(({ type, title }) => ({
    title: `${title}, extension of type ${typeName(type)}`,
    tables: [lengthRules.get(type) ?? { rules: [] }]
  })),
  { title: 'header extension area', tables: [areaRules] },
  { title: 'header and extensions', tables: [headRules] },
  { title: 'feature name table entry', rows: featureName.rows, tables: [featureName] },
  ...knownExtensions.flatMap(({ payload }) =>
    payload instanceof StructType ? [{ title: payload.name, rows: payload.rows, tables: [payload] }] : []
  ),
  { title: l1Entry.name, bits: l1Entry.leaf, tables: [l1Rules] },
  {
    title: 'L2 entry of a standard cluster',
    note: 'Bit 62 is clear: the cluster is not compressed. Version 2 and extended L2 entries reserve bit 0 too.',
    bits: standardBits,
    tables: []
  },
  {
    title: 'L2 entry of a compressed cluster',
    note: `x is 70 - cluster_bits, ${offsetBits(16)} with clusters of 64 KiB. The payload has at most (additional_sectors + 1) * 512 - (host_offset & 511) bytes.`,
    bits: { ...compressedBits(16), x: offsetBits(16) },
    tables: []
  },
  {
    title: subclusterBits.name,
    note: 'With extended L2 entries an entry is 16 bytes, and this word is its bytes 8 to 15. Bit x of each half is about subcluster x.',
    bits: subclusterBits,
    tables: []
  },
  { title: 'L2 entry', tables: [l2Rules, dataFileRules] },
  { title: refcountTableEntry.name, bits: refcountTableEntry.leaf, tables: [refcountTableRules] },
  {
    title: 'refcount block entry',
    note: 'A refcount block is one cluster of entries of x = 1 << refcount_order bits. Entry i of fewer than 8 bits is in byte i * x / 8 from bit i * x % 8 on.',
    bits: {
      rows: { refcount: count(0, 15, 'refcount', 'REF-05', 'references to the host cluster; 0: free') },
      size: 2,
      x: 16
    },
    tables: []
  },
  {
    title: snapshotEntry.name,
    rows: snapshotEntry.fixed.rows,
    tails: snapshotEntry.tails,
    tables: [snapshotRules, snapshotSizeRules]
  },
  {
    title: 'extra data of a snapshot',
    note: `The offsets count from the extra data. The format's text counts from the entry, whose extra data starts at byte ${snapshotFixed.size}: ${snapshotFixed.size} to ${snapshotFixed.size + Math.max(...snapshotExtra.rows.map(({ at, row }) => at + row.as.size)) - 1}.`,
    rows: snapshotExtra.rows,
    tables: [snapshotExtra]
  },
  { title: 'snapshot table', tables: [snapshotTableRules] },
  { title: 'bitmap directory', tables: [directoryRules] },
  {
    title: bitmapEntry.name,
    rows: bitmapEntry.fixed.rows,
    tails: bitmapEntry.tails,
    tables: [bitmapRules, bitmapNameRules, bitmapSavedRules, bitmapLoadingRules, bitmapTotalRules]
  },
  { title: bitmapTableEntry.name, bits: bitmapTableEntry.leaf, tables: [bitmapTableRules] },
  {
    title: 'bitmap data',
    note: 'Guest byte g belongs to bit b = g >> granularity_bits, which is bit b & 7 of byte b >> 3 of the bitmap data. Byte n of the bitmap data is byte n % cluster_size of the cluster of table entry n / cluster_size.',
    tables: [lastBitsRules]
  },
  { title: luksHeader.name, rows: luksHeader.rows, tables: [luksHeaderRules] },
  {
    title: luksSlot.name,
    note: `${luksSlots} slots of ${luksSlot.size} bytes follow the header, from byte ${luksHeader.size} on.`,
    rows: luksSlot.rows,
    tables: [luksSlotRules]
  }
]
