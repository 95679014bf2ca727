/** Cases of the header: each field by itself, and what the fields say together. */
import { on } from './case.js'

const v3 = '514649fb00000003 00*15 0c 00*5 10 00*9 01 00*6 30 00*7 10 00*4 01 00*39 0400000070 00*8'

/** Cases of the header. */
export const header = on(
  'header',
  v3,
  {},
  ['OPEN-01', 'another magic', '0 51464900', 'magic 0 4', 'malformed both', ''],
  ['OPEN-02', 'version 1', '4 00000001', 'version 4 4', 'malformed both', '4 00000002 | 4 00000003'],
  ['OPEN-02', 'version 4', '4 00000004', 'version 4 4', 'malformed both', ''],
  ['OPEN-03', 'clusters of 256 bytes', '20 00000008', 'cluster_bits 20 4', 'invalid both', '20 00000009'],
  ['OPEN-03', 'clusters of 4 MiB', '20 00000016', 'cluster_bits 20 4', 'limit qemu', '20 00000015'],
  ['OPEN-23', 'crypt_method 3', '32 00000003', 'crypt_method 32 4', 'invalid both', '32 00000001 | 32 00000002'],
  ['OPEN-19', 'more than 4194304 L1 entries', '36 00400001', 'l1_size 36 4', 'limit qemu', '36 00400000'],
  ['OPEN-14', 'no refcount table', '56 00000000', 'refcount_table_clusters 56 4', 'invalid both', ''],
  ['OPEN-17', 'more than 65536 snapshots', '60 00010001', 'nb_snapshots 60 4', 'limit qemu', '60 00010000'],
  [
    'FEAT-01',
    'incompatible bit 5',
    '72 00*7 20',
    'incompatible_features.reserved 72 8',
    'invalid both OPEN-09',
    '72 00*7 17'
  ],
  [
    'FEAT-01',
    'incompatible bit 63',
    '72 80 00*7',
    'incompatible_features.reserved 72 8',
    'invalid both OPEN-09',
    '80 80 00*7; 88 80 00*7'
  ],
  ['REF-02', 'refcounts of 128 bits', '96 00000007', 'refcount_order 96 4', 'invalid both OPEN-12', '96 00000006'],
  ['HDR-02', 'header_length 96', '100 00000060', 'header_length 100 4', 'invalid both OPEN-04', '100 00000068'],
  ['HDR-02', 'header_length 105', '100 00000069', 'header_length 100 4', 'invalid format', '100 00000070'],
  [
    'HDR-02',
    'a header longer than the first cluster',
    '100 00001008',
    'header_length 100 4',
    'invalid both OPEN-05',
    '100 00001000; 4095 00'
  ],
  [
    'HDR-02',
    'a header longer than the bytes',
    '100 00000078',
    'header_length 100 4',
    'malformed both',
    '100 00000078; 119 00'
  ],
  [
    'HDR-04',
    'compression_type 2',
    '72 00*7 08; 104 02',
    'compression_type 104 1',
    'invalid both OPEN-07',
    '72 00*7 08; 104 01'
  ],
  ['HDR-04', 'the bit without the type', '72 00*7 08', 'incompatible_features 72 8', 'invalid both OPEN-08', ''],
  ['HDR-04', 'the type without the bit', '104 01', 'compression_type 104 1', 'invalid both OPEN-08', ''],
  [
    'HDR-04',
    'the bit without the field',
    '72 00*7 08; 100 00000068',
    'incompatible_features 72 8',
    'invalid both OPEN-08',
    '100 00000068; 104 01'
  ],
  ['HDR-07', 'padding that is not zero', '111 01', 'padding 105 7', 'invalid format', '100 00000068; 111 01'],
  [
    'SUB-01',
    'extended L2 entries in clusters of 8 KiB',
    '72 00*7 10; 20 0000000d; 40 00*8; 48 00*8',
    'cluster_bits 20 4',
    'invalid both OPEN-11',
    '72 00*7 10; 20 0000000e'
  ],
  [
    'FEAT-06',
    'raw external data without a data file',
    '88 00*7 02',
    'autoclear_features 88 8',
    'invalid both OPEN-26',
    '72 00*7 04; 88 00*7 02'
  ],
  [
    'DATA-01',
    'a snapshot beside an external data file',
    '72 00*7 04; 60 00000001',
    'nb_snapshots 60 4',
    'invalid both',
    '60 00000001'
  ],
  [
    'BACK-07',
    'a backing file beside raw external data',
    '72 00*7 04; 88 00*7 02; 8 00*7 78 00000001',
    'backing_file_offset 8 8',
    'invalid format',
    '72 00*7 04; 8 00*7 78 00000001'
  ],
  ['OPEN-16', 'an unaligned table', '48 00*6 1200', 'refcount_table_offset 48 8', 'invalid both', '48 00*6 2000'],
  [
    'OPEN-16',
    'a table that QEMU cannot reach',
    '48 7fffffffc0000000',
    'refcount_table_offset 48 8',
    'limit qemu',
    '48 7fffffffbffff000'
  ],
  ['OPEN-18', 'an unaligned table', '64 00*6 0800', 'snapshots_offset 64 8', 'invalid both', '64 00*6 1000'],
  ['OPEN-18', 'a table at 2^63', '64 8000000000000000', 'snapshots_offset 64 8', 'limit qemu', '64 7ffffffffffff000'],
  ['OPEN-20', 'an unaligned table', '40 00*6 3ff8', 'l1_table_offset 40 8', 'invalid both', '40 00*6 4000'],
  [
    'OPEN-20',
    'a table that QEMU cannot reach',
    '40 7fffffffc0000000',
    'l1_table_offset 40 8',
    'limit qemu',
    '40 7fffffffbffff000'
  ],
  [
    'REF-06',
    'a refcount table of more than 8 MiB',
    '56 00000801',
    'refcount_table_clusters 56 4',
    'limit qemu OPEN-15',
    '56 00000800'
  ],
  [
    'OPEN-21',
    'a disk of 2^31 L1 entries',
    '24 000fffffffe00001; 36 00400000',
    'size 24 8',
    'limit qemu',
    '24 000fffffffe00000; 36 00400000'
  ],
  [
    'HDR-09',
    'the most L1 entries for a disk of 2^31 - 1',
    '24 000fffffffe00000; 36 00400000',
    'l1_size 36 4',
    'invalid both OPEN-22',
    ''
  ],
  [
    'HDR-09',
    'one L1 entry for a disk of 2 MiB and a byte',
    '24 00*4 00200001',
    'l1_size 36 4',
    'invalid both OPEN-22',
    '24 00*4 00200000'
  ],
  ['OPEN-06', 'a name behind the first cluster', '8 00*6 1001', 'backing_file_offset 8 8', 'limit qemu', '8 00*6 1000'],
  [
    'BACK-01',
    'a name of 1024 bytes',
    '8 00*7 78 00000400',
    'backing_file_size 16 4',
    'invalid both OPEN-28',
    '8 00*7 78 000003ff'
  ],
  [
    'BACK-02',
    'a name that runs past the first cluster',
    '8 00*6 0ffe 00000003',
    'backing_file_size 16 4',
    'limit qemu OPEN-28',
    '8 00*6 0ffe 00000002'
  ]
)
