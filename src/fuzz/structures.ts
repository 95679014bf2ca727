/** The fields of each structure that an image is made of. */
import { empty } from '../bytes/octets.js'
import { u32 } from '../bytes/leaf.js'
import { bitmapDirectory, bitmapEntry, type BitmapEntry } from '../format/bitmap-directory.js'
import { bitmapTableEntry } from '../format/bitmap.js'
import { compressedBits } from '../format/compressed.js'
import { type ExtensionArea, extensionArea } from '../format/extension-area.js'
import {
  bitmapsExtension,
  encryptionPointer,
  type FeatureNames,
  featureName,
  featureNames
} from '../format/extension-payload.js'
import { type Extension, extension, extensionRecord } from '../format/extension.js'
import { additionalFields, type Header, header, headerFields as headerTable, headerV2 } from '../format/header.js'
import { l1Entry } from '../format/l1.js'
import { l2Entry } from '../format/l2-entry.js'
import { type L2Context, type L2Entry, standardBits } from '../format/l2.js'
import { luksHeader, luksSlot } from '../format/luks.js'
import { refcountTableEntry } from '../format/refcount.js'
import { snapshotEntry, type SnapshotEntry, snapshotTable } from '../format/snapshot.js'
import {
  entryFields,
  type Field,
  type Fielded,
  fieldOf,
  fieldsInRow,
  fixedFields,
  growingFields,
  moved,
  wordFields
} from './field.js'

/** A header. */
export const headerFields: Fielded<Header> = {
  type: header,
  fields: (h) =>
    h.version === 2
      ? headerV2.rows.map(fieldOf)
      : [
          ...headerTable.rows.map(fieldOf),
          ...moved(growingFields(additionalFields, additionalFields.sizeOf(h.additional)), headerTable.size)
        ]
}

const [nameFields, bitmapsFields, pointerFields] = [
  fixedFields(featureName),
  fixedFields(bitmapsExtension),
  fixedFields(encryptionPointer)
] as const

/** A feature name table. */
export const featureNamesFields: Fielded<FeatureNames> = {
  type: featureNames,
  fields: (a) => fieldsInRow(nameFields, a.names)
}

const payloadFields = (e: Extension): readonly Field[] => {
  switch (e._tag) {
    case 'FeatureNames':
      return featureNamesFields.fields(e.data)
    case 'Bitmaps':
      return bitmapsFields.fields(e.data)
    case 'Encryption':
      return pointerFields.fields(e.data)
    case 'BackingFormat':
    case 'DataFile':
    case 'Other':
      return []
  }
}

const head = extensionRecord.fixed

/** A header extension. */
export const extensionFields: Fielded<Extension> = {
  type: extension,
  fields: (e) => [...head.rows.map(fieldOf), ...moved(payloadFields(e), head.size)]
}

/** An area of header extensions, its end marker included. */
export const areaFields: Fielded<ExtensionArea> = {
  type: extensionArea,
  fields: (a) => {
    const end = extensionArea.sizeOf({ extensions: a.extensions, rest: empty })
    return [
      ...fieldsInRow(extensionFields, a.extensions),
      ...(a.end === undefined ? [] : moved(head.rows.map(fieldOf), end))
    ]
  }
}

/** LUKS headers without their key slots, and key slots. */
export const luksFields = { header: fixedFields(luksHeader), slot: fixedFields(luksSlot) }

/** Entries of the tables of one word each. */
export const l1Fields = wordFields(l1Entry, 'L1-01')
export const refcountTableFields = wordFields(refcountTableEntry, 'REF-04')
export const bitmapTableFields = wordFields(bitmapTableEntry, 'BMP-05')

/** The fields of an L2 entry: the descriptor, cut as its kind says, and the two halves of the bitmap. */
export const l2EntryFields = ({ clusterBits, extendedL2 }: L2Context, isCompressed: boolean): readonly Field[] => [
  isCompressed
    ? { name: 'L2 entry', at: 0, leaf: compressedBits(clusterBits), rules: [], clause: 'CMP-01' }
    : { name: 'L2 entry', at: 0, leaf: standardBits, rules: [], clause: 'L2-02' },
  ...(extendedL2 ? ['zeros', 'allocated'] : []).map((name, i): Field => ({
    name,
    at: 8 + 4 * i,
    leaf: u32,
    rules: [],
    clause: 'SUB-02'
  }))
]

/** L2 entries. */
export const l2FieldsOf = (ctx: L2Context): Fielded<L2Entry> => ({
  type: l2Entry(ctx),
  fields: (e) => l2EntryFields(ctx, e._tag === 'Compressed')
})

const snapshotFields = entryFields(snapshotEntry)

/** Snapshot tables of `n` entries. */
export const snapshotTableFieldsOf = (n: number): Fielded<readonly SnapshotEntry[]> => ({
  type: snapshotTable(n),
  fields: (a) => fieldsInRow(snapshotFields, a)
})

const bitmapFields = entryFields(bitmapEntry)

/** Bitmap directories. */
export const bitmapDirectoryFields: Fielded<readonly BitmapEntry[]> = {
  type: bitmapDirectory,
  fields: (a) => fieldsInRow(bitmapFields, a)
}
