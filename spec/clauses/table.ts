/** The two levels that map guest clusters to host clusters. */

import { chapter } from './clause.js'

export const table = chapter('L1 and L2 tables', {
  'L1-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'An L1 entry is a u64: bits 0 to 8 are reserved and 0, bits 9 to 55 hold the cluster aligned offset of an L2 ' +
      'table, or 0 if its whole range is unallocated, and bits 56 to 62 are reserved and 0. Bit 63, COPIED, is 1 if ' +
      'and only if the refcount of the L2 table is exactly 1. COPIED has a meaning only in the active L1 table.'
  },
  'L1-02': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'An L2 table has l2_entries = cluster size / 8 entries, or cluster size / 16 with extended L2 entries. Guest ' +
      'cluster k = guest offset >> cluster_bits is found at l1_index = k div l2_entries and l2_index = k mod ' +
      'l2_entries.'
  },
  'L1-03': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'An L1 table is at most 32 MiB, 4194304 entries. That bounds the virtual size to 2^(22 + cluster_bits) * ' +
      'l2_entries bytes: 128 GiB with 512-byte, 2 PiB with 64 KiB and 2 EiB with 2 MiB clusters, and half of that ' +
      'with extended L2 entries.'
  },
  'L1-04': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'QEMU ignores reserved bits in L1 and L2 entries on read, and its check reports each entry with any as one ' +
      'corruption, an L2 entry for each L1 table through which it is reached.'
  },
  'L1-05': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The offset of an L2 table is cluster aligned. QEMU answers a read or write through an unaligned one with EIO, ' +
      'and marks a writable image corrupt.'
  },
  'L1-06': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A check of QEMU treats every L1 entry that is not 0 and has offset 0, COPIED alone included, as an L2 table ' +
      'in the header cluster, though a read finds its range unallocated; with COPIED set a write, a zero ' +
      'write or a discard there aborts QEMU, but for discards that it ignores (ZD-09, ZD-11). A repair of QEMU keeps the ' +
      'reserved bits of entries, except those of an entry with an unaligned offset that it makes one without a cluster ' +
      '(CHK-08).'
  },
  'L2-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'An L2 entry, or with extended L2 entries its first half (SUB-01), is a u64 with the cluster descriptor in bits 0 ' +
      'to 61, the compressed flag in bit 62 and COPIED in bit 63.'
  },
  'L2-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'In a standard descriptor bit 0 is the zero flag, allowed in version 3 without extended L2 entries and else 0; ' +
      'bits 1 to 8 are reserved and 0; bits 9 to 55 hold the cluster aligned host offset; bits 56 to 61 are reserved ' +
      'and 0.'
  },
  'L2-03': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'Without extended L2 entries the first test that holds gives the type: bit 62 set, compressed; bit 0 set, ' +
      'zero-allocated if the offset is not 0, else zero-plain; offset 0 and (no data file or bit 63 clear), ' +
      'unallocated; else normal. Zero types read as zeros, unallocated as the backing file or zeros, the others as ' +
      'their data. Without a data file a normal or zero-allocated entry references a host cluster and a compressed ' +
      'entry a byte range; no other entry references anything.'
  },
  'L2-04': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'Without a data file COPIED is 1 if and only if the entry is a normal or zero-allocated cluster with a ' +
      'refcount of exactly 1; with a data file it is 1 in every normal or zero-allocated entry, and may stay 1 where ' +
      'guest cluster 0 is zeroed: 0x8000000000000001. Else it is 0 for unallocated, zero-plain, compressed and ' +
      'shared clusters. It is accurate only in L2 tables reached from the active L1 table.'
  },
  'L2-05': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'In version 2 bit 0 of an L2 entry is 0. QEMU answers a read of an entry with bit 0, or a write that covers ' +
      'only a part of its cluster, with EIO, and stops using a writable image as corrupt. A write of the whole ' +
      'cluster succeeds and clears the bit, also as zeros where there is a backing file. Without one zeroing over ' +
      'the entry 0x1 succeeds and keeps it, and so does discarding in any case. A check does not report the bit.',
    divergences: [{ on: 'a version 2 L2 entry with bit 0 set, seen by a check', format: 'reports', qemu: 'accepts' }]
  },
  'L2-06': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'Without a data file the entry 0x8000000000000000 is unallocated, as its offset is 0, and a check does not report ' +
      'its COPIED bit.',
    divergences: [
      {
        on: 'an L2 entry with bit 63 set and offset 0 in an image without a data file',
        format: 'reports',
        qemu: 'accepts'
      }
    ]
  },
  'L2-07': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'COPIED is not reliable outside the active tree, and no check looks at it there but in compressed entries, ' +
      'where it is always an error (CMP-01). QEMU copies bit 63 of the L1 entries into a new snapshot though the L2 ' +
      'tables become shared, and after deleting one of two snapshots sets it in an L2 table that only the other ' +
      'still has. Applying a snapshot recomputes it from the refcounts.'
  },
  'L2-08': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A host offset at or beyond the end of the file reads as zeros without an error. A check reports a corruption ' +
      'if the end of the cluster lies one full cluster or more beyond the end of the file.'
  },
  'L2-09': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'The host offset of a normal cluster is below 2^56.'
  }
})
