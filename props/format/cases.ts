/** What each clause forbids, case by case. */
import { type Case, on } from './case.js'
import { header } from './cases-header.js'

const area = 'e2792aca 00000005 71636f7732 00*3 00*8'
const twoNames = '6803f857 00000060 00*48 0001 00*46'

const extensions = [
  ...on(
    'header extension area',
    area,
    {},
    [
      'EXT-02',
      'a second backing file format',
      '16 e2792aca 00000003 726177 00*5 00*8',
      'type 16 4',
      'invalid format',
      '16 44415441 00000003 726177 00*5 00*8'
    ],
    ['EXT-21', 'a byte at once behind the end marker', '24 0100', ' 24 2', 'invalid format', '24 00*8'],
    ['EXT-21', 'a byte further behind the end marker', '24 0001', ' 25 1', 'invalid format', '24 00*8'],
    ['EXT-03', 'data past the end of the area', '4 00000011', 'length 4 4', 'malformed both OPEN-25', '4 00000010'],
    ['EXT-03', 'an end marker with data past the end', '20 00000001', 'length 20 4', 'malformed both OPEN-25', ''],
    ['EXT-03', 'a record that is cut off', 'cut 20', ' 16 8', 'malformed both OPEN-25', 'cut 16'],
    ['EXT-07', 'a second name for bit 64', `16 ${twoNames}; 73 40`, 'bit 73 1', 'invalid format', `16 ${twoNames}`]
  ),
  ...on(
    'header extension',
    'e2792aca 00000005 71636f7732 00*3',
    {},
    [
      'EXT-06',
      'a backing file format of 16 bytes',
      '4 00000010 61*16',
      'length 4 4',
      'limit qemu OPEN-25',
      '4 0000000f 61*15 00'
    ],
    [
      'EXT-09',
      'a pointer of 17 bytes',
      '0 0537be77 00000011 00*24',
      'length 4 4',
      'invalid both OPEN-25',
      '0 0537be77 00000010 00*16'
    ],
    [
      'EXT-10',
      'a bitmaps extension of 23 bytes',
      '0 23852875 00000017 00000001 00*20',
      'length 4 4',
      'invalid both OPEN-25',
      '0 23852875 00000018 00000001 00*20'
    ],
    ['EXT-02', 'the end marker by itself', '0 00000000', 'type 0 4', 'malformed both', '0 00000001']
  ),
  ...on(
    'feature name',
    '00*48',
    {},
    ['EXT-07', 'type 3', '0 03', 'type 0 1', 'invalid format', '0 00 | 0 01 | 0 02'],
    ['EXT-07', 'bit 64', '1 40', 'bit 1 1', 'invalid format', '1 3f']
  ),
  ...on(
    'bitmaps extension',
    '00000001 00000000 0000000000000020 0000000000010000',
    {},
    ['BMP-01', 'no bitmap', '0 00000000', 'nb_bitmaps 0 4', 'invalid both OPEN-25', ''],
    ['BMP-12', '65536 bitmaps', '0 00010000', 'nb_bitmaps 0 4', 'limit qemu OPEN-25', '0 0000ffff'],
    ['BMP-01', 'a reserved field that is not zero', '4 00000001', 'reserved 4 4', 'invalid both OPEN-25', ''],
    [
      'BMP-12',
      'a directory of more than 65535 KiB',
      '8 0000000003fffc01',
      'bitmap_directory_size 8 8',
      'limit qemu OPEN-25',
      '8 0000000003fffc00'
    ]
  )
]

