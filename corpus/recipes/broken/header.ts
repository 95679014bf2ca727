/** Headers, features, extensions and names that break a rule. */

import { base, io, type Recipe } from '../../recipe.js'
import { dataFile, featureName, nameAtEnd, plain, plainSteps } from '../patched.js'

export const brokenHeader: readonly Recipe[] = [
  { name: 'broken-empty-file', title: 'a file of no bytes', check: 1, steps: [...plainSteps, 'truncate img.qcow2 0'] },
  { name: 'broken-not-qcow2', title: 'a file that is no qcow2 image', check: 1, steps: ['text img.qcow2 4k'] },
  {
    name: 'broken-truncated-in-header',
    title: 'a file that ends within the header',
    check: 1,
    steps: [...plainSteps, 'truncate img.qcow2 100']
  },
  plain('broken-magic', 1, 'another magic', 'magic 51464900'),
  plain('broken-version-1', 1, 'version 1', 'version 00000001'),
  plain('broken-version-4', 1, 'version 4', 'version 00000004'),
  plain('broken-cluster-bits-8', 1, 'clusters of 256 bytes', 'cluster_bits 00000008'),
  plain('broken-cluster-bits-22', 1, 'clusters of 4 MiB', 'cluster_bits 00000016'),
  plain('broken-cluster-bits-63', 1, 'clusters of 2^63 bytes', 'cluster_bits 0000003f'),
  plain('broken-header-length-103', 1, 'a header shorter than its fields', 'header_length 00000067'),
  plain('broken-header-length-105', 0, 'a header length that is no multiple of 8', 'header_length 00000069'),
  plain('broken-header-length-4104', 1, 'a header longer than a cluster', 'header_length 00001008'),
  plain('broken-header-length-max', 1, 'a header length of 2^32 - 1', 'header_length ffffffff'),
  plain('broken-header-padding', 0, 'padding in the header that is not zero', '105 01020304050607'),
  plain('broken-compression-type-2', 1, 'an unknown compression type', 'compression_type 02'),
  plain('broken-compression-type-alone', 1, 'compression type zstd without its bit', 'compression_type 01'),
  plain(
    'broken-compression-bit-alone',
    1,
    'the compression bit with deflate',
    'incompatible_features 0000000000000008'
  ),
  plain('broken-incompatible-bit-5', 1, 'an unknown incompatible bit', 'incompatible_features 0000000000000020'),
  plain('broken-incompatible-bit-63', 1, 'the last incompatible bit', 'incompatible_features 8000000000000000'),
  plain(
    'broken-incompatible-bit-named',
    1,
    'an unknown incompatible bit that the feature name table names',
    'incompatible_features 0000000000000020',
    `extensions 6803f857 00000030 ${featureName('00', '05', '7368696e79')}`
  ),
  {
    name: 'broken-corrupt-bit-refused',
    title: 'the corrupt bit keeps writers out',
    check: 0,
    steps: [...plainSteps, 'patch img.qcow2 incompatible_features 0000000000000002', `! ${io('read 0 512')}`]
  },
  {
    name: 'broken-dirty-unrepairable',
    title: 'the dirty bit on an image that cannot be repaired',
    check: 1,
    steps: [
      ...plainSteps,
      'patch img.qcow2 incompatible_features 0000000000000001',
      'patch img.qcow2 refcount_table 0000000000002200',
      `! ${io('read 0 512')}`
    ]
  },
  plain('broken-extended-l2-4k', 1, 'extended L2 entries in 4 KiB clusters', 'incompatible_features 0000000000000010'),
  plain('broken-data-file-missing', 1, 'a data file without a name', 'incompatible_features 0000000000000004'),
  plain('broken-data-file-raw-alone', 1, 'a raw data file without a data file', 'autoclear_features 0000000000000002'),
  dataFile('broken-data-file-absent', 1, 'a data file that does not exist', 'extensions+8 696d672e726178'),
  plain('broken-bitmaps-bit-alone', 0, 'the bitmaps bit without the extension', 'autoclear_features 0000000000000001'),
  plain('broken-refcount-order-7', 1, 'refcounts of 128 bits', 'refcount_order 00000007'),
  plain('broken-refcount-order-max', 1, 'refcounts of 2^(2^32 - 1) bits', 'refcount_order ffffffff'),
  plain('broken-refcount-order-3', 2, 'refcounts of 16 bits read as 8', 'refcount_order 00000003'),
  plain('broken-refcount-table-none', 2, 'a refcount table of no clusters', 'refcount_table_clusters 00000000'),
  plain('broken-refcount-table-large', 1, 'a refcount table over 8 MiB', 'refcount_table_clusters 00000801'),
  plain('broken-refcount-table-unaligned', 1, 'an unaligned refcount table', 'refcount_table_offset 0000000000001200'),
  plain('broken-refcount-table-past-end', 2, 'a refcount table past the end', 'refcount_table_offset 0000000000100000'),
  plain('broken-snapshots-65537', 1, 'more snapshots than there may be', 'nb_snapshots 00010001 0000000000007000'),
  plain(
    'broken-snapshots-unaligned',
    1,
    'an unaligned snapshot table of no entries',
    'snapshots_offset 0000000000000200'
  ),
  plain('broken-l1-large', 1, 'an L1 table over 32 MiB', 'l1_size 00400001'),
  plain('broken-l1-size-max', 1, 'an L1 table of 2^32 - 1 entries', 'l1_size ffffffff'),
  plain('broken-l1-unaligned', 1, 'an unaligned L1 table', 'l1_table_offset 0000000000003200'),
  plain('broken-l1-past-int64', 1, 'an L1 table at the end of 63 bits', 'l1_table_offset 7ffffffffffff000'),
  plain('broken-l1-past-end', 2, 'an L1 table past the end', 'l1_table_offset 0000000000100000'),
  plain('broken-l1-short', 1, 'an L1 table that does not cover the disk', 'size 0000000000400000'),
  plain('broken-size-2-62', 1, 'a disk of 2^62 bytes', 'size 4000000000000000'),
  plain('broken-size-max', 1, 'a disk of 2^64 - 1 bytes', 'size ffffffffffffffff'),
  plain('broken-crypt-method-3', 1, 'an unknown encryption method', 'crypt_method 00000003'),
  plain('broken-luks-without-pointer', 1, 'LUKS without its header', 'crypt_method 00000002'),
  plain(
    'broken-luks-pointer-without-luks',
    1,
    'a LUKS header in an image that is not encrypted',
    'extensions 0537be77 00000010 0000000000005000 0000000000001000'
  ),
  plain(
    'broken-luks-pointer-short',
    1,
    'a LUKS pointer of 8 bytes',
    'crypt_method 00000002',
    'extensions 0537be77 00000008 0000000000005000'
  ),
  plain(
    'broken-luks-pointer-unaligned',
    1,
    'a LUKS header at an unaligned offset',
    'crypt_method 00000002',
    'extensions 0537be77 00000010 0000000000005200 0000000000001000'
  ),
  plain('broken-extension-too-long', 1, 'an extension longer than the cluster', 'extensions 12345678 00000f89'),
  plain('broken-extension-length-max', 1, 'an extension of 2^32 - 1 bytes', 'extensions 12345678 ffffffff'),
  {
    name: 'broken-extension-twice',
    title: 'two backing format extensions that differ: raw, then qcow2',
    check: 0,
    steps: [
      ...base,
      ...plainSteps,
      'patch img.qcow2 extensions e2792aca 00000003 726177 0000000000 e2792aca 00000005 71636f7732 000000',
      ...nameAtEnd
    ],
    companions: ['base.qcow2']
  },
  plain(
    'broken-feature-names',
    0,
    'a feature name table with a type and a bit there is none of, and a stray byte',
    `extensions 6803f857 00000061 ${featureName('03', '00', '61')} ${featureName('00', '40', '62')} ff`
  ),
  plain(
    'broken-extension-over-name',
    1,
    'an extension that reaches into the backing file name',
    'backing_file_offset 000000000000007c 00000004',
    'extensions e2792aca 00000005 71636f7732 000000'
  ),
  plain(
    'broken-backing-format-16',
    1,
    'a backing format of 16 bytes',
    'extensions e2792aca 00000010 71717171717171717171717171717171'
  ),
  plain(
    'broken-backing-offset',
    1,
    'a backing file name past cluster 0',
    'backing_file_offset 0000000000001001 00000001'
  ),
  plain(
    'broken-backing-offset-at-end',
    1,
    'a name at the end of cluster 0',
    'backing_file_offset 0000000000001000 00000001'
  ),
  plain(
    'broken-backing-name-over-end',
    1,
    'a name over the end of cluster 0',
    'backing_file_offset 0000000000000ffa 00000007'
  ),
  plain('broken-backing-name-1024', 1, 'a name of 1024 bytes', 'backing_file_offset 0000000000000200 00000400')
]
