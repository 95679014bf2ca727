/** Snapshot tables and bitmaps that break a rule. */

import type { Recipe } from '../../recipe.js'
import { bitmap, emptyBitmap, plainSteps, snapshot, twoBitmaps, twoSnapshots } from '../patched.js'

/** The longest snapshot table entry without extra data: id and name of 65535 bytes each, rounded up to 8. */
const longEntry = 131112
const table = 0x10000

export const brokenTables: readonly Recipe[] = [
  snapshot(
    'broken-snapshot-extra-0',
    2,
    'a snapshot without extra data in version 3',
    'snapshot_table+36 00000000 3161'
  ),
  snapshot(
    'broken-snapshot-extra-8',
    2,
    'a snapshot without a disk size in version 3',
    'snapshot_table+36 00000008 0000000000000000 3161'
  ),
  snapshot('broken-snapshot-extra-1025', 1, 'a snapshot with over 1 KiB of extra data', 'snapshot_table+36 00000401'),
  snapshot('broken-snapshot-count', 2, 'one snapshot more than the table has', 'nb_snapshots 00000002'),
  snapshot('broken-snapshot-table-past-end', 2, 'a snapshot table past the end', 'snapshots_offset 0000000000100000'),
  snapshot('broken-snapshot-table-unaligned', 1, 'an unaligned snapshot table', 'snapshots_offset 0000000000000200'),
  {
    name: 'broken-snapshot-table-large',
    title: 'a snapshot table over 64 MiB',
    check: 1,
    steps: [
      ...plainSteps,
      `truncate img.qcow2 ${table + 512 * longEntry}`,
      `patch img.qcow2 ${table + 12} ffff ffff`,
      `patch img.qcow2 ${table + 36} 00000000`,
      ...Array.from(
        { length: 9 },
        (_, power) => `copy img.qcow2 ${table} ${table + 2 ** power * longEntry} ${2 ** power * longEntry}`
      ),
      `patch img.qcow2 nb_snapshots 00000200 ${table.toString(16).padStart(16, '0')}`
    ]
  },
  snapshot(
    'broken-snapshot-l1-unaligned',
    2,
    'a snapshot with an unaligned L1 table',
    'snapshot_table 0000000000007200'
  ),
  snapshot('broken-snapshot-l1-large', 2, 'a snapshot with an L1 table over 32 MiB', 'snapshot_table+8 10000000'),
  snapshot(
    'broken-snapshot-l1-past-end',
    2,
    'a snapshot with an L1 table past the end',
    'snapshot_table 0000000000100000'
  ),

  twoSnapshots('broken-snapshot-ids-equal', 0, 'two snapshots of one id', 'snapshot_table+136 31'),

  bitmap('broken-bitmaps-length-23', 1, 'a bitmaps extension of 23 bytes', 'extensions+4 00000017'),
  bitmap('broken-bitmaps-reserved', 1, 'a reserved field in the bitmaps extension', 'bitmaps+4 00000001'),
  bitmap('broken-bitmaps-none', 1, 'a bitmaps extension without bitmaps', 'bitmaps 00000000'),
  bitmap('broken-bitmaps-65536', 1, 'more bitmaps than there may be', 'bitmaps 00010000'),
  bitmap('broken-bitmaps-more', 1, 'fewer bitmaps in the directory than nb_bitmaps', 'bitmaps 00000002'),
  twoBitmaps('broken-bitmaps-less', 1, 'more bitmaps in the directory than nb_bitmaps', 'bitmaps 00000001'),
  bitmap('broken-bitmap-directory-unaligned', 1, 'an unaligned bitmap directory', 'bitmaps+23 08'),
  bitmap('broken-bitmap-directory-short', 1, 'a bitmap directory of 24 bytes', 'bitmaps+8 0000000000000018'),
  bitmap('broken-bitmap-directory-large', 1, 'a bitmap directory over its limit', 'bitmaps+8 0000000010000000'),
  bitmap('broken-bitmap-directory-past-end', 1, 'a bitmap directory past the end', 'bitmaps+16 0000000000100000'),
  twoBitmaps('broken-bitmap-names-equal', 1, 'two bitmaps of one name', 'bitmap_directory+56 6230'),
  bitmap('broken-bitmap-name-empty', 1, 'a bitmap without a name', 'bitmap_directory+18 0000'),
  bitmap('broken-bitmap-type-2', 1, 'an unknown type of bitmap', 'bitmap_directory+16 02'),
  bitmap('broken-bitmap-flag-3', 1, 'a reserved flag of a bitmap', 'bitmap_directory+12 0000000a'),
  bitmap('broken-bitmap-granularity-8', 1, 'a granularity of 256 bytes', 'bitmap_directory+17 08'),
  bitmap('broken-bitmap-granularity-32', 1, 'a granularity of 4 GiB', 'bitmap_directory+17 20'),
  bitmap('broken-bitmap-granularity-64', 1, 'a granularity of 2^64 bytes', 'bitmap_directory+17 40'),
  bitmap('broken-bitmap-table-none', 1, 'a bitmap without a table', 'bitmap_directory 0000000000000000'),
  bitmap('broken-bitmap-table-unaligned', 1, 'an unaligned bitmap table', 'bitmap_directory+7 08'),
  bitmap('broken-bitmap-table-empty', 1, 'a bitmap table without entries', 'bitmap_directory+8 00000000'),
  bitmap('broken-bitmap-table-long', 1, 'a bitmap table longer than the disk needs', 'bitmap_directory+8 00000002'),
  bitmap(
    'broken-bitmap-entry-ones',
    1,
    'a bitmap table entry with a cluster and the all-ones bit',
    'bitmap_table+7 01'
  ),
  bitmap('broken-bitmap-entry-reserved', 1, 'a reserved bit in a bitmap table entry', 'bitmap_table+7 02'),
  bitmap('broken-bitmap-entry-unaligned', 1, 'an unaligned cluster in a bitmap table', 'bitmap_table+6 02'),
  emptyBitmap('broken-bitmap-entry-past-end', 2, 'a bitmap cluster past the end', 'bitmap_table 0000000000100000')
]