const tables = [
  ...on(
    'L1 entry',
    '8000000000010000',
    {},
    ['L1-01', 'reserved bit 56', '0 81', 'reserved 0 8', 'invalid both', '1 ff'],
    ['L1-01', 'reserved bit 0', '7 01', 'reserved 0 8', 'invalid both', ''],
    ['L1-05', 'an unaligned L2 table', '6 0200', 'l2_table_offset 0 8', 'invalid both', '5 020000'],
    ['L1-01', 'an entry that is cut off', 'cut 7', ' 0 8', 'malformed both', '']
  ),
  ...on(
    'refcount table entry',
    '0000000000010000',
    {},
    ['REF-04', 'reserved bit 0', '7 01', 'reserved 0 8', 'invalid both', '0 ff'],
    ['REF-04', 'an unaligned block', '6 8000', 'refcount_block_offset 0 8', 'invalid both', '5 020000'],
    ['REF-04', 'an entry that is cut off', 'cut 7', ' 0 8', 'malformed both', '']
  ),
  ...on('refcount block', '00*512', { clusterBits: 9 }, [
    'REF-05',
    'a block that is cut off',
    'cut 511',
    ' 0 512',
    'malformed both',
    '0 ff*512'
  ]),
  ...on(
    'L2 entry',
    '8000000000050000',
    {},
    ['L2-02', 'reserved bit 1', '7 02', 'reserved 0 8', 'invalid both', '7 01'],
    ['L2-02', 'reserved bit 61', '0 a0', 'reserved 0 8', 'invalid both', '1 ff'],
    ['L2-02', 'an unaligned cluster', '6 0200', 'host_cluster_offset 0 8', 'invalid both', '5 060000'],
    ['L2-02', 'an unaligned zero cluster', '6 0201', 'host_cluster_offset 0 8', 'invalid both', '7 01'],
    ['L2-04', 'COPIED without a cluster', '0 80 00*7', 'copied 0 8', 'invalid format', '0 00*8'],
    ['L2-04', 'COPIED in a plain zero cluster', '0 80 00*6 01', 'copied 0 8', 'invalid format', '7 01'],
    ['CMP-01', 'COPIED in a compressed entry', '0 c0', 'copied 0 8', 'invalid both', '0 40'],
    ['L2-01', 'an entry that is cut off', 'cut 7', ' 0 8', 'malformed both', '']
  ),
  ...on('L2 entry', '4000000000050000', { clusterBits: 9 }, [
    'CMP-01',
    'a payload at 2^56',
    '0 41',
    'host_offset 0 8',
    'invalid format',
    '1 ff*7'
  ]),
  ...on('L2 entry', '8000000000000000', { externalDataFile: true }, [
    'DATA-05',
    'a compressed cluster in an external data file',
    '0 40',
    'compressed 0 8',
    'invalid both',
    '0 00'
  ]),
  ...on('L2 entry of guest byte 0x50000 in a data file', '8000000000050000', { externalDataFile: true }, [
    'DATA-04',
    'a cluster at another offset',
    '5 06',
    'host_cluster_offset 0 8',
    'inconsistent both',
    '5 05'
  ]),
  ...on(
    'L2 entry',
    '8000000000050000',
    { version: 2 },
    ['L2-05', 'a zero cluster with space in version 2', '7 01', 'zero 0 8', 'invalid both', ''],
    ['L2-05', 'a plain zero cluster in version 2', '0 00*7 01', 'zero 0 8', 'invalid both', '0 00*8']
  ),
  ...on(
    'L2 entry',
    '8000000000050000 0000000000000001',
    { extendedL2: true },
    ['L2-02', 'the zero flag under extended L2', '7 01', 'zero 0 8', 'invalid format', '8 fffffffe'],
    [
      'SUB-04',
      'both bits of a subcluster',
      '8 80000000 80000000',
      'subclusters 8 8',
      'invalid both',
      '8 7fffffff 80000000'
    ],
    ['SUB-04', 'both bits of subcluster 0', '8 00000001 00000001', 'subclusters 8 8', 'invalid both', ''],
    ['SUB-04', 'a subcluster without a cluster', '0 00*8', 'subclusters 8 8', 'invalid both', '0 00*8 ffffffff 00*4'],
    ['SUB-06', 'a bitmap in a compressed entry', '0 40', 'subclusters 8 8', 'invalid both', '0 40; 8 00*8'],
    ['L2-01', 'an extended entry that is cut off', 'cut 15', ' 0 16', 'malformed both', '']
  )
]

