/** Golden bytes: structures as QEMU wrote them, where they stand in the image, and what they say. */
import { fresh, io } from '../../corpus/recipe.js'
import type { Json } from '../../src/bytes/json.js'
import { extensions, headers } from './golden-header.js'
import { bitmaps, compressed, type Golden, subclusters, zeros } from './golden-recipe.js'

const standard = { clusterBits: 9 }
const extended = { clusterBits: 14, extendedL2: true }

const tables: readonly Golden[] = [
  {
    structure: 'L1 entry',
    title: 'an L2 table of its own',
    recipe: zeros,
    at: 0x600,
    bytes: '80 00*5 0800',
    json: { l2_table_offset: 0x800, copied: true },
    geometry: standard
  },
  {
    structure: 'L1 entry',
    title: 'no L2 table',
    recipe: zeros,
    at: 0x608,
    bytes: '00*8',
    json: { l2_table_offset: 0, copied: false },
    geometry: standard
  },
  {
    structure: 'refcount table entry',
    title: 'the first block',
    recipe: zeros,
    at: 0x200,
    bytes: '00*6 0400',
    json: { refcount_block_offset: 0x400 },
    geometry: standard
  },
  {
    structure: 'L2 entry',
    title: 'a written cluster',
    recipe: zeros,
    at: 0x800,
    bytes: '80 00*5 0a00',
    json: { type: 'normal', host_cluster_offset: 0xa00, copied: true },
    geometry: standard
  },
  {
    structure: 'L2 entry',
    title: 'a written cluster that was zeroed and keeps its space',
    recipe: zeros,
    at: 0x808,
    bytes: '80 00*5 0c01',
    json: { type: 'zero allocated', host_cluster_offset: 0xc00, copied: true },
    geometry: standard
  },
  {
    structure: 'L2 entry',
    title: 'a written cluster that was zeroed and unmapped',
    recipe: zeros,
    at: 0x810,
    bytes: '00*7 01',
    json: { type: 'zero plain' },
    geometry: standard
  },
  {
    structure: 'L2 entry',
    title: 'a cluster that was never written',
    recipe: zeros,
    at: 0x820,
    bytes: '00*8',
    json: { type: 'unallocated' },
    geometry: standard
  },
  {
    structure: 'L2 entry',
    title: 'some subclusters written, some zeroed',
    recipe: subclusters,
    at: 0x10000,
    bytes: '80 00*4 014000 00000030 00000005',
    json: {
      type: 'normal',
      host_cluster_offset: 0x14000,
      copied: true,
      subclusters: { allocated: 0b101, zeros: 0b110000 }
    },
    geometry: extended
  },
  {
    structure: 'L2 entry',
    title: 'all subclusters zeroed',
    recipe: subclusters,
    at: 0x10010,
    bytes: '00*8 ffffffff 00000000',
    json: { type: 'unallocated', subclusters: { allocated: 0, zeros: 0xffff_ffff } },
    geometry: extended
  },
  {
    structure: 'L2 entry',
    title: 'a compressed cluster among subclusters',
    recipe: subclusters,
    at: 0x10020,
    bytes: '40 00*4 018000 00*8',
    json: {
      type: 'compressed',
      host_offset: 0x18000,
      additional_sectors: 0,
      subclusters: { allocated: 0, zeros: 0 }
    },
    geometry: extended
  },
  ...(
    [
      ['512', 9, 0xe08, '40 00*5 1008', 0x1008, 0],
      ['64k', 16, 0x40008, '40 00*4 05004f', 0x5004f, 0],
      ['2M', 21, 0x800008, '4008000000a00802', 0xa00802, 4]
    ] as const
  ).map(([size, clusterBits, at, bytes, offset, sectors]): Golden => ({
    structure: 'L2 entry',
    title: `the second compressed cluster, of ${size}`,
    recipe: compressed(size),
    at,
    bytes,
    json: { type: 'compressed', host_offset: offset, additional_sectors: sectors },
    geometry: { clusterBits }
  }))
]

/** Counts that start so, and zeros up to the end of a cluster of 512 bytes. */
const counts = (order: number, first: readonly number[]): Json => [
  ...first,
  ...Array.from({ length: 4096 / 2 ** order - first.length }, () => 0)
]

const shared = [1, 1, 1, 1, 2, 2, 2, 2, 2, 1, 1]

