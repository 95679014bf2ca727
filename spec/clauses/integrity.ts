/** How an image guards itself: the dirty bit, the corrupt bit and the overlap check. */

import { chapter } from './clause.js'

export const integrity = chapter('Dirty, corrupt, overlap', {
  'INT-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'With lazy refcounts (compatible bit 0), the first link of an L2 entry writes the dirty bit to bytes 72 to ' +
      '79 and flushes; from then on a flush writes L2 tables and no refcount blocks, and L2 tables may be written ' +
      'first. A clean close, a reopen read-only or switching lazy refcounts off flushes L2 tables and refcounts ' +
      'and clears the bit by a full header rewrite.'
  },
  'INT-02': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'After a crash under lazy refcounts incompatible bit 0 is set and new clusters have refcount 0; a check finds ' +
      'refcounts below their references and wrong COPIED bits, and exits with 2. A full repair or any writable open ' +
      'repairs it. A leak repair fails with exit code 1, as the refcounts need a rebuild. In QEMU it clears the dirty ' +
      'bit nevertheless, so that no later open repairs the image and the next write may allocate a cluster that is in ' +
      'use.'
  },
  'INT-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'Emptying an image by the fast path of CR-05 also sets the dirty bit to be safe against a crash.'
  },
  'INT-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'While the dirty bit is set, a write of a full cluster is linked without a flush between data and L2, so after ' +
      'a crash the new entry may expose a host cluster that its data never reached. Only a write that copies forces ' +
      'the flush. Under lazy refcounts the order of WR-08, data before L2, does not hold.'
  },
  'INT-10': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'On a fatal inconsistency in a writable image QEMU sets the corrupt bit by a full header rewrite and stops ' +
      'using the image. A version 2 image cannot store the bit, so only the running instance stops. In a read-only ' +
      'image a message is printed once.'
  },
  'INT-11': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Fatal are: an unaligned L2, data or refcount block offset; an invalid subcluster bitmap; a read through the ' +
      'zero flag in version 2 or, with a data file, through a compressed or mismatched entry; an allocation at ' +
      'offset 0 (WR-04); an overlap; in a shrink, or a growth with preallocation falloc or full and no data file, a ' +
      'refcount table without references; in a shrink a dropped refcount block that none covers or with refcount ' +
      'not 1. Of whole clusters discards, zeroing and compressed writes test no offset and bitmap, and writes at ' +
      'COPIED 0 no offset; freeing an unaligned one is only reported.'
  },
  'INT-20': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Before a write of data or of a table QEMU compares its whole clusters with the metadata areas, but a table ' +
      'rewritten in place not with its own kind; for the header the write must start below the cluster size. Mode ' +
      'constant covers header, active L1 table, refcount table, snapshot table and, with autoclear bit 0, bitmap ' +
      'directory; cached, the default, also active L2 tables, refcount blocks and inactive L1 tables; all also ' +
      'inactive L2 tables. The LUKS area and bitmap tables are never covered.'
  },
  'INT-21': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A write that would overlap metadata fails with EIO and sets the corrupt bit. QEMU does not test writes to a ' +
      'data file, of the header, of the LUKS header and its keys (only, by an assertion, the zeros that their area ' +
      'begins with), of refcount table entries, of a grown refcount table, of the L1 table and the refcount table ' +
      'in a shrink (RS-04), of an L1 table in which a snapshot command changes COPIED, and of the fast way of ' +
      'emptying an image (CR-05).'
  },
  'INT-22': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'Without a data file a standard L2 entry whose host offset is 0, the header cluster, and which has no zero ' +
      'flag is unallocated, even with COPIED set: a write replaces it, and QEMU does not report it.'
  }
})
