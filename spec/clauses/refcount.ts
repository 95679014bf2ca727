/** Refcounts: how often each host cluster is referenced, how refcounts are stored, and how their tables grow. */

import { chapter } from './clause.js'

export const refcount = chapter('Refcounts', {
  'REF-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Every host cluster has a refcount: 0 is free, 1 is used, 2 or more is shared, and a shared cluster is copied ' +
      'before it is written. Every cluster in use is referenced, including metadata and the refcount structures ' +
      'themselves; the header cluster has refcount 1.'
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
    source: 'format',
    says:
      'A refcount block has N = cluster size * 8 / width entries. The refcount of host cluster c = offset >> ' +
      'cluster_bits is entry c mod N of the block at refcount table entry c div N, masked with ~0x1ff. It is 0 if ' +
      'that entry is 0 or lies beyond the table.'
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
    level: 'must',
    subject: 'image',
    source: 'qemu',
    says:
      'The refcount table is at most 8 MiB, 8388608 / cluster size clusters, and a writer that grows it keeps that ' +
      'bound, or the image does not open again. It has at least one cluster, except for qemu-img check.'
  },
  'REF-07': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says:
      'An increment above the maximum or a decrement below 0 fails with EINVAL, and what was done before it is ' +
      'undone. With 1-bit refcounts creating a snapshot fails and leaks one cluster, the new L1 copy; with 2 bits ' +
      'the third snapshot of the same data fails so.'
  },
  'REF-08': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The refcount of a shared cluster is the number of its references: one per active or snapshot L2 entry that ' +
      'points to it, and for an L2 table one per L1 table that points to it. A compressed descriptor adds one to each ' +
      'host cluster that its byte range touches (CMP-06).'
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
      'If no block covers a cluster, QEMU flushes the L2 cache and allocates the next free cluster for the block. If ' +
      'the block covers its own cluster, it is written with that refcount at 1; if not, the refcount of its cluster ' +
      'is first raised through the present blocks, at most 2 levels deep. It writes the block, flushes, writes the ' +
      '8-byte table entry, flushes, and starts the original allocation again.'
  },
  'REF-21': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'If the refcount table is too small for cluster c, and cluster nb holds its new block, QEMU places further new ' +
      'blocks and then a new table from cluster ceil((max(c, nb) + 1) / N) * N on, N being the entries of a block. ' +
      'The new blocks hold the refcounts of themselves and of the table; the table grows by 50 % and to whole ' +
      'clusters. The order is blocks, flush, table, flush, header bytes 48 to 59, flush; then the old table is freed.'
  },
  'REF-22': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'When the header switches to the new refcount table, that table covers every cluster that had a refcount ' +
      'before, all its own blocks and itself. Nothing else changes.'
  },
  'REF-23': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A refcount block covers its whole range even if only one cluster of it is used. Blocks are removed only by a ' +
      'shrink (RS-04) and by a rebuild (CHK-09).'
  }
})
