/** L1 and L2 tables, compressed payloads, refcounts and files that break a rule. */

import { fresh, type Recipe } from '../../recipe.js'
import {
  dataFile,
  deflated,
  extended,
  frame2048,
  frame4096,
  frame8192,
  plain,
  plainSteps,
  plainV2,
  snapshot,
  twoTables,
  zeroed,
  zstd
} from '../patched.js'

export const brokenClusters: readonly Recipe[] = [
  {
    name: 'broken-truncated-in-l2',
    title: 'a file that ends within an L2 entry',
    check: 2,
    steps: [...plainSteps, 'truncate img.qcow2 0x400c']
  },
  {
    name: 'broken-truncated-v2',
    title: 'a version 2 file that ends with its header: the tables read as zeros',
    check: 2,
    steps: [fresh('64k', 'cluster_size=4k,compat=0.10'), 'truncate img.qcow2 72']
  },
  {
    name: 'broken-truncated-before-data',
    title: 'a file that ends before its last data cluster',
    check: 2,
    steps: [...plainSteps, 'truncate img.qcow2 0x5800']
  },
  plain('broken-l1-reserved-low', 2, 'a reserved low bit in an L1 entry', 'l1 8000000000004001'),
  plain('broken-l1-reserved-high', 2, 'a reserved high bit in an L1 entry', 'l1 c000000000004000'),
  twoTables('broken-l1-reserved-alone', 2, 'an L1 entry of nothing but a reserved bit', 'l1+8 0000000000000001'),
  plain('broken-l1-copied-missing', 2, 'an L1 entry that lacks COPIED', 'l1 0000000000004000'),
  snapshot('broken-l1-copied-shared', 2, 'COPIED in an L1 entry whose table is shared', 'l1 80'),
  plain('broken-l1-entry-past-end', 2, 'an L2 table past the end', 'l1 8000000000100000'),
  plain('broken-l1-entry-itself', 2, 'an L1 table used as an L2 table', 'l1 8000000000003000'),
  twoTables('broken-l1-entry-twice', 2, 'two L1 entries with one L2 table', 'l1+8 8000000000004000'),
  plain('broken-l2-table-unaligned', 2, 'an unaligned L2 table', 'l1 8000000000004200'),
  plain('broken-l2-reserved-low', 2, 'a reserved low bit in an L2 entry', 'l2 8000000000005002'),
  plain('broken-l2-reserved-high', 2, 'a reserved high bit in an L2 entry', 'l2 8100000000005000'),
  plain('broken-l2-copied-missing', 2, 'an L2 entry that lacks COPIED', 'l2 0000000000005000'),
  snapshot('broken-l2-copied-shared', 2, 'COPIED in an L2 entry whose cluster is shared', 'l2 80'),
  plain('broken-l2-copied-alone', 0, 'COPIED in an L2 entry without a cluster', 'l2+16 8000000000000000'),
  plain('broken-l2-zero-copied', 0, 'COPIED in a zero cluster without space', 'l2+16 8000000000000001'),
  plainV2('broken-l2-zero-v2', 0, 'a zero cluster in version 2', 'l2 8000000000005001'),
  plain('broken-data-unaligned', 2, 'an unaligned data cluster', 'l2 8000000000005200'),
  zeroed('broken-zero-unaligned', 2, 'a zero cluster with unaligned space', 'l2 8000000000005201'),
  plain('broken-data-past-end', 2, 'a data cluster past the end', 'l2 8000000000100000'),
  plain('broken-data-in-metadata', 2, 'a data cluster in the refcount table', 'l2 8000000000001000'),

  deflated('broken-compressed-copied', 2, 'COPIED in a compressed entry', 'l2 c000000000005000'),
  deflated('broken-compressed-past-end', 2, 'a compressed cluster past the end', 'l2 4000000000100000'),
  deflated('broken-compressed-at-zero', 2, 'a compressed cluster in the header', 'l2 4000000000000000'),
  deflated('broken-deflate-garbage', 0, 'a payload that is no deflate stream', 'payload ffffffffffffffff'),
  deflated('broken-deflate-zlib', 0, 'a deflate stream in a zlib wrapper', 'payload 789c 01 0100 feff 41'),
  deflated('broken-deflate-short', 0, 'a deflate stream of less than a cluster', 'payload 01 0100 feff 41'),
  deflated('broken-deflate-unfinished', 0, 'a deflate stream without a final block', 'payload 00 0100 feff 41'),
  zstd('broken-zstd-garbage', 0, 'a payload that is no zstd frame', 'payload ffffffffffffffff'),
  zstd('broken-zstd-short', 0, 'a zstd frame of less than a cluster', `payload ${frame2048} 00000000`),
  zstd('broken-zstd-long', 0, 'a zstd frame of more than a cluster', `payload ${frame8192}`),
  zstd(
    'broken-zstd-checksum',
    0,
    'a zstd frame with a wrong checksum',
    `payload ${frame4096} deadbeef`,
    'payload+4 64'
  ),

  extended('broken-subcluster-both', 2, 'a subcluster both allocated and zero', 'l2+8 0000000100000001'),
  extended(
    'broken-subcluster-nowhere',
    2,
    'an allocated subcluster without a cluster',
    'l2+32 0000000000000000 0000000000000001'
  ),
  extended('broken-subcluster-compressed', 2, 'a compressed cluster with a bitmap', 'l2+24 0000000000000001'),
  extended('broken-subcluster-zero-bit', 0, 'the zero bit in an extended entry', 'l2+7 01'),

  dataFile('broken-data-file-offset', 0, 'a data file entry at another offset than the guest', 'l2+8 8000000000005000'),
  dataFile('broken-data-file-copied', 2, 'a data file entry that lacks COPIED', 'l2+8 0000000000001000'),
  dataFile('broken-data-file-compressed', 2, 'a compressed cluster with a data file', 'l2 4000000000000000'),

  plain('broken-refcount-header', 2, 'a header with refcount 0', 'refcount_block 0000'),
  plain('broken-refcount-l2', 2, 'an L2 table with refcount 0', 'refcount_block+8 0000'),
  plain('broken-refcount-data', 2, 'a data cluster with refcount 0', 'refcount_block+10 0000'),
  plain('broken-refcount-high', 2, 'a data cluster with refcount 2 and one reference', 'refcount_block+10 0002'),
  plain('broken-refcount-past-end', 0, 'a count for a cluster past the end', 'refcount_block+14 0001'),
  snapshot('broken-refcount-shared', 2, 'a shared cluster with refcount 1', 'refcount_block+10 0001'),
  plain('broken-refcount-block-none', 2, 'a refcount block that is missing', 'refcount_table 0000000000000000'),
  plain('broken-refcount-block-unaligned', 1, 'an unaligned refcount block', 'refcount_table 0000000000002200'),
  plain(
    'broken-refcount-block-reserved',
    2,
    'a reserved bit in a refcount table entry',
    'refcount_table 0000000000002001'
  ),
  plain('broken-refcount-block-past-end', 2, 'a refcount block past the end', 'refcount_table 0000000000100000'),
  plain('broken-refcount-block-twice', 2, 'a refcount block used twice', 'refcount_table+8 0000000000002000')
]
