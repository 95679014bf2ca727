/** The types of the Kaitai Struct description: one for each structure, from its field table. */
import { compressedBits } from '../../../src/format/compressed.js'
import { bitmapTableEntry } from '../../../src/format/bitmap.js'
import { bitmapEntry } from '../../../src/format/bitmap-directory.js'
import { extensionKinds, extensionTypes } from '../../../src/format/extension-kinds.js'
import { bitmapsExtension, encryptionPointer, featureName } from '../../../src/format/extension-payload.js'
import { extensionRecord } from '../../../src/format/extension.js'
import { offsetBits } from '../../../src/format/geometry.js'
import { additionalFields, headerFields, headerV2, magic } from '../../../src/format/header.js'
import { l1Entry } from '../../../src/format/l1.js'
import { standardBits, subclusterBits } from '../../../src/format/l2.js'
import { refcountTableEntry } from '../../../src/format/refcount.js'
import { snapshotEntry, snapshotExtra } from '../../../src/format/snapshot.js'
import type { GrowingType } from '../../../src/bytes/growing.js'
import type { Placed } from '../../../src/bytes/struct.js'
import type { Tailed } from '../pages/described.js'
import { maxRefcountOrder } from '../../../src/format/limits.js'
import {
  type Attribute,
  conditional,
  docOf,
  type KsyType,
  rowAttributes,
  tailAttribute,
  typeName,
  wordType,
  wordTypes
} from './attributes.js'

/** Bytes up to a multiple of 8 after strings of these lengths; the fields before them fill whole words. */
const padding = (lengths: string) => ({ id: 'padding', size: `(8 - ((${lengths}) & 7)) & 7` })

/** The attributes of a structure whose rows are present as far as its length covers them. */
const growingAttributes = ({ rows }: Pick<GrowingType<never>, 'rows'>): readonly Attribute[] => [
  ...rowAttributes(rows).map((attribute, i) => {
    const { at = 0, row } = rows[i] ?? {}
    return conditional(`_io.size >= ${at + (row?.as.size ?? 0)}`, attribute)
  }),
  { id: 'unknown', 'size-eos': true, doc: 'Fields of later versions of the format' }
]

const magicBytes = [24, 16, 8, 0].map((shift) => (magic >>> shift) & 0xff)

/** A list of entries at a host offset, where there is one. */
const tableAt = (offset: string, type: string, entries: string, more: Attribute = {}): Attribute => ({
  io: '_root._io',
  pos: offset,
  type,
  repeat: 'expr',
  'repeat-expr': entries,
  if: `${offset} != 0`,
  ...more
})

const headerType: KsyType = {
  seq: [
    ...rowAttributes(headerFields.rows, { magic: { contents: magicBytes } }).map((attribute, i) =>
      i < headerV2.rows.length ? attribute : conditional('version >= 3', attribute)
    ),
    {
      id: 'additional_fields',
      type: 'additional_fields',
      size: `header_length - ${headerFields.size}`,
      if: `version >= 3 and header_length > ${headerFields.size} and header_length <= cluster_size`
    }
  ],
  instances: {
    cluster_size: { value: '1 << cluster_bits', doc: 'Bytes of a cluster' },
    length: { value: `version >= 3 ? header_length : ${headerV2.size}`, doc: 'Bytes of the header' },
    refcount_bits: { value: 'version >= 3 ? 1 << refcount_order : 16', doc: 'Bits of a refcount' },
    is_extended_l2: {
      value: 'version >= 3 ? incompatible_features.extended_l2 : false',
      doc: 'Whether an L2 entry has 16 bytes'
    },
    l2_entry_size: { value: 'is_extended_l2 ? 16 : 8', doc: 'Bytes of an L2 entry' }
  }
}

/** The kinds of header extensions by the names of their types. */
const kinds = Object.values(extensionKinds).map((kind) => ({ ...kind, id: typeName(kind.title) }))

/** The types of header extensions, as members of an enum. */
export const extensionEnum = Object.fromEntries([
  [extensionTypes.end, 'end'],
  ...kinds.map(({ type, id }): [string, string] => [`0x${type.toString(16).padStart(8, '0')}`, id])
])

const payloadTypes: Readonly<Record<string, KsyType>> = {
  [typeName(extensionKinds.Encryption.title)]: { seq: rowAttributes(encryptionPointer.rows) },
  [typeName(extensionKinds.FeatureNames.title)]: {
    seq: [{ id: 'names', type: 'feature_name', repeat: 'expr', 'repeat-expr': `_io.size / ${featureName.size}` }]
  },
  [typeName(extensionKinds.Bitmaps.title)]: {
    seq: rowAttributes(bitmapsExtension.rows),
    instances: {
      directory: {
        io: '_root._io',
        pos: 'bitmap_directory_offset',
        size: 'bitmap_directory_size',
        type: 'bitmap_directory'
      }
    }
  }
}

const extensionType: KsyType = {
  seq: [
    ...rowAttributes(extensionRecord.fixed.rows, { type: { type: 'u4', enum: 'extension_type' } }),
    {
      ...tailAttribute(extensionRecord.fixed.rows, extensionRecord.tails.data),
      type: {
        'switch-on': 'type',
        cases: Object.fromEntries(
          kinds.filter(({ id }) => id in payloadTypes).map(({ id }) => [`extension_type::${id}`, id])
        )
      }
    },
    // The area may end before the padding of its last extension does.
    { id: 'padding', size: '_io.size - _io.pos < to_eight ? _io.size - _io.pos : to_eight' }
  ],
  instances: { to_eight: { value: padding('length').size, doc: 'Bytes up to a multiple of 8' } }
}