const refcounts: readonly Golden[] = [
  'ff01 00*510',
  '55aa16 00*509',
  '111122221201 00*506',
  '01*4 02*5 01*2 00*501',
  '0001*4 0002*5 0001*2 00*490',
  '00000001*4 00000002*5 00000001*2 00*468',
  '0000000000000001*4 0000000000000002*5 0000000000000001*2 00*424'
].map((bytes, refcountOrder): Golden => ({
  structure: 'refcount block',
  title: `refcounts of ${2 ** refcountOrder} bits${refcountOrder === 0 ? '' : ', some shared with a snapshot'}`,
  recipe: [
    fresh('16k', `cluster_size=512,refcount_bits=${2 ** refcountOrder}`),
    io('write -P 1 0 2k'),
    ...(refcountOrder === 0 ? [] : ['qemu-img snapshot -c a img.qcow2'])
  ],
  at: 0x400,
  bytes,
  json: counts(refcountOrder, refcountOrder === 0 ? [1, 1, 1, 1, 1, 1, 1, 1, 1] : shared),
  geometry: { clusterBits: 9, refcountOrder }
}))

const lists: readonly Golden[] = [
  {
    structure: 'snapshot table of 2',
    title: 'the first entry is padded, the last one is not',
    recipe: [
      fresh('64k', 'cluster_size=512'),
      'qemu-img snapshot -c first img.qcow2',
      'qemu-img snapshot -c second img.qcow2'
    ],
    at: 0xe00,
    bytes:
      '0000000000000800 00000002 0001 0005 6b012440 1c62d880 00*8 00000000 00000018 ' +
      '00*8 0000000000010000 00*8 31 6669727374 00*2 ' +
      '0000000000000c00 00000002 0001 0006 6b012440 1d1dfea8 00*8 00000000 00000018 ' +
      '00*8 0000000000010000 00*8 32 7365636f6e64',
    json: [
      {
        l1_table_offset: 0x800,
        l1_size: 2,
        date_sec: 0x6b012440,
        date_nsec: 476240000,
        vm_clock_nsec: 0,
        vm_state_size: 0,
        extra_data: { vm_state_size_large: 0, disk_size: 65536, icount: 0 },
        id_str: '1',
        name: 'first',
        padding: { zeros: 2 }
      },
      {
        l1_table_offset: 0xc00,
        l1_size: 2,
        date_sec: 0x6b012440,
        date_nsec: 488505000,
        vm_clock_nsec: 0,
        vm_state_size: 0,
        extra_data: { vm_state_size_large: 0, disk_size: 65536, icount: 0 },
        id_str: '2',
        name: 'second'
      }
    ],
    once: 'a snapshot carries the time it was taken at'
  },
  {
    structure: 'bitmap directory',
    title: 'an enabled bitmap, and a disabled one whose entry needs no padding',
    recipe: bitmaps,
    at: 0x13a00,
    bytes:
      '0000000000013600 00000001 00000002 01 0c 0002 00000000 6230 00*6 ' +
      '0000000000013800 00000001 00000000 01 10 0008 00000000 64697361626c6564',
    json: [
      {
        bitmap_table_offset: 0x13600,
        bitmap_table_size: 1,
        flags: { in_use: false, auto: true, extra_data_compatible: false },
        type: 1,
        granularity_bits: 12,
        extra_data: '',
        name: 'b0',
        padding: { zeros: 6 }
      },
      {
        bitmap_table_offset: 0x13800,
        bitmap_table_size: 1,
        flags: { in_use: false, auto: false, extra_data_compatible: false },
        type: 1,
        granularity_bits: 16,
        extra_data: '',
        name: 'disabled'
      }
    ]
  },
  {
    structure: 'bitmap table entry',
    title: 'a cluster of bits',
    recipe: bitmaps,
    at: 0x13600,
    bytes: '00*5 013400',
    json: { cluster_offset: 0x13400, all_ones: false },
    geometry: standard
  },
  {
    structure: 'bitmap data',
    title: '18 bits of 4 KiB from 1 MiB on',
    recipe: bitmaps,
    at: 0x13400,
    bytes: '00*32 ffff03 00*477',
    json: Array.from({ length: 4096 }, (_, i) => i >= 256 && i < 274),
    geometry: standard
  }
]

/** Golden bytes of every structure. */
export const golden: readonly Golden[] = [...headers, ...extensions, ...tables, ...refcounts, ...lists]
