/** What a check counts, reports, repairs and returns. */

import { chapter } from './clause.js'

export const check = chapter('Check', {
  'CHK-01': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'A check counts the references to every cluster: header, active L1, L2 tables, normal and zero-allocated ' +
      'clusters (not with a data file), each cluster of a compressed range; the same for every snapshot L1 that is ' +
      'aligned and at most 32 MiB, else a corruption; snapshot table, refcount table, LUKS area; with autoclear bit ' +
      '0 and a loaded extension the bitmap directory, tables and data; last, the refcount blocks. The array starts ' +
      'at ceil(file length / cluster size) entries and grows.'
  },
  'CHK-02': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'A reference whose end exceeds the file length by one cluster or more is a corruption and is not counted. Less ' +
      'than a cluster is fine.'
  },
  'CHK-03': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'A reference that would take the expected count above the maximum of the refcount width is a corruption.'
  },
  'CHK-04': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'Corruptions: reserved bits in L1, L2 or refcount table entries; unaligned L2, data or refcount block offsets; ' +
      'a compressed entry with COPIED, data file or bitmap; a bitmap invalid by SUB-03; a refcount block outside the ' +
      'file or of count other than 1; a count below its references; a wrong COPIED in the active tree, which with a ' +
      'data file is 1; snapshots with a data file; a version 3 snapshot with less than 16 bytes of extra data.'
  },
  'CHK-05': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'A count above its references is a leak. Only clusters inside the file, or referenced beyond it, are compared, ' +
      'so other counts past the end of the file are not seen.'
  },
  'CHK-06': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'Check errors, which lead to exit code 1, are I/O errors, a table that is too large, a snapshot table that ' +
      'cannot be read, an unaligned refcount table entry, and a leak repair that needs the refcount structures ' +
      'rebuilt.'
  },
  'CHK-07': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'The exit code is 0 for clean, 1 for not completed or check errors, 2 for corruptions, 3 for leaks only, 63 ' +
      'for a format that has no check. After a repair the image is checked again, and the second pass decides.'
  },
  'CHK-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A leak repair lowers counts above their references, and corrects COPIED only if nothing else is wrong. A full ' +
      'repair also raises counts below, makes unaligned zero-allocated entries zero, extends the file for a refcount ' +
      'block outside it, always corrects COPIED, cuts over-long snapshot data, rewrites the snapshot table and ' +
      'rebuilds refcounts.'
  },
  'CHK-09': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A rebuild is needed if a referenced cluster has count 0, or a refcount table entry or block is bad, and only ' +
      'a full repair does it. A new table and blocks are written from the computed counts into free clusters, header ' +
      'bytes 48 to 59 are switched, and the old structures are freed as leaks.'
  },
  'CHK-10': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A full repair does not mend reserved bits in L1 and L2 entries, unaligned data clusters, L2 entries beyond ' +
      'the end of the file, invalid subcluster bitmaps, compressed entries with COPIED, bad snapshot L1 pointers or ' +
      'bad bitmaps. Unaligned refcount table entries and reserved bits in them end with exit code 1 and the corrupt ' +
      'bit set.'
  },
  'CHK-11': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'A repair that ends with 0 errors and 0 corruptions clears the dirty and the corrupt bit.'
  },
  'CHK-12': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'image-end-offset is the end of the highest cluster with a count or a reference above 0. total-clusters is ' +
      'ceil(size / cluster size); allocated are normal, zero-allocated and compressed entries of the active tree; ' +
      'fragmented are all compressed ones, and others that do not directly follow the one before in the same L2 ' +
      'table.'
  },
  'CHK-13': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A check opens the image read-only unless it repairs. It validates the snapshot table itself, so that a broken ' +
      'one is reported and does not block the open.'
  }
})
