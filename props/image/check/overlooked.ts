/** What QEMU's check overlooks: images that have it, and everything that is found of them beside QEMU's findings. */
import type { PatchedImage, Row } from './patched-corpus.js'
import { contested } from './overlooked-owners.js'

const cluster = 0x1000
const disk = 0x1_0000
const zeros = '0000000000000000'

const inHeader = (field: string, at: number, severity: string, clause: string): Row => [
  severity,
  clause,
  'header',
  field,
  at,
  8
]

const header: readonly PatchedImage[] = [
  {
    title: 'a header_length that is no multiple of 8',
    base: 'plain',
    steps: ['patch header_length 00000069', 'patch 105 0000000000000000'],
    found: [['flaw', 'HDR-02', 'header', 'header_length', 100, 4]]
  },
  {
    title: 'padding of the header that is not zero',
    base: 'plain',
    steps: ['patch 107 ff'],
    found: [['flaw', 'HDR-07', 'header', 'padding', 105, 7]]
  },
  {
    title: 'the bitmaps bit without the bitmaps extension',
    base: 'plain',
    steps: ['patch autoclear_features 0000000000000001'],
    found: [inHeader('autoclear_features', 88, 'flaw', 'FEAT-07')]
  },
  {
    title: 'the bitmaps extension without the bitmaps bit',
    base: 'bitmap',
    steps: ['patch autoclear_features 0000000000000000'],
    found: [inHeader('autoclear_features', 88, 'note', 'BMP-11')]
  },
  {
    title: 'unknown compatible and autoclear bits',
    base: 'plain',
    steps: ['patch compatible_features 0000000000000004', 'patch autoclear_features 0000000000000008'],
    found: [
      inHeader('compatible_features', 80, 'note', 'FEAT-02'),
      inHeader('autoclear_features', 88, 'note', 'FEAT-03')
    ]
  },
  {
    title: 'the dirty bit and the corrupt bit',
    base: 'plain',
    steps: ['patch incompatible_features 0000000000000003'],
    found: [
      inHeader('incompatible_features', 72, 'note', 'FEAT-04'),
      inHeader('incompatible_features', 72, 'note', 'FEAT-05')
    ]
  },
  {
    title: 'an external data file name without the bit',
    base: 'plain',
    steps: ['patch extensions 44415441 00000007 696d672e726177'],
    found: [inHeader('incompatible_features', 72, 'note', 'EXT-11')]
  },
  {
    title: 'bytes behind the end of the extensions',
    base: 'plain',
    steps: ['patch 4000 01'],
    found: [['flaw', 'EXT-21', 'header extension area', '', 4000, 96]]
  }
]

const entries: readonly PatchedImage[] = [
  {
    title: 'the zero flag in version 2',
    base: 'plainV2',
    steps: ['patch l2+8 8000000000006001'],
    found: [['flaw', 'L2-05', 'L2 entry', 'zero', 0x4008, 8, [cluster, cluster]]]
  },
  {
    title: 'the zero flag under extended L2 entries',
    base: 'extended',
    steps: ['patch l2+7 01'],
    found: [['flaw', 'L2-02', 'L2 entry', 'zero', 0x1_0000, 8, [0, 0x4000]]]
  },
  {
    title: 'COPIED in an entry without a cluster, and in a zero cluster without one',
    base: 'plain',
    steps: ['patch l2+16 8000000000000000 8000000000000001'],
    found: [
      ['flaw', 'L2-04', 'L2 entry', 'copied', 0x4010, 8, [2 * cluster, cluster]],
      ['flaw', 'L2-04', 'L2 entry', 'copied', 0x4018, 8, [3 * cluster, cluster]]
    ]
  },
  {
    title: 'a compressed cluster at an offset of 2^56 or more',
    base: 'deflated',
    steps: ['patch l2+8 4100000000005000'],
    found: [['flaw', 'CMP-01', 'L2 entry', 'host_offset', 0x4008, 8, [cluster, cluster]]]
  },
  {
    title: 'an L1 entry behind the disk, with no VM state to map',
    base: 'longerL1',
    steps: ['truncate 0x8000', 'patch refcount_block+14 0001', 'patch l1+16 8000000000007000'],
    found: [['note', 'SNAP-12', 'L1 table entry', 'l2_table_offset', 0x3010, 8, [0x40_0000, 0x20_0000]]]
  }
]

const dataFile: readonly PatchedImage[] = [
  {
    title: 'an entry of a data file at another offset than the guest',
    base: 'dataFile',
    steps: ['patch l2+8 8000000000005000'],
    found: [['flaw', 'DATA-04', 'L2 entry', 'host_cluster_offset', 0x4008, 8, [cluster, cluster]]]
  },
  {
    title: 'an entry past the end of the data file',
    base: 'dataFile',
    steps: [],
    dataFileLength: cluster,
    found: [['flaw', 'DATA-01', 'L2 entry', 'host_cluster_offset', 0x4008, 8, [cluster, cluster]]]
  },
  {
    title: 'zeros past the end of the data file, which need none of it',
    base: 'dataFile',
    steps: ['patch l2+8 8000000000001001'],
    dataFileLength: cluster,
    found: []
  },
  {
    title: 'a raw data file shorter than the disk',
    base: 'dataFile',
    steps: ['patch autoclear_features 0000000000000002'],
    dataFileLength: 0x1800,
    found: [['flaw', 'DATA-07', 'external data file', '', 0x1800, 0xe800, [0x1800, 0xe800]]]
  },
  {
    title: 'guest cluster 0 of a data file, discarded and zeroed in place',
    base: 'dataFile',
    steps: ['patch l2 8000000000000001'],
    found: []
  }
]