const luks = [
  ...on(
    'LUKS header',
    '4c554b53babe 0001 616573 00*29 7874732d706c61696e3634 00*21 736861323536 00*26 00000fc8 00000040 00*52 000003e8 00*40',
    {},
    ['LUKS-03', 'another magic', '0 58', 'magic 0 6', 'invalid both OPEN-25', ''],
    ['LUKS-03', 'version 2', '6 0002', 'version 6 2', 'invalid both OPEN-25', ''],
    ['LUKS-03', 'a cipher without an end', '8 61*32', 'cipher_name 8 32', 'invalid both OPEN-25', '8 61*31 00'],
    ['LUKS-03', 'a mode without an end', '40 61*32', 'cipher_mode 40 32', 'invalid both OPEN-25', '40 61*31 00'],
    ['LUKS-03', 'a hash without an end', '72 61*32', 'hash_spec 72 32', 'invalid both OPEN-25', '72 61*31 00'],
    [
      'LUKS-03',
      'a payload in the header',
      '104 00000007',
      'payload_offset 104 4',
      'invalid both OPEN-25',
      '104 00000008'
    ],
    ['LUKS-02', 'a payload past the area', '104 00000fc9', 'payload_offset 104 4', 'inconsistent format', ''],
    ['LUKS-03', 'no iterations', '164 00000000', 'mk_digest_iter 164 4', 'invalid both OPEN-25', '164 00000001']
  ),
  ...on(
    'LUKS key slot',
    '00ac71f3 000003e8 00*32 00000008 00000fa0',
    {},
    ['LUKS-03', 'another state', '0 00000001', 'active 0 4', 'invalid both OPEN-25', '0 0000dead'],
    ['LUKS-03', 'no iterations', '4 00000000', 'iterations 4 4', 'invalid both OPEN-25', '0 0000dead 00000000'],
    ['LUKS-03', 'keys in the header', '40 00000007', 'key_material_offset 40 4', 'invalid both OPEN-25', ''],
    [
      'LUKS-03',
      'keys in the payload',
      '40 00000dd1',
      'key_material_offset 40 4',
      'inconsistent both OPEN-25',
      '40 00000dd0'
    ],
    [
      'LUKS-03',
      'keys in other keys',
      '40 00000009',
      'key_material_offset 40 4',
      'inconsistent both OPEN-25',
      '40 000003f8'
    ],
    ['LUKS-03', 'another number of stripes', '44 00000f9f', 'stripes 44 4', 'invalid both OPEN-25', '']
  )
]

const first =
  '0000000000000800 00000002 0001 0005 6b012440 1c62d880 00*12 00000018 00*8 0000000000010000 00*8 31 6669727374'
const second =
  '0000000000000c00 00000002 0001 0006 6b012440 1d1dfea8 00*12 00000018 00*8 0000000000010000 00*8 32 7365636f6e64'

