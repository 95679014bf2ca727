/** Refcounts: how often each host cluster is referenced, how refcounts are stored, and how their tables grow. */

import { chapter } from './clause.js'

export const refcount = chapter('Refcounts', {
  'REF-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Every host cluster has a refcount: 0 if it is free, 1 if it is in use, 2 or more if it is shared. A writer ' +
      'copies a shared cluster before it changes it. Every cluster in use is referenced, including the header, whose ' +
      'refcount is 1, all metadata, and the refcount table and blocks themselves.'
  },
  'REF-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'A refcount is 2^refcount_order bits wide, 1 to 64, and at most 2^width - 1. In version 2 the width is 16.'
  },
  'REF-03': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'A refcount block has N = cluster size * 8 / width entries. The refcount of host cluster c = offset >> ' +
      'cluster_bits is entry c mod N of the block at refcount table entry c div N, masked with ~0x1ff. It is 0 if that ' +
      'entry is 0 or lies beyond the table.'
  },
  'REF-04': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'A refcount table entry is a u64: bits 0 to 8 are reserved and 0, bits 9 to 63 hold the cluster aligned offset ' +
      'of the block, at full 64 bits. The table is contiguous and has refcount_table_clusters * cluster size / 8 ' +
      'entries.'
  },
  'REF-05': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Entry i of a block of width W >= 8 is the big-endian integer at byte i * W / 8. For W < 8 the least ' +
      'significant bits come first: it is (byte[i * W >> 3] >> (i * W & 7)) & (2^W - 1). Refcounts ' +
      '1,1,1,1,2,2,2,2,2,1,1 are 55 AA 16 for W = 2 and 11 11 22 22 12 01 for W = 4, and ten refcounts of 1 are FF 03 ' +
      'for W = 1.'
  },
  'REF-06': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'The refcount table is at most 8 MiB, 8388608 / cluster size clusters, and at least one cluster; qemu-img ' +
      'check also opens an image with a table of 0 clusters. A writer that grows the table keeps the bound, or the ' +
      'image does not open again: QEMU does not, since it allows 8388608 entries, which are 64 MiB.'
  },
  'REF-07': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'A writer never stores a refcount above the maximum or below 0: a command that needs one more reference than ' +
      'the maximum fails. Here it changes no refcount then; a snapshot that fails in QEMU leaves the refcounts ' +
      'raised that it had raised before (REF-24).'
  },
  'REF-08': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The refcount of a cluster is the number of its references, counted for the active and every snapshot L1 table ' +
      'by itself: each L1 entry with an offset adds 1 to its L2 table and, through each entry of that table, 1 to ' +
      'each cluster that the entry names. So a cluster named once in an L2 table that two L1 tables share has ' +
      'refcount 2. A compressed entry names every host cluster that its byte range touches (CMP-06).'
  },
  'REF-09': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'With an external data file data clusters have no refcounts; metadata clusters do.'
  },
  'REF-20': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'If no block covers a cluster, and the refcount table has an entry for one (else REF-21), QEMU flushes the L2 ' +
      'cache and places the new block in the next free cluster. A block that covers its own cluster is written with refcount 1 there; else the refcount of its cluster is raised ' +
      'first, for which another new block may be needed, at most twice in a row. Then QEMU writes the block, flushes, ' +
      'writes the 8-byte table entry, flushes, and starts the original allocation again.'
  },
  'REF-21': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'If the table has no entry for the block that cluster c needs, QEMU first places that block, in cluster b, and ' +
      'then, from cluster ceil((max(c, b) + 1) / N) * N on, further blocks and the new table. The further blocks hold ' +
      'the refcounts of themselves and of the table. The new table has half as many entries again as there are blocks, ' +
      'rounded up to whole clusters. The order is blocks, flush, table, flush, header bytes 48 to 59, flush; then the ' +
      'old table is freed.'
  },
  'REF-22': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'When the header switches to a new refcount table, the new table covers every cluster that had a refcount ' +
      'before, all blocks it names, and itself, unless the dirty bit is set (CR-05). QEMU grows the table by a write ' +
      'of header bytes 48 to 59 between two flushes; a repair that rebuilds it (CHK-09) writes the same bytes ' +
      'without a flush before, and a change of the width (AM-06) the whole header after a flush.'
  },
  'REF-23': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A refcount block covers its whole range even if only one cluster of it is used, and is not freed when its last ' +
      'refcount becomes 0. Blocks are removed only by a shrink (RS-04), a repair that rebuilds the refcounts (CHK-09), ' +
      'a change of the refcount width (AM-06), and the fast way of emptying an image (CR-05).'
  },
  'REF-24': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'In QEMU an update that would take a refcount past its maximum or below 0 fails with EINVAL, and the part of ' +
      'this update done before is undone, but no earlier update of the same command. So a snapshot that fails leaks ' +
      'the clusters of its L1 copy, and each cluster that it counted before the one at its maximum keeps a refcount ' +
      'that is 1 too high. When clusters are freed, the failure is only printed: a discard of a cluster with ' +
      'refcount 0, or of an entry with an unaligned offset, clears the entry and succeeds.'
  }
})
