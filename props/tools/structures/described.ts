/** The structures: each field table with the rules of its structure, in the order in which the reference lists them. */
import type { BitRow } from '../../../src/bytes/bits.js'
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
import { l1Entry, l1Rules } from '../../../src/format/l1.js'
import { dataFileRules, l2Rules } from '../../../src/format/l2-rules.js'
import { standardBits, subclusterBits } from '../../../src/format/l2.js'
import { luksHeader, luksSlot } from '../../../src/format/luks.js'
import { refcountTableEntry, refcountTableRules } from '../../../src/format/refcount.js'
import {
  snapshotEntry,
  snapshotExtra,
  snapshotRules,
  snapshotSizeRules,
  snapshotTableRules
} from '../../../src/format/snapshot.js'
import { hex } from '../../../src/bytes/octets.js'
import { extensionKinds } from '../../../src/format/extension-kinds.js'

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

/** A structure of the format. Its fields are rows of a table or bits of a word. */
export interface Described {
  readonly title: string
  /** The rows of its fields, and the bytes before the first one. */
  readonly rows?: readonly Placed[]
  readonly from?: number
  /** The strings after the fields. */
  readonly tails?: Readonly<Record<string, Tailed>>
  /** The rows of its bits, for a structure of one word. */
  readonly bits?: Readonly<Record<string, BitRow>>
  /** The tables of its rules: those of the fields by themselves, together, and together with other structures. */
  readonly tables: readonly Rules[]
}

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
    tables: [repeatRules]
  },
  ...knownExtensions.map(({ type, title }) => ({
    title: `${title}, extension of type ${hex(type)}`,
    tables: [lengthRules.get(type) ?? { rules: [] }]
  })),
  { title: 'header extension area', tables: [areaRules] },
  { title: 'header and extensions', tables: [headRules] },
  { title: 'feature name table entry', rows: featureName.rows, tables: [featureName] },
  ...knownExtensions.flatMap(({ payload }) =>
    payload instanceof StructType ? [{ title: payload.name, rows: payload.rows, tables: [payload] }] : []
  ),
  { title: l1Entry.name, bits: l1Entry.leaf.rows, tables: [l1Rules] },
  { title: 'L2 entry of a standard cluster', bits: standardBits.rows, tables: [] },
  { title: 'L2 entry of a compressed cluster, 64 KiB clusters', bits: compressedBits(16).rows, tables: [] },
  { title: subclusterBits.name, bits: subclusterBits.rows, tables: [] },
  { title: 'L2 entry', tables: [l2Rules, dataFileRules] },
  { title: refcountTableEntry.name, bits: refcountTableEntry.leaf.rows, tables: [refcountTableRules] },
  {
    title: snapshotEntry.name,
    rows: snapshotEntry.fixed.rows,
    tails: snapshotEntry.tails,
    tables: [snapshotRules, snapshotSizeRules]
  },
  { title: 'extra data of a snapshot', rows: snapshotExtra.rows, tables: [snapshotExtra] },
  { title: 'snapshot table', tables: [snapshotTableRules] },
  { title: 'bitmap directory', tables: [directoryRules] },
  {
    title: bitmapEntry.name,
    rows: bitmapEntry.fixed.rows,
    tails: bitmapEntry.tails,
    tables: [bitmapRules, bitmapNameRules, bitmapSavedRules, bitmapLoadingRules, bitmapTotalRules]
  },
  { title: bitmapTableEntry.name, bits: bitmapTableEntry.leaf.rows, tables: [bitmapTableRules] },
  { title: 'bitmap data', tables: [lastBitsRules] },
  { title: luksHeader.name, rows: luksHeader.rows, tables: [luksHeader] },
  { title: luksSlot.name, rows: luksSlot.rows, tables: [luksSlot] }
]
