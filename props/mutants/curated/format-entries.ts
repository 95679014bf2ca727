/** Mutants of src/format: feature bits, entries of tables, refcounts and views, many of them faults of other programs. */
import type { Mutant } from '../mutant.js'

const inRefcountBits = {
  red: 'props/format/refcount.test.ts',
  rule: 'a refcount below 8 bits is stored least significant bit first, a wider one is big-endian'
}

export const entryMutants: readonly Mutant[] = [
  {
    name: 'refcounts of 1 bit are packed from the most significant bit on',
    file: 'format/refcount.ts',
    change: [
      {
        in: 'refcountAt',
        find: '($i * $width) & 7',
        to: 'order === 0 ? 8 - $width - (($i * $width) & 7) : ($i * $width) & 7'
      },
      {
        in: 'setRefcount',
        find: '($i * $width) & 7',
        to: 'order === 0 ? 8 - $width - (($i * $width) & 7) : ($i * $width) & 7'
      }
    ],
    ...inRefcountBits
  },
  {
    name: 'refcounts of 2 bits are packed from the most significant bit on',
    file: 'format/refcount.ts',
    change: [
      {
        in: 'refcountAt',
        find: '($i * $width) & 7',
        to: 'order === 1 ? 8 - $width - (($i * $width) & 7) : ($i * $width) & 7'
      },
      {
        in: 'setRefcount',
        find: '($i * $width) & 7',
        to: 'order === 1 ? 8 - $width - (($i * $width) & 7) : ($i * $width) & 7'
      }
    ],
    ...inRefcountBits
  },
  {
    name: 'refcounts of 4 bits are packed from the most significant bit on',
    file: 'format/refcount.ts',
    change: [
      {
        in: 'refcountAt',
        find: '($i * $width) & 7',
        to: 'order === 2 ? 8 - $width - (($i * $width) & 7) : ($i * $width) & 7'
      },
      {
        in: 'setRefcount',
        find: '($i * $width) & 7',
        to: 'order === 2 ? 8 - $width - (($i * $width) & 7) : ($i * $width) & 7'
      }
    ],
    ...inRefcountBits
  },
  {
    name: 'refcounts of 16 bits are little-endian',
    file: 'format/refcount.ts',
    change: [
      { in: 'refcountAt', find: '$view.getUint16(2 * $i)', to: '$view.getUint16(2 * $i, true)' },
      {
        in: 'setRefcount',
        find: '$view.setUint16(2 * $i, Number($count))',
        to: '$view.setUint16(2 * $i, Number($count), true)'
      }
    ],
    red: 'props/format/refcount.test.ts',
    rule: 'refcounts of 16 bits: 1, 65534 are 0001fffe'
  },
  {
    name: 'the offset of a refcount block has no bits 56 to 63',
    file: 'format/refcount.ts',
    change: {
      in: 'rows',
      find: "masked(9, 63, 'refcount_block_offset', $$rest)",
      to: "masked(9, 55, 'refcount_block_offset', $$rest)"
    },
    red: 'props/format/refcount.test.ts',
    rule: 'bits 9 to 63 of a table entry are the offset of the block, and the others are reserved'
  },
  {
    name: 'the offset of an L2 table has no bit 55',
    file: 'format/l1.ts',
    change: {
      in: 'rows',
      find: "masked(9, 55, 'l2_table_offset', $$rest)",
      to: "masked(9, 54, 'l2_table_offset', $$rest)"
    },
    red: 'props/format/l1.test.ts',
    rule: 'bits 9 to 55 are the offset of the L2 table, bit 63 is COPIED, and all others are reserved'
  },
  {
    name: 'a view takes reserved bit 56 for part of the offset',
    file: 'format/views.ts',
    change: { in: 'offset', find: '$hi & offsetHi', to: '$hi & (offsetHi | 0x0100_0000)' },
    red: 'props/format/views.test.ts',
    rule: 'an L1 view is the entry codec at every index'
  },
  {
    name: 'the extended L2 feature is bit 5',
    file: 'format/feature.ts',
    change: {
      in: 'incompatibleRows',
      find: "feature(4, 'extended_l2', $$rest)",
      to: "feature(5, 'extended_l2', $$rest)"
    },
    red: 'props/format/feature.test.ts',
    rule: 'incompatible: each known bit is the flag of its name, and every other one is reserved'
  },
  {
    name: 'the sector count of a compressed descriptor begins one bit too high',
    file: 'format/geometry.ts',
    change: { in: 'offsetBits', find: '70 - $clusterBits', to: '71 - $clusterBits' },
    red: 'props/format/compressed.test.ts',
    rule: 'cluster_bits 21: 49 bits of offset, 13 of sectors, at most 4194304 bytes'
  },
  {
    name: 'a compressed range lacks the sector of its first byte',
    file: 'format/compressed.ts',
    change: { in: 'availableBytes', find: '$r.additionalSectors + 1', to: '$r.additionalSectors' },
    red: 'props/format/compressed.test.ts',
    rule: 'cluster_bits 21: 49 bits of offset, 13 of sectors, at most 4194304 bytes'
  },
  {
    name: 'the sector count of a payload ignores its offset in the first sector',
    file: 'format/compressed.ts',
    change: {
      in: 'additionalSectors',
      find: '($hostOffset + BigInt($length) - 1n) / $sector - $hostOffset / $sector',
      to: '(BigInt($length) - 1n) / $sector'
    },
    red: 'props/format/compressed.test.ts',
    rule: 'the sectors of a payload are those between its first and its last byte'
  },
  {
    name: 'the zero flag of an L2 entry goes before the compressed flag',
    file: 'format/l2.ts',
    change: {
      in: 'clusterOfWord',
      find: '($word & compressedFlag) === 0n',
      to: '($word & compressedFlag) === 0n || ($word & 1n) !== 0n'
    },
    red: 'props/format/l2.test.ts',
    rule: 'the type of an entry is the first whose test holds: compressed, zero, unallocated, normal'
  },
  {
    name: 'the halves of a subcluster bitmap are swapped',
    file: 'format/l2-entry.ts',
    change: [
      { in: 'l2Entry', find: '$view.getUint32(12)', to: '$view.getUint32(8)' },
      { in: 'l2Entry', find: '$view.getUint32(8)', to: '$view.getUint32(12)' }
    ],
    red: 'props/format/l2.test.ts',
    rule: 'the first four bytes of a subcluster bitmap are the zero half, the last four the allocation half'
  },
  {
    name: 'a subcluster with both bits set is data',
    file: 'format/subcluster.ts',
    change: { in: 'subclusterOf', find: '$zeros || !$placed', to: '!$placed' },
    red: 'props/format/subcluster.test.ts',
    rule: '8000000000050000 with zero bit 1 and allocation bit 1: invalid'
  },
  {
    name: 'offset 0 of an external data file is no host cluster',
    file: 'format/views.ts',
    change: {
      in: 'L2View.run',
      find: 'this.isPlaced(i) ? $size : 0',
      to: 'this.hostClusterOffset(i) !== 0 ? $size : 0'
    },
    red: 'props/format/views.test.ts',
    rule: 'in an external data file offset 0 is a host cluster, and the next one follows it'
  },
  {
    name: 'entries with different bitmaps of subclusters are one run',
    file: 'format/views.ts',
    change: { in: 'L2View.alikeRun', find: 'this.allocated(i + $n) !== $allocated', to: 'false' },
    red: 'props/format/views.test.ts',
    rule: 'a run of extended entries has subclusters that are all alike'
  },
  {
    name: 'a view reads refcounts below 8 bits from the most significant bit on',
    file: 'format/views.ts',
    change: { in: 'RefcountView.count', find: '$bit & 7', to: '8 - (1 << this.order) - ($bit & 7)' },
    red: 'props/damage/damaged.test.ts',
    rule: 'every answer is that of qemu-img, but for differences that have a row, and every row is needed'
  },
  {
    name: 'a run of bitmap bits skips 9 bits for a byte',
    file: 'format/views.ts',
    change: { in: 'BitmapView.run', find: '$whole ? 8 : 1', to: '($whole) ? 9 : 1' },
    red: 'props/format/views.test.ts',
    rule: 'a run of bitmap data goes on as long as the bits are alike, from any bit to any end'
  }
]