const x = `${offsetBits(0)} - _root.header.cluster_bits`
const payload = { ...compressedBits(16).rows }

/** Where the number of sectors begins depends on the size of a cluster, and it lies in the high half. */
const compressedType: KsyType = {
  doc: docOf(`the host offset has x = ${offsetBits(0)} - cluster_bits bits, the number of sectors the others`),
  seq: [
    ...wordType({ rows: { copied: payload.copied, compressed: payload.compressed }, size: 8 }).seq.slice(0, 2),
    { id: 'payload_high', type: 'b30', doc: 'Bits 32 to 61' },
    { id: 'payload_low', type: 'b32', doc: 'Bits 0 to 31' }
  ],
  instances: {
    high_bits: { value: `${x} - 32`, doc: 'Bits of the host offset in payload_high' },
    host_offset: {
      value: `((payload_high & ((1 << high_bits) - 1)) * ${2 ** 32} + payload_low).as<u8>`,
      doc: docOf(payload.hostOffset.doc),
      '-clause': payload.hostOffset.clause
    },
    additional_sectors: {
      value: 'payload_high >> high_bits',
      doc: docOf(payload.additionalSectors.doc),
      '-clause': payload.additionalSectors.clause
    }
  }
}

const refcountTypes: Readonly<Record<string, KsyType>> = Object.fromEntries(
  Array.from({ length: maxRefcountOrder + 1 }, (_, order) => {
    const bits = 2 ** order
    const type = bits < 8 ? `b${bits}le` : `u${bits / 8}`
    return [`refcounts_${bits}_bit`, { seq: [{ id: 'refcounts', type, repeat: 'eos' }] }]
  })
)

const refcountCases = Object.fromEntries(Object.keys(refcountTypes).map((type, order) => [String(2 ** order), type]))

/** An entry with strings after its fields. */
interface Strings {
  readonly fixed: { readonly rows: readonly Placed[] }
  readonly tails: Readonly<Record<string, Tailed>>
}

const tails = ({ fixed, tails: all }: Strings) => Object.values(all).map((tail) => tailAttribute(fixed.rows, tail))

/** Every type by its name, in the order of the structures in a file. */
export const types = (): Readonly<Record<string, KsyType>> => ({
  header: headerType,
  ...wordTypes(headerFields.rows),
  additional_fields: { seq: growingAttributes(additionalFields) },
  extension_area: {
    seq: [
      {
        id: 'extensions',
        type: 'extension',
        repeat: 'until',
        'repeat-until': '_.type == extension_type::end or _io.eof'
      }
    ]
  },
  extension: extensionType,
  ...payloadTypes,
  feature_name: { seq: rowAttributes(featureName.rows) },
  refcount_table_entry: {
    ...wordType(refcountTableEntry.leaf),
    instances: {
      ...wordType(refcountTableEntry.leaf).instances,
      block: {
        io: '_root._io',
        pos: 'refcount_block_offset',
        size: '_root.header.cluster_size',
        type: { 'switch-on': '_root.header.refcount_bits', cases: refcountCases },
        if: 'refcount_block_offset != 0'
      }
    }
  },
  ...refcountTypes,
  l1_table_entry: {
    ...wordType(l1Entry.leaf),
    instances: {
      ...wordType(l1Entry.leaf).instances,
      l2_table: tableAt('l2_table_offset', 'l2_entry', '_root.header.cluster_size / _root.header.l2_entry_size', {
        size: '_root.header.l2_entry_size'
      })
    }
  },
  l2_entry: {
    doc: docOf('a cluster of the guest disk: standard, unless its compressed flag is set'),
    seq: [],
    instances: {
      is_compressed: { value: 'compressed.compressed' },
      standard: { pos: 0, type: 'standard_cluster', doc: 'To be used unless is_compressed' },
      compressed: { pos: 0, type: 'compressed_cluster', doc: 'To be used if is_compressed' },
      subclusters: { pos: 8, type: 'subcluster_bitmap', if: '_root.header.is_extended_l2' }
    }
  },
  standard_cluster: wordType(standardBits),
  compressed_cluster: compressedType,
  subcluster_bitmap: wordType(subclusterBits, 'bit x of each half is about subcluster x'),
  snapshot: {
    params: [{ id: 'is_last', type: 'bool', doc: 'The last entry of the table is not padded' }],
    seq: [
      ...rowAttributes(snapshotEntry.fixed.rows),
      ...tails(snapshotEntry).map((tail) =>
        tail['id'] === 'extra_data' ? { ...tail, type: 'snapshot_extra_data' } : tail
      ),
      conditional('not is_last', padding('extra_data_size + id_str_size + name_size'))
    ],
    instances: { l1_table: tableAt('l1_table_offset', 'l1_table_entry', 'l1_size') }
  },
  snapshot_extra_data: { seq: growingAttributes(snapshotExtra) },
  bitmap_directory: { seq: [{ id: 'bitmaps', type: 'bitmap', repeat: 'eos' }] },
  bitmap: {
    seq: [...rowAttributes(bitmapEntry.fixed.rows), ...tails(bitmapEntry), padding('extra_data_size + name_size')],
    instances: { table: tableAt('bitmap_table_offset', 'bitmap_table_entry', 'bitmap_table_size') }
  },
  ...wordTypes(bitmapEntry.fixed.rows),
  bitmap_table_entry: {
    ...wordType(bitmapTableEntry.leaf),
    instances: {
      ...wordType(bitmapTableEntry.leaf).instances,
      bits: {
        io: '_root._io',
        pos: 'cluster_offset',
        size: '_root.header.cluster_size',
        if: 'cluster_offset != 0',
        doc: 'Bit i & 7 of byte i >> 3 is bit i of this part of the bitmap'
      }
    }
  }
})
