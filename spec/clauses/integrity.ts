/** How an image guards itself: the dirty bit, the corrupt bit and the overlap check. */

import { chapter } from './clause.js'

export const integrity = chapter('Dirty, corrupt, overlap', {
  'INT-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'With lazy refcounts (compatible bit 0), the first link of an L2 entry writes the dirty bit to bytes 72 to 79 ' +
      'and flushes; from then on refcount blocks stay in memory and L2 tables may go out first. A clean close, a ' +
      'reopen read-only or switching lazy refcounts off flushes L2 tables and refcounts and clears the bit by a full ' +
      'header rewrite.'
  },
  'INT-02': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'After a crash under lazy refcounts incompatible bit 0 is set and new clusters have count 0; a check finds ' +
      'counts below their references and wrong COPIED bits and exits with 2. A leak repair fails with exit code 1, ' +
      'as the refcounts need a rebuild; a full repair or any writable open mends it.'
  },
  'INT-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'Emptying an image by the fast path of CR-05 also uses the dirty bit as its guard against a crash.'
  },
  'INT-04': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'While the dirty bit is set, a write of a full cluster is linked without a flush between data and L2, so after ' +
      'a crash the new entry may expose a host cluster that its data never reached. Only a write that copies forces ' +
      'the flush. Under lazy refcounts the order of data before L2 in WR-08 is not promised.'
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
      'Fatal are: an unaligned L2, data or refcount block offset, the zero flag in version 2, an invalid subcluster ' +
      'bitmap, a read through a compressed or mismatched entry with a data file, an allocation at offset 0, an ' +
      'overlap, an unaligned table, a refcount table without references, and on a shrink a refcount block that is ' +
      'not covered or does not count itself as 1.'
  },
  'INT-20': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Before a write to the image file, its range, widened to clusters, is compared with the areas of another kind ' +
      'than its own; the header test asks whether the raw start is below the cluster size. The default mode cached ' +
      'covers header, active L1, refcount table, snapshot table, bitmap directory (mode constant) and active L2, ' +
      'refcount blocks, inactive L1; mode all adds inactive L2, mode none tests nothing. The LUKS area, bitmap ' +
      'tables and bitmap data are never protected.'
  },
  'INT-21': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'A write that would overlap metadata fails with EIO and sets the corrupt bit.'
  },
  'INT-22': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'An L2 entry that points to the header, at offset 0, is unallocated, and a write replaces it silently.'
  }
})
