/** Golden bytes of headers and of their extensions. */
import { fresh } from '../../corpus/recipe.js'
import type { Json } from '../../src/bytes/json.js'
import { bitmaps, features, type Golden, luks, overlay, overlayV2 } from './golden-recipe.js'

const noFeatures: Json = {
  dirty: false,
  corrupt: false,
  external_data_file: false,
  compression_type: false,
  extended_l2: false
}

/** Headers. */
export const headers: readonly Golden[] = [
  {
    structure: 'header',
    title: 'version 3',
    recipe: [fresh('1M', 'cluster_size=4k')],
    at: 0,
    bytes: '514649fb00000003 00*15 0c 00*5 10 00*9 01 00*6 30 00*7 10 00*4 01 00*39 0400000070 00*8',
    json: {
      magic: 0x514649fb,
      version: 3,
      backing_file_offset: 0,
      backing_file_size: 0,
      cluster_bits: 12,
      size: 1048576,
      crypt_method: 0,
      l1_size: 1,
      l1_table_offset: 12288,
      refcount_table_offset: 4096,
      refcount_table_clusters: 1,
      nb_snapshots: 0,
      snapshots_offset: 0,
      incompatible_features: noFeatures,
      compatible_features: { lazy_refcounts: false },
      autoclear_features: { bitmaps: false, raw_external_data: false },
      refcount_order: 4,
      header_length: 112,
      additional_fields: { compression_type: 0, padding: { zeros: 7 } }
    }
  },
  {
    structure: 'header',
    title: 'version 2 ends at byte 72',
    recipe: [fresh('1M', 'compat=0.10,cluster_size=4k')],
    at: 0,
    bytes: '514649fb00000002 00*15 0c 00*5 10 00*9 01 00*6 30 00*7 10 00*4 01 00*12',
    json: {
      magic: 0x514649fb,
      version: 2,
      backing_file_offset: 0,
      backing_file_size: 0,
      cluster_bits: 12,
      size: 1048576,
      crypt_method: 0,
      l1_size: 1,
      l1_table_offset: 12288,
      refcount_table_offset: 4096,
      refcount_table_clusters: 1,
      nb_snapshots: 0,
      snapshots_offset: 0
    }
  },
  {
    structure: 'header',
    title: 'every feature bit that creation sets',
    recipe: features,
    at: 0,
    bytes:
      '514649fb00000003 00*15 0e 00*5 10 00*9 01 00*6 c0 00*7 40 00*4 01 00*19 1c 00*7 01 00*7 02 ' +
      '00000006 00000070 01 00*7',
    json: {
      magic: 0x514649fb,
      version: 3,
      backing_file_offset: 0,
      backing_file_size: 0,
      cluster_bits: 14,
      size: 1048576,
      crypt_method: 0,
      l1_size: 1,
      l1_table_offset: 49152,
      refcount_table_offset: 16384,
      refcount_table_clusters: 1,
      nb_snapshots: 0,
      snapshots_offset: 0,
      incompatible_features: {
        dirty: false,
        corrupt: false,
        external_data_file: true,
        compression_type: true,
        extended_l2: true
      },
      compatible_features: { lazy_refcounts: true },
      autoclear_features: { bitmaps: false, raw_external_data: true },
      refcount_order: 6,
      header_length: 112,
      additional_fields: { compression_type: 1, padding: { zeros: 7 } }
    }
  },
  {
    structure: 'header',
    title: 'a backing file name behind the extensions, and an L1 table of 32 entries',
    recipe: overlay,
    at: 0,
    bytes: '514649fb00000003 00*7 88 0000000a 00000009 00*5 10 00*9 20 00*6 06 00*7 02 00*4 01 00*39 0400000070 00*8',
    json: {
      magic: 0x514649fb,
      version: 3,
      backing_file_offset: 136,
      backing_file_size: 10,
      cluster_bits: 9,
      size: 1048576,
      crypt_method: 0,
      l1_size: 32,
      l1_table_offset: 1536,
      refcount_table_offset: 512,
      refcount_table_clusters: 1,
      nb_snapshots: 0,
      snapshots_offset: 0,
      incompatible_features: noFeatures,
      compatible_features: { lazy_refcounts: false },
      autoclear_features: { bitmaps: false, raw_external_data: false },
      refcount_order: 4,
      header_length: 112,
      additional_fields: { compression_type: 0, padding: { zeros: 7 } }
    }
  }
]

const name = (type: number, bit: number, text: string): Json => ({
  type,
  bit,
  name: { text, zeros: 46 - text.length }
})

/** Header extensions. */
export const extensions: readonly Golden[] = [
  {
    structure: 'header extension area',
    title: 'a backing file format up to the backing file name',
    recipe: overlay,
    at: 112,
    bytes: 'e2792aca 00000005 71636f7732 00*11',
    json: {
      extensions: [{ extension: 'backing file format', data: 'qcow2', padding: { zeros: 3 } }],
      end: 0
    }
  },
  {
    structure: 'header extension area',
    title: 'a version 2 image has its extensions from byte 72 on',
    recipe: overlayV2,
    at: 72,
    bytes: 'e2792aca 00000005 71636f7732 00*11',
    json: {
      extensions: [{ extension: 'backing file format', data: 'qcow2', padding: { zeros: 3 } }],
      end: 0
    }
  },
  {
    structure: 'header extension area',
    title: 'an external data file name and the names of all features',
    recipe: features,
    at: 112,
    bytes:
      '44415441 00000007 696d672e726177 00 6803f857 00000180 ' +
      '0000 646972747920626974 00*37 0001 636f727275707420626974 00*35 0002 65787465726e616c20646174612066696c65 00*28 ' +
      '0003 636f6d7072657373696f6e2074797065 00*30 0004 657874656e646564204c3220656e7472696573 00*27 ' +
      '0100 6c617a7920726566636f756e7473 00*32 0200 6269746d617073 00*39 0201 7261772065787465726e616c2064617461 00*29 ' +
      '00*8 00*4',
    json: {
      extensions: [
        { extension: 'external data file name', data: 'img.raw', padding: { zeros: 1 } },
        {
          extension: 'feature name table',
          data: {
            names: [
              name(0, 0, 'dirty bit'),
              name(0, 1, 'corrupt bit'),
              name(0, 2, 'external data file'),
              name(0, 3, 'compression type'),
              name(0, 4, 'extended L2 entries'),
              name(1, 0, 'lazy refcounts'),
              name(2, 0, 'bitmaps'),
              name(2, 1, 'raw external data')
            ]
          }
        }
      ],
      end: 0,
      rest: { zeros: 4 }
    }
  },
  {
    structure: 'header extension',
    title: 'bitmaps',
    recipe: bitmaps,
    at: 112,
    bytes: '23852875 00000018 00000002 00000000 0000000000000040 0000000000013a00',
    json: {
      extension: 'bitmaps',
      data: { nb_bitmaps: 2, reserved: 0, bitmap_directory_size: 64, bitmap_directory_offset: 0x13a00 }
    }
  },
  {
    structure: 'header extension',
    title: 'a full disk encryption pointer',
    recipe: [luks],
    at: 112,
    bytes: '0537be77 00000010 0000000000004000 00000000001f9000',
    json: { extension: 'full disk encryption pointer', data: { offset: 0x4000, length: 0x1f9000 } },
    once: 'it spends seconds on the derivation of keys'
  }
]