const snapshots = [
  ...on(
    'snapshot entry',
    `${first} 00*2`,
    { clusterBits: 9 },
    ['SNAP-07', 'an L1 table of more than 32 MiB', '8 00400001', 'l1_size 8 4', 'limit qemu', '8 00400000'],
    ['SNAP-01', 'an unaligned L1 table', '7 01', 'l1_table_offset 0 8', 'invalid both', '6 0a'],
    ['SNAP-01', 'an id past the end', '12 0009', 'id_str_size 12 2', 'malformed both', '12 0003'],
    ['SNAP-01', 'a name past the end', '14 0008', 'name_size 14 2', 'malformed both', '14 0007'],
    ['SNAP-01', 'extra data past the end', '36 00000021', 'extra_data_size 36 4', 'malformed both', '36 0000001a'],
    ['SNAP-02', 'extra data without a disk size', '36 0000000f', 'extra_data_size 36 4', 'invalid both', '36 00000010'],
    [
      'SNAP-03',
      'extra data of 1025 bytes',
      '36 00000401 00*1025 31 6669727374 00',
      'extra_data_size 36 4',
      'limit qemu OPEN-29',
      '36 00000400 00*1024 31 6669727374 00*2'
    ]
  ),
  ...on(
    'snapshot entry with its sizes',
    `${first} 00*2`,
    { clusterBits: 9 },
    ['HDR-09', 'an L1 table that ends in the disk', '8 00000001', 'l1_size 8 4', 'inconsistent format', '8 00000003'],
    [
      'SNAP-12',
      'an L1 table that ends in the VM state',
      '40 0000000000000001',
      'l1_size 8 4',
      'inconsistent format',
      '8 00000003; 40 0000000000000001'
    ],
    ['SNAP-01', 'two sizes of the VM state', '32 00000001', 'vm_state_size 32 4', 'inconsistent format', '32 00000000']
  ),
  ...on('snapshot table of 2', `${first} 00*2 ${second}`, {}, [
    'SNAP-01',
    'padding that is cut off',
    'cut 71',
    'padding 70 2',
    'malformed both',
    '70 ffff'
  ]),
  ...on('snapshot table of 2', `${first} 00*2 ${second}`, {}, [
    'SNAP-01',
    'a second entry past the end',
    '86 0007',
    'name_size 86 2',
    'malformed both',
    '86 0005'
  ])
]

const b0 = '0000000000010000 00000001 00000002 01 10 0002 00000000 6230 00*6'
const b1 = '0000000000020000 00000001 00000000 01 10 0002 00000000 6231 00*6'

