/** The interfaces of the values of structures, as TypeScript: a field for each row, with the row's prose. */
import type { BitRow } from '../../../src/bytes/bits.js'
import type { Placed } from '../../../src/bytes/struct.js'
import { bitmapTableEntry } from '../../../src/format/bitmap.js'
import { bitmapEntry, bitmapFlags } from '../../../src/format/bitmap-directory.js'
import { compressedBits } from '../../../src/format/compressed.js'
import { extensionRecord } from '../../../src/format/extension.js'
import { bitmapsExtension, encryptionPointer, featureName } from '../../../src/format/extension-payload.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from '../../../src/format/feature.js'
import { additionalFields, headerFields, headerV2 } from '../../../src/format/header.js'
import { l1Entry } from '../../../src/format/l1.js'
import { descriptorBits, standardBits, subclusterBits } from '../../../src/format/l2.js'
import { luksHeader, luksSlot } from '../../../src/format/luks.js'
import { refcountTableEntry } from '../../../src/format/refcount.js'
import { snapshotEntry, snapshotExtra } from '../../../src/format/snapshot.js'
import type { Tailed } from './described.js'

/** A bit field or a structure whose values have an interface. */
interface Interface {
  readonly name: string
  readonly doc: string
  /** Interfaces that it extends. */
  readonly base?: string
  /** What the fields are read from: rows of bytes, rows of bits, strings after the rows. */
  readonly rows?: readonly Placed[]
  /** The byte at which the rows start. */
  readonly from?: number
  readonly optional?: true
  readonly bits?: Readonly<Record<string, BitRow>>
  readonly tails?: Readonly<Record<string, Tailed & { readonly as?: unknown }>>
}

/** The interfaces of fields that are no plain numbers or bytes, by how they are stored. */
const nested: ReadonlyMap<unknown, string> = new Map<unknown, string>([
  [incompatibleFeatures, 'IncompatibleFeatures'],
  [compatibleFeatures, 'CompatibleFeatures'],
  [autoclearFeatures, 'AutoclearFeatures'],
  [bitmapFlags, 'BitmapFlags'],
  [snapshotExtra, 'SnapshotExtra']
])

const without = <R>(rows: Readonly<Record<string, R>>, others: object): Readonly<Record<string, R>> =>
  Object.fromEntries(Object.entries(rows).filter(([key]) => !(key in others)))

const headerValues: readonly Interface[] = [
  { name: 'HeaderV2', doc: 'The fields of a header of either version.', rows: headerV2.rows },
  {
    name: 'IncompatibleFeatures',
    doc: 'Bits that a reader must know.',
    base: 'Bits',
    bits: incompatibleFeatures.rows
  },
  { name: 'CompatibleFeatures', doc: 'Bits that a reader may ignore.', base: 'Bits', bits: compatibleFeatures.rows },
  {
    name: 'AutoclearFeatures',
    doc: 'Bits that a writer must know or clear.',
    base: 'Bits',
    bits: autoclearFeatures.rows
  },
  {
    name: 'HeaderFields',
    doc: 'The fixed fields of a header of version 3.',
    base: 'HeaderV2',
    rows: headerFields.rows.filter(({ key }) => !(key in headerV2.fields))
  },
  {
    name: 'AdditionalFields',
    doc: 'The fields of a header after byte 104, as far as header_length covers them.',
    base: 'Growing',
    rows: additionalFields.rows,
    from: headerFields.size,
    optional: true
  },
  { name: 'ExtensionFields', doc: 'The fields of any header extension.', rows: extensionRecord.fixed.rows },
  {
    name: 'ExtensionRecord',
    doc: 'A header extension before its type is looked at.',
    base: "Omit<ExtensionFields, 'length'>, Padded",
    tails: extensionRecord.tails
  },
  { name: 'FeatureName', doc: 'An entry of the feature name table.', rows: featureName.rows },
  { name: 'BitmapsExtension', doc: 'The payload of the bitmaps extension.', rows: bitmapsExtension.rows },
  {
    name: 'EncryptionPointer',
    doc: 'The payload of the full disk encryption header pointer.',
    rows: encryptionPointer.rows
  },
  { name: 'LuksHeader', doc: 'The fields of a LUKS header before its key slots.', rows: luksHeader.rows },
  { name: 'LuksSlot', doc: 'A key slot of a LUKS header.', rows: luksSlot.rows }
]

