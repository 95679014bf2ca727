/** Images that are sound but rare. */

import { base, fresh, io, type Recipe } from '../recipe.js'
import {
  bitmap,
  bitmapSteps,
  emptyBitmap,
  featureName,
  frame2048,
  frame4096,
  nameAtEnd,
  plain,
  plainSteps,
  snapshot,
  snapshotV2,
  zstd
} from './patched.js'

export const odd: readonly Recipe[] = [
  {
    name: 'odd-truncated-in-data',
    title: 'a file that ends within its last cluster',
    check: 0,
    steps: [...plainSteps, 'truncate img.qcow2 0x6200']
  },
  plain('odd-compatible-bits', 0, 'unknown compatible bits', 'compatible_features 8000000000000002'),
  plain('odd-autoclear-bits', 0, 'unknown autoclear bits', 'autoclear_features 8000000000000004'),
  plain(
    'odd-dirty-bit',
    0,
    'the dirty bit on an image whose refcounts are right',
    'incompatible_features 0000000000000001'
  ),
  plain('odd-header-fields', 0, 'unknown additional header fields', 'header_length 00000078', '112 feedface cafebeef'),
  plain('odd-header-whole-cluster', 0, 'a header as long as a cluster', 'header_length 00001000'),
  plain('odd-size-within-sector', 0, 'a disk that ends within a sector', 'size 0000000000010001'),
  plain(
    'odd-refcount-table-longer',
    0,
    'a refcount table of more clusters than it needs',
    'refcount_block 0001 0000 0001 0001 0001 0001 0001 0000 0001 0001',
    '0x8000 0000000000002000',
    '0x9ff8 0000000000000000',
    'refcount_table_offset 0000000000008000 00000002'
  ),
  plain('odd-l1-longer', 0, 'an L1 table with more entries than the disk needs', 'l1_size 00000040'),

  plain('odd-extension-unknown', 0, 'an unknown extension', 'extensions 12345678 00000003 abcdef 0000000000'),
  plain(
    'odd-extension-padding',
    0,
    'extensions whose padding is not zero',
    'extensions 12345678 00000003 abcdef ffffffffff 12345679 00000001 01 eeeeeeeeeeeeee'
  ),
  plain('odd-extension-empty', 0, 'an extension of no bytes', 'extensions 12345678 00000000'),
  plain('odd-extensions-without-end', 0, 'an extension up to the end of cluster 0', 'extensions 12345678 00000f88'),
  plain('odd-extensions-end-length', 0, 'an end of the extensions that has a length', 'extensions 00000000 00000008'),
  plain(
    'odd-data-file-name-alone',
    0,
    'a data file name without a data file',
    'extensions 44415441 00000007 696d672e726177'
  ),
  plain(
    'odd-feature-names',
    0,
    'a feature name table with foreign names, one of 46 bytes',
    `extensions 6803f857 00000060 ${featureName('00', '05', '7368696e79')} ${featureName('02', '3f', '61'.repeat(46))}`
  ),
  plain(
    'odd-backing-without-name',
    0,
    'a backing file name of no bytes',
    'backing_file_offset 0000000000001000 00000000'
  ),
  {
    name: 'odd-backing-name-at-end',
    title: 'a backing file name that ends with cluster 0',
    check: 0,
    steps: [...base, ...plainSteps, 'patch img.qcow2 extensions e2792aca 00000005 71636f7732 000000', ...nameAtEnd],
    companions: ['base.qcow2']
  },

  {
    name: 'odd-deflate-two-blocks',
    title: 'a deflate stream that starts with an empty stored block',
    check: 0,
    steps: [
      fresh('64k', 'cluster_size=4k'),
      io('write -c -P 1 0 4k'),
      'copy img.qcow2 0x5000 0x5005 128',
      'patch img.qcow2 payload 00 0000 ffff'
    ]
  },
  zstd('odd-zstd-two-frames', 0, 'two zstd frames in a cluster', `payload ${frame2048} ${frame2048}`),
  zstd('odd-zstd-skippable', 0, 'a skippable zstd frame first', `payload 502a4d18 04000000 01020304 ${frame4096}`),
  zstd('odd-zstd-trailing', 0, 'bytes after the last zstd frame', `payload ${frame4096} ffffffff`),
  zstd('odd-zstd-without-size', 0, 'a zstd frame without a content size', 'payload 28b52ffd 00 10 038000 aa'),

  snapshot(
    'odd-snapshot-extra-16',
    0,
    'a snapshot without icount',
    'snapshot_table+36 00000010 0000000000000000 0000000000010000 3161'
  ),
  snapshot(
    'odd-snapshot-extra-17',
    0,
    'a snapshot whose extra data ends within icount',
    'snapshot_table+36 00000011 0000000000000000 0000000000010000 ff 3161'
  ),
  snapshot(
    'odd-snapshot-extra-40',
    0,
    'a snapshot with unknown extra data',
    'snapshot_table+36 00000028 0000000000000000 0000000000010000 ffffffffffffffff',
    'snapshot_table+64 0102030405060708 090a0b0c0d0e0f10 3161'
  ),
  snapshot(
    'odd-snapshot-extra-1024',
    0,
    'a snapshot with the most extra data there may be',
    'snapshot_table+36 00000400',
    'snapshot_table+1064 3161'
  ),
  snapshotV2(
    'odd-snapshot-v2-extra-0',
    0,
    'a version 2 snapshot without extra data',
    'snapshot_table+36 00000000 3161'
  ),
  snapshotV2(
    'odd-snapshot-v2-extra-8',
    0,
    'a version 2 snapshot without a disk size',
    'snapshot_table+36 00000008 0000000000000000 3161'
  ),
  snapshot(
    'odd-snapshot-vm-state-64',
    0,
    'VM state of 4 GiB in the 64-bit field',
    'snapshot_table+40 0000000100000000'
  ),
  snapshot('odd-snapshot-name-bytes', 0, 'a snapshot name that is not UTF-8', 'snapshot_table+65 ff'),
  snapshot('odd-snapshot-name-empty', 0, 'a snapshot without a name', 'snapshot_table+14 0000'),

  bitmap(
    'odd-bitmaps-untrusted',
    3,
    'bitmaps whose bit was cleared by another writer',
    'autoclear_features 0000000000000000'
  ),
  bitmap(
    'odd-bitmap-extra-data',
    1,
    'a bitmap with compatible extra data, which the format permits',
    'bitmaps+8 0000000000000028',
    'bitmap_directory+12 00000006',
    'bitmap_directory+20 00000008 0102030405060708 6230 000000000000'
  ),
  bitmap(
    'odd-bitmap-flag-2',
    1,
    'a bitmap flagged for compatible extra data that has none',
    'bitmap_directory+12 00000006'
  ),
  bitmap(
    'odd-bitmap-in-use-long',
    0,
    'a bitmap in use whose table is too long',
    'bitmap_directory+8 00000002 00000003'
  ),
  emptyBitmap('odd-bitmap-all-ones', 0, 'a bitmap table entry for all ones', 'bitmap_table 0000000000000001'),
  {
    name: 'odd-bitmap-beside-snapshot',
    title: 'a bitmap beside a snapshot',
    check: 0,
    steps: [
      ...bitmapSteps,
      'qemu-img snapshot -c a img.qcow2',
      'patch img.qcow2 snapshot_table+16 6553f100 00000000',
      io('write -P 2 4k 4k')
    ]
  }
]
