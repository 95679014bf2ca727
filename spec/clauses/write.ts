/** Where a write goes, what is copied along with it, and in which order things reach the disk. */

import { chapter } from './clause.js'

export const write = chapter('Writing', {
  'WR-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A write is done in place if and only if the entry is normal or zero-allocated and COPIED is 1; with extended ' +
      'L2 entries the same test is made on the descriptor, and the subcluster decides what is copied inside. For ' +
      'every other entry (unallocated, compressed, zero without a cluster, COPIED 0) a new cluster is allocated. With a ' +
      'data file the host offset is the guest offset, and no cluster is allocated.'
  },
  'WR-02': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'Before any change to an L2 table whose L1 entry has COPIED 0, which includes an entry of 0, a new L2 table ' +
      'is allocated and filled with a copy of the old one or with zeros, and the L1 entry becomes its offset with ' +
      'bit 63. Only then is the refcount of the old table decreased. Changes of COPIED alone, a repair (CHK-08) ' +
      'and a downgrade (AM-04) change a shared table in place.'
  },
  'WR-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A cursor in memory, 0 after open, moves upwards: a request for k clusters takes the first run of k clusters ' +
      'of refcount 0 at or after it and moves it past the run, and freeing a lower cluster moves it back. Free ' +
      'runs that were too short stay behind the cursor until a lower cluster is freed. A run ends with an L2 slice ' +
      'at the latest. A request of which a part has its place tries the host cluster that follows for the rest; if ' +
      'that is in use, a new search begins for it.'
  },
  'WR-04': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'Normal clusters, L2 and L1 tables are allocated up to offset 2^56 - 1. In QEMU an allocation at offset 0 of an ' +
      'L2 table, a refcount block or compressed data marks the image corrupt; those of data, bitmaps, snapshots and ' +
      'L1 tables have no guard but the overlap check.'
  },
  'WR-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'With standard L2 entries a write to a new cluster also fills the head, from the start of its first cluster to ' +
      'the write, and the tail, from the write to the end of its last cluster. Their content is what a guest read ' +
      'returns: the old cluster, decompressed data, the backing file, or zeros. Head and tail are filled even if the ' +
      'source is unallocated: with zeros, or by one zero write of the cluster.'
  },
  'WR-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A partial write to a zero-allocated cluster with COPIED 1 stays in place: head and tail are written as zeros, ' +
      'the zero flag is cleared, COPIED is kept.'
  },
  'WR-07': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The new L2 entry of a normal cluster is its host offset with bit 63. The refcounts of the old clusters, ' +
      'also those of a compressed range, are decreased after the L2 entry has changed. Old clusters freed by copy ' +
      'on write are not discarded on the host.'
  },
  'WR-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'On disk QEMU gives a new cluster its refcount before anything points to it; data and copied bytes precede ' +
      'the L2 entry that exposes them; a new L2 table precedes its L1 entry and a new L1 table the header; a ' +
      'refcount falls only after the pointer is gone. So a crash leaves leaks at most, and COPIED flags that a ' +
      'snapshot command has not adapted yet (ST-20), never a refcount too low. Exceptions: the dirty bit ' +
      '(INT-04), a shrink (RS-05), a punch (ZD-15), a compressed write (CW-03), a downgrade (AM-04), a rebuild ' +
      '(REF-22), a creation (CR-06), and a data file, durable only at the last flush.'
  },
  'WR-09': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU writes in these orders with 64 KiB clusters, F being a flush, RB a refcount block, D data and H the ' +
      'header. First write of 4 KiB: RB F L2 F L1 F D RB F L2 F, with a backing file the same, the copy within D; in ' +
      'place: D F; after a snapshot: RB F L2 F L1 F D F RB F L2 F RB F; new subcluster in a present cluster: D F L2 F. ' +
      'Lazy refcounts: the first ends in D H F L2 F, later D L2 F, at close RB F H F.'
  },
  'WR-10': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Metadata caches are written in the order of their dependencies: at a flush, at a close, at an eviction, ' +
      'before a new table is linked, and where an update would reverse an earlier dependency. So many updates ' +
      'merge between flushes. If all L2 tables of the disk exceed the L2 cache, by default 32 MiB, they are cached ' +
      'and written in slices of 4 KiB, and then are not atomic.'
  },
  'WR-11': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'When a write fails, QEMU decreases the refcounts of the clusters allocated for it; if that fails too, they ' +
      'leak. A compressed write that fails leaves its entry and its refcount, and a check finds nothing: the range ' +
      'reads as what the bytes there decode to, an I/O error or, in a cluster that was used before, an old payload, ' +
      'also that of another guest cluster.'
  }
})