const bitmaps = [
  ...on(
    'bitmap entry',
    b0,
    {},
    ['BMP-02', 'an unaligned table', '6 0200', 'bitmap_table_offset 0 8', 'invalid both OPEN-31', '5 02'],
    ['BMP-12', 'a table at 0', '0 00*8', 'bitmap_table_offset 0 8', 'invalid qemu OPEN-31', ''],
    ['BMP-12', 'a table of no entry', '8 00000000', 'bitmap_table_size 8 4', 'limit qemu OPEN-31', ''],
    [
      'BMP-12',
      'a table of 2^27 + 1 entries',
      '8 08000001',
      'bitmap_table_size 8 4',
      'limit qemu OPEN-31',
      '8 00002000'
    ],
    [
      'BMP-12',
      'a table of 8193 clusters of 64 KiB',
      '8 00002001',
      'bitmap_table_size 8 4',
      'limit qemu OPEN-31',
      '8 00002000'
    ],
    ['BMP-17', 'a NUL byte in the name', '25 00', 'name 24 2', 'invalid qemu', '25 31'],
    ['BMP-02', 'reserved flag 3', '12 00000008', 'flags.reserved 12 4', 'invalid both OPEN-31', '12 00000003'],
    ['BMP-02', 'reserved flag 31', '12 80000000', 'flags.reserved 12 4', 'invalid both OPEN-31', ''],
    [
      'BMP-04',
      'extra_data_compatible',
      '12 00000004',
      'flags.extra_data_compatible 12 4',
      'invalid qemu OPEN-31',
      '12 00000003'
    ],
    ['BMP-02', 'type 2', '16 02', 'type 16 1', 'invalid both OPEN-31', ''],
    [
      'BMP-02',
      'granularity_bits 64',
      '17 40',
      'granularity_bits 17 1',
      'invalid both OPEN-31',
      '17 3f | 17 00',
      ['BMP-04']
    ],
    ['BMP-04', 'granularity_bits 8', '17 08', 'granularity_bits 17 1', 'limit qemu OPEN-31', '17 09'],
    ['BMP-04', 'granularity_bits 32', '17 20', 'granularity_bits 17 1', 'limit qemu OPEN-31', '17 1f'],
    ['BMP-02', 'no name', '18 0000', 'name_size 18 2', 'invalid format', '18 0001; 25 00'],
    [
      'BMP-12',
      'a name of 1024 bytes',
      '18 0400; 24 61*1024',
      'name_size 18 2',
      'invalid qemu OPEN-31',
      '18 03ff; 24 61*1023 00'
    ],
    ['BMP-04', 'extra data', '20 00000001; 24 00 6230', 'extra_data_size 20 4', 'invalid qemu OPEN-31', ''],
    ['BMP-02', 'padding that is not zero', '31 01', 'padding 26 6', 'invalid format', ''],
    ['BMP-02', 'a name past the end', '18 0009', 'name_size 18 2', 'malformed both', '18 0008']
  ),
  ...on(
    'bitmap directory',
    `${b0} ${b1}`,
    {},
    ['BMP-02', 'type 0 of the second', '48 00', 'type 48 1', 'invalid both OPEN-31', ''],
    ['BMP-12', 'no table for the second', '40 00000000', 'bitmap_table_size 40 4', 'limit qemu OPEN-31', ''],
    ['BMP-12', 'a table too large', '8 08000001', 'bitmap_table_size 8 4', 'limit qemu OPEN-31', '8 08000000'],
    ['BMP-04', 'too fine a granularity', '17 08', 'granularity_bits 17 1', 'limit qemu OPEN-31', '17 09'],
    ['BMP-02', 'no granularity', '17 ff', 'granularity_bits 17 1', 'invalid both OPEN-31', '17 3f', ['BMP-04']],
    ['BMP-03', 'two bitmaps of one name', '56 6230', 'name 56 2', 'invalid both OPEN-31', '56 6232'],
    ['BMP-02', 'a last entry without padding', 'cut 58', 'padding 58 6', 'malformed both OPEN-31', 'cut 32'],
    [
      'BMP-02',
      'extra data past the end',
      '52 00000009',
      'extra_data_size 52 4',
      'malformed both OPEN-31',
      '52 00000006'
    ]
  ),
  ...on(
    'bitmap table entry',
    '0000000000010000',
    {},
    ['BMP-05', 'reserved bit 56', '0 01', 'reserved 0 8', 'invalid both OPEN-31', '1 ff'],
    ['BMP-05', 'reserved bit 8', '6 01', 'reserved 0 8', 'invalid both OPEN-31', ''],
    ['BMP-05', 'an unaligned cluster', '6 0200', 'cluster_offset 0 8', 'invalid both OPEN-31', '5 02'],
    ['BMP-05', 'all ones beside a cluster', '7 01', 'all_ones 0 8', 'invalid both OPEN-31', '0 00*7 01'],
    ['BMP-05', 'an entry that is cut off', 'cut 7', ' 0 8', 'malformed both', '']
  ),
  ...on('bitmap data', '00*512', { clusterBits: 9 }, [
    'BMP-06',
    'a cluster that is cut off',
    'cut 511',
    ' 0 512',
    'malformed both',
    '0 ff*512'
  ]),
  ...on(
    'bitmap data of 4 bits',
    '0f 00*511',
    {},
    ['BMP-08', 'the bit behind the last one', '0 10', ' 0 1', 'invalid format', '0 08'],
    ['BMP-08', 'the last bit of the cluster', '511 80', ' 511 1', 'invalid format', '']
  ),
  ...on('bitmap data of 8 bits', 'ff 00*511', {}, [
    'BMP-08',
    'the bit behind the last byte',
    '1 01',
    ' 1 1',
    'invalid format',
    '0 7f'
  ])
]

/** All cases. */
export const cases: readonly Case[] = [...header, ...extensions, ...luks, ...tables, ...snapshots, ...bitmaps]
