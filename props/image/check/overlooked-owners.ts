/** Clusters with two owners, whether or not the refcounts know of both. */
import type { PatchedImage, Row } from './patched-corpus.js'

const cluster = 0x1000
const disk = 0x1_0000

const owned = (severity: string, clause: string, at: number, guest?: readonly [number, number]): Row =>
  guest === undefined
    ? [severity, clause, 'cluster', '', at, cluster]
    : [severity, clause, 'cluster', '', at, cluster, guest]

/** A second bitmap, b1, of the same granularity as the first, whose table is at this byte. */
const secondBitmap = (table: string): readonly string[] => [
  'patch bitmaps 00000002',
  'patch bitmaps+8 0000000000000040',
  `patch bitmap_directory+32 ${table} 00000001 00000000 01 0c 0002 00000000 6231 000000000000`
]

/** Clusters of two owners. */
export const contested: readonly PatchedImage[] = [
  {
    title: 'a data cluster in the refcount table',
    base: 'plain',
    steps: ['patch l2 8000000000001000'],
    found: [owned('flaw', 'GEN-01', 0x1000, [0, cluster])],
    owners: [
      [
        ['data-cluster', 0x1000, cluster, 0x4000, 0],
        ['refcount-table', 0x1000, cluster, 48]
      ]
    ]
  },
  {
    title: 'a data cluster in the refcount table, and both counted',
    base: 'plain',
    steps: ['patch l2 0000000000001000', 'patch refcount_block+2 0002', 'patch refcount_block+10 0000'],
    found: [owned('flaw', 'GEN-01', 0x1000, [0, cluster])],
    owners: [
      [
        ['data-cluster', 0x1000, cluster, 0x4000, 0],
        ['refcount-table', 0x1000, cluster, 48]
      ]
    ]
  },
  {
    title: 'two guest clusters in one host cluster, and both counted',
    base: 'plain',
    steps: ['patch l2 0000000000005000 0000000000005000', 'patch refcount_block+10 0002 0000'],
    found: [owned('note', 'REF-08', 0x5000, [0, cluster])],
    owners: [
      [
        ['data-cluster', 0x5000, cluster, 0x4000, 0],
        ['data-cluster', 0x5000, cluster, 0x4008, cluster]
      ]
    ]
  },
  {
    title: 'two guest clusters in one host cluster, and one counted',
    base: 'plain',
    steps: ['patch l2+8 8000000000005000'],
    found: [owned('flaw', 'REF-08', 0x5000, [0, cluster])],
    owners: [
      [
        ['data-cluster', 0x5000, cluster, 0x4000, 0],
        ['data-cluster', 0x5000, cluster, 0x4008, cluster]
      ]
    ]
  },
  {
    title: 'two guest clusters of a snapshot in one host cluster, and all counted',
    base: 'snapshot',
    steps: ['patch l2+8 0000000000005000', 'patch refcount_block+10 0004 0000'],
    found: [owned('note', 'REF-08', 0x5000, [0, cluster])],
    owners: [
      [
        ['data-cluster', 0x5000, cluster, 0x4000, 0],
        ['data-cluster', 0x5000, cluster, 0x4008, cluster]
      ]
    ]
  },
  {
    title: 'data of a snapshot in its own L1 table',
    base: 'snapshot',
    steps: ['patch l2+8 0000000000007000', 'patch refcount_block+12 0000 0003'],
    found: [owned('flaw', 'GEN-01', 0x7000, [cluster, cluster])],
    owners: [
      [
        ['inactive-l1', 0x7000, 8, 0x8000],
        ['data-cluster', 0x7000, cluster, 0x4008, cluster]
      ]
    ]
  },
  {
    title: 'data in the L2 table that a snapshot shares',
    base: 'snapshot',
    steps: ['patch l2+8 0000000000004000', 'patch refcount_block+8 0004 0002 0000'],
    found: [owned('flaw', 'GEN-01', 0x4000, [0, disk])],
    owners: [
      [
        ['active-l2', 0x4000, cluster, 0x3000, 0],
        ['data-cluster', 0x4000, cluster, 0x4008, cluster]
      ]
    ]
  },
  {
    title: "the active L1 table as a snapshot's",
    base: 'snapshot',
    steps: ['patch snapshot_table 0000000000003000', 'patch refcount_block+6 0002', 'patch refcount_block+14 0000'],
    found: [owned('flaw', 'GEN-01', 0x3000)],
    owners: [
      [
        ['active-l1', 0x3000, 8, 40],
        ['inactive-l1', 0x3000, 8, 0x8000]
      ]
    ]
  },
  {
    title: 'an L2 table under two L1 entries, and both counted',
    base: 'twoTables',
    steps: [
      'patch l1 0000000000004000 0000000000004000',
      'patch l2 0000000000005000 0000000000006000',
      'patch refcount_block+8 0002 0002 0002'
    ],
    found: [owned('note', 'REF-08', 0x4000, [0, 0x20_0000])],
    owners: [
      [
        ['active-l2', 0x4000, cluster, 0x3000, 0],
        ['active-l2', 0x4000, cluster, 0x3008, 0x20_0000]
      ]
    ]
  },
  {
    title: 'an L2 table for two places of the disk, one of them in a snapshot, and both counted',
    base: 'snapshot',
    steps: ['patch snapshot_table+8 00000002', 'patch 0x7000 0000000000000000 0000000000004000'],
    found: [
      ['note', 'SNAP-12', 'L1 table entry', 'l2_table_offset', 0x7008, 8, [0x20_0000, 0x20_0000]],
      owned('note', 'REF-08', 0x4000, [0, disk])
    ],
    owners: [
      [
        ['active-l2', 0x4000, cluster, 0x3000, 0],
        ['inactive-l2', 0x4000, cluster, 0x7008, 0x20_0000]
      ]
    ]
  },
  {
    title: 'a refcount block under two entries',
    base: 'plain',
    steps: ['patch refcount_table+8 0000000000002000'],
    found: [owned('flaw', 'GEN-01', 0x2000)],
    owners: [
      [
        ['refcount-block', 0x2000, cluster, 0x1000],
        ['refcount-block', 0x2000, cluster, 0x1008]
      ]
    ]
  },
  {
    title: 'bitmap data in the L1 table, and both counted',
    base: 'bitmap',
    steps: ['patch bitmap_table 0000000000003000', 'patch refcount_block+6 0002', 'patch refcount_block+18 0000'],
    found: [['flaw', 'BMP-08', 'bitmap data', '', 0x3006, 1], owned('flaw', 'GEN-01', 0x3000)],
    owners: [
      [
        ['active-l1', 0x3000, 8, 40],
        ['bitmap-data', 0x3000, cluster, 0xa000]
      ]
    ]
  },
  {
    title: 'two bitmaps with one table, and both counted',
    base: 'bitmap',
    steps: [...secondBitmap('000000000000a000'), 'patch refcount_block+18 0002 0002'],
    found: [owned('note', 'BMP-13', 0xa000)],
    owners: [
      [
        ['bitmap-table', 0xa000, 8, 0xb000],
        ['bitmap-table', 0xa000, 8, 0xb020]
      ]
    ]
  },
  {
    title: 'two bitmaps with one table, and one counted',
    base: 'bitmap',
    steps: secondBitmap('000000000000a000'),
    found: [owned('flaw', 'BMP-13', 0xa000)],
    owners: [
      [
        ['bitmap-table', 0xa000, 8, 0xb000],
        ['bitmap-table', 0xa000, 8, 0xb020]
      ]
    ]
  },
  {
    title: 'two bitmaps with one cluster of bits, and both counted',
    base: 'bitmap',
    steps: [
      ...secondBitmap('0000000000004000'),
      'patch 0x4000 0000000000009000',
      'patch refcount_block+8 0001',
      'patch refcount_block+18 0002'
    ],
    found: [owned('note', 'BMP-13', 0x9000)],
    owners: [
      [
        ['bitmap-data', 0x9000, cluster, 0xa000],
        ['bitmap-data', 0x9000, cluster, 0x4000]
      ]
    ]
  },
  {
    title: 'a data cluster where a compressed one lies, and both counted',
    base: 'deflated',
    steps: ['patch l2+8 0000000000005000', 'patch refcount_block+10 0002'],
    found: [owned('flaw', 'GEN-01', 0x5000, [0, cluster])],
    owners: [
      [
        ['compressed-cluster', 0x5000, 512, 0x4000, 0],
        ['data-cluster', 0x5000, cluster, 0x4008, cluster]
      ]
    ]
  }
]