const tableValues: readonly Interface[] = [
  { name: 'L1Entry', doc: 'An L1 table entry.', base: 'Bits', bits: l1Entry.leaf.rows },
  {
    name: 'DescriptorBits',
    doc: 'The first 64 bits of an extended L2 entry of a standard cluster.',
    base: 'Bits',
    bits: descriptorBits.rows
  },
  {
    name: 'StandardBits',
    doc: 'An L2 entry of a standard cluster.',
    base: 'DescriptorBits',
    bits: without<BitRow>(standardBits.rows, descriptorBits.rows)
  },
  {
    name: 'CompressedBits',
    doc: 'An L2 entry of a compressed cluster; the bit numbers are those of 64 KiB clusters.',
    base: 'Bits',
    bits: compressedBits(16).rows
  },
  {
    name: 'SubclusterBitmap',
    doc: 'The second 64 bits of an extended L2 entry; bit x of each half is about subcluster x.',
    bits: subclusterBits.rows
  },
  { name: 'RefcountTableEntry', doc: 'A refcount table entry.', base: 'Bits', bits: refcountTableEntry.leaf.rows },
  { name: 'SnapshotFields', doc: 'The first 40 bytes of a snapshot table entry.', rows: snapshotEntry.fixed.rows },
  {
    name: 'SnapshotExtra',
    doc: 'The extra data of a snapshot, as far as its length covers it.',
    base: 'Growing',
    rows: snapshotExtra.rows,
    optional: true
  },
  {
    name: 'SnapshotEntry',
    doc: 'A snapshot table entry.',
    base: "Omit<SnapshotFields, 'idSize' | 'nameSize' | 'extraDataSize'>, Padded",
    tails: snapshotEntry.tails
  },
  { name: 'BitmapFlags', doc: 'The flags of a bitmap.', base: 'Bits', bits: bitmapFlags.rows },
  { name: 'BitmapFields', doc: 'The first 24 bytes of a bitmap directory entry.', rows: bitmapEntry.fixed.rows },
  {
    name: 'BitmapEntry',
    doc: 'A bitmap directory entry.',
    base: "Omit<BitmapFields, 'nameSize' | 'extraDataSize'>, Padded",
    tails: bitmapEntry.tails
  },
  { name: 'BitmapTableEntry', doc: 'A bitmap table entry.', base: 'Bits', bits: bitmapTableEntry.leaf.rows }
]

/** A field: its key, its type, what it is, and the clause that states it. */
interface Field {
  readonly key: string
  readonly type: string
  readonly doc: string
  readonly clause: string
}

const span = (unit: string, from: number, size: number): string =>
  size === 1 ? `${unit} ${from}` : `${unit}s ${from} to ${from + size - 1}`

const typeOfRow = ({ row: { as } }: Placed): string =>
  as.kind === 'bits' ? (nested.get(as) ?? 'unknown') : as.kind === 'octets' ? 'Uint8Array' : as.kind

const bitTypes = { Flag: 'boolean', Count: 'number', Masked: 'bigint' } as const

const fieldsOf = ({ rows = [], from = 0, optional, bits = {}, tails = {} }: Interface): readonly Field[] => [
  ...rows.map((p) => ({
    key: optional === true ? `${p.key}?` : p.key,
    type: typeOfRow(p),
    doc: `\`${p.row.name}\`, ${span('byte', from + p.at, p.row.as.size)}: ${p.row.doc}.`,
    clause: p.row.clause
  })),
  ...Object.entries(bits).map(([key, row]) => ({
    key,
    type: bitTypes[row._tag],
    doc: `\`${row.name}\`, ${span('bit', row.lo, row.hi - row.lo + 1)}: ${row.doc}.`,
    clause: row.clause
  })),
  ...Object.entries(tails).map(([key, tail]) => ({
    key,
    type: nested.get(tail.as) ?? 'Uint8Array',
    doc: `\`${tail.name}\`: ${tail.doc}.`,
    clause: tail.clause
  }))
]

/** A doc comment, on several lines where it is too long for one. */
const comment = ({ doc, clause }: Field): string =>
  doc.length <= 100 ? `  /** ${doc} @see ${clause} */` : `  /**\n   * ${doc}\n   *\n   * @see ${clause}\n   */`

const interfaceText = (i: Interface): string =>
  [
    `/** ${i.doc} */`,
    `export interface ${i.name}${i.base === undefined ? '' : ` extends ${i.base}`} {`,
    ...fieldsOf(i).map((field) => `${comment(field)}\n  readonly ${field.key}: ${field.type}`),
    '}'
  ].join('\n')

/** The interfaces of src/bytes that others extend. */
const bases = { Bits: 'bits', Padded: 'entry', Growing: 'growing' }

const fileText = (title: string, interfaces: readonly Interface[]): string =>
  [
    `/** ${title} Generated from the field tables by \`npm run pages\`. */`,
    ...Object.entries(bases)
      .filter(([name]) => interfaces.some(({ base = '' }) => base.split(', ').includes(name)))
      .map(([name, module]) => `import type { ${name} } from '../bytes/${module}.js'`),
    '',
    interfaces.map(interfaceText).join('\n\n'),
    ''
  ].join('\n')

/** The files of the interfaces, by their paths. */
export const interfaceFiles = (): Readonly<Record<string, string>> => ({
  'src/format/header-values.ts': fileText('The values of the header, its features and its extensions.', headerValues),
  'src/format/table-values.ts': fileText(
    'The values of table entries: L1, L2, refcounts, snapshots, bitmaps.',
    tableValues
  )
})