const ends: readonly PatchedImage[] = [
  {
    title: 'a file that ends within its last data cluster, as any may',
    base: 'plain',
    steps: ['truncate 0x6200'],
    found: []
  },
  {
    title: 'a file that ends within an L2 table',
    base: 'plain',
    steps: [`patch l2 ${zeros} ${zeros}`, 'patch refcount_block+10 0000 0000', 'truncate 0x4801'],
    found: [['note', 'GEN-03', 'L2 table', '', 0x4000, cluster, [0, disk]]]
  },
  {
    title: 'a file that ends within an L1 table',
    base: 'longerL1',
    steps: [`patch l1 ${zeros}`, 'patch refcount_block+8 0000 0000 0000', 'truncate 0x3010'],
    found: [['note', 'GEN-03', 'L1 table', '', 0x3000, 512]]
  },
  {
    title: 'a file that ends where its L1 table begins',
    base: 'longerL1',
    steps: [`patch l1 ${zeros}`, 'patch refcount_block+8 0000 0000 0000', 'truncate 0x3000'],
    found: [['note', 'GEN-03', 'L1 table', '', 0x3000, 512]]
  },
  {
    title: 'a file that ends within the snapshot table',
    base: 'snapshot',
    steps: ['truncate 0x8041', 'patch 0x8040 31'],
    found: [['note', 'GEN-03', 'snapshot table', '', 0x8000, 66]]
  },
  {
    title: 'a file that ends within bitmap data',
    base: 'bitmap',
    steps: [
      'copy 0xb000 0x4000 32',
      'copy 0xa000 0x5000 8',
      'patch bitmaps+16 0000000000004000',
      'patch bitmap_directory 0000000000005000',
      'patch refcount_block+8 0001 0001 0001 0001 0001 0001 0000 0000',
      'truncate 0x9003'
    ],
    found: [['note', 'GEN-03', 'bitmap data', '', 0x9000, cluster]]
  },
  {
    title: 'counts of clusters past the end, by runs',
    base: 'plain',
    steps: ['patch refcount_block+14 0001 0002 0000 0000 0000 0001'],
    found: [
      ['note', 'CHK-05', 'refcount', '', 0x7000, 2 * cluster],
      ['note', 'CHK-05', 'refcount', '', 0xc000, cluster]
    ]
  }
]

const entry = (severity: string, clause: string, field: string, at: number, size: number): Row => [
  severity,
  clause,
  'snapshot table entry',
  field,
  at,
  size
]

const snapshots: readonly PatchedImage[] = [
  {
    title: 'two snapshots of one id',
    base: 'twoSnapshots',
    steps: ['patch snapshot_table+136 31'],
    found: [entry('flaw', 'SNAP-01', 'id_str', 0xa088, 1)]
  },
  {
    title: 'two snapshots of one name',
    base: 'twoSnapshots',
    steps: ['patch snapshot_table+137 61'],
    found: [entry('note', 'SNAP-06', 'name', 0xa089, 1)]
  },
  {
    title: 'an id that is no number',
    base: 'snapshot',
    steps: ['patch snapshot_table+64 78'],
    found: [entry('note', 'SNAP-06', 'id_str', 0x8040, 1)]
  },
  {
    title: 'a snapshot L1 table too short for its disk',
    base: 'snapshot',
    steps: ['patch snapshot_table+48 0000000000200001'],
    found: [entry('flaw', 'HDR-09', 'l1_size', 0x8008, 4)]
  },
  {
    title: 'a snapshot L1 table too short for its VM state',
    base: 'snapshot',
    steps: ['patch snapshot_table+40 0000000000000001'],
    found: [entry('note', 'SNAP-12', 'l1_size', 0x8008, 4)]
  },
  {
    title: 'two sizes of VM state',
    base: 'snapshot',
    steps: ['patch snapshot_table+32 00000200'],
    found: [entry('note', 'SNAP-01', 'vm_state_size', 0x8020, 4)]
  }
]

const bitmaps: readonly PatchedImage[] = [
  {
    title: 'a bit behind the last bit of a bitmap',
    base: 'bitmap',
    steps: ['patch 0x9004 10'],
    found: [['flaw', 'BMP-08', 'bitmap data', '', 0x9004, 1]]
  },
  {
    title: 'a bitmap in use, whose bits nobody trusts',
    base: 'bitmap',
    steps: ['patch bitmap_directory+12 00000001', 'patch 0x9004 10'],
    found: [['note', 'BMP-09', 'bitmap directory entry', 'flags.in_use', 0xb00c, 4]]
  }
]

/** What QEMU overlooks, by subject. */
export const patchedImages: readonly PatchedImage[] = [
  ...header,
  ...entries,
  ...dataFile,
  ...ends,
  ...contested,
  ...snapshots,
  ...bitmaps
]
