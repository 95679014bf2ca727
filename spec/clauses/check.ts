/** What a check counts, reports, repairs and returns. */

import { chapter } from './clause.js'

export const check = chapter('Check', {
  'CHK-01': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A check counts the references to every cluster: header, active L1, L2 tables, normal and zero-allocated ' +
      'clusters (not with a data file), each cluster of a compressed range; the same for every snapshot L1 table that ' +
      'is aligned and at most 32 MiB (any other is a corruption); snapshot table, refcount table, LUKS area; with ' +
      'autoclear bit 0 and a loaded extension the bitmap directory, tables and data; last, the refcount blocks. The ' +
      'array of computed refcounts starts at ceil(file length / cluster size) entries and grows.'
  },
  'CHK-02': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A reference whose end exceeds the file length, rounded up to a multiple of 512, by one cluster or more is a ' +
      'corruption and adds no reference. A reference that exceeds it by less than a cluster is accepted.'
  },
  'CHK-03': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'A reference that would raise the expected refcount above the maximum of the refcount width is a corruption.'
  },
  'CHK-04': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'Corruptions: reserved bits in L1, L2 or refcount table entries; unaligned L2, data or refcount block ' +
      'offsets; a compressed entry with COPIED, data file or bitmap; a bitmap invalid by SUB-03; a refcount block ' +
      'outside the file or with other references than that of its table entry; a refcount below its references; in ' +
      'the active tree a wrong COPIED of an entry that names an L2 table or a cluster, for a cluster of a data file ' +
      'any but 1; snapshots with a data file; a version 3 snapshot with less than 16 bytes of extra data.'
  },
  'CHK-05': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A refcount above its references is a leak. QEMU compares only clusters inside the file and those past its end ' +
      'to which a reference is counted (CHK-02), so it misses other refcounts past the end of the file.'
  },
  'CHK-06': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'Check errors, which lead to exit code 1, are I/O errors, a file of more than 2^31 - 1 clusters, a table that is ' +
      'too large, a snapshot table or the table of a bitmap in use that cannot be read, a compared cluster below an ' +
      'unaligned refcount table entry, and a leak repair that needs the refcount structures rebuilt.'
  },
  'CHK-07': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The exit code is 0 for clean, 1 for not completed or check errors, 2 for corruptions, 3 for leaks only, 63 ' +
      'for a format that has no check. After a repair that changed something the image is checked again, and the second ' +
      'pass decides.'
  },
  'CHK-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A leak repair lowers refcounts that are above their references, and corrects COPIED only if nothing else but the ' +
      'extra data of snapshots is. A full repair also raises refcounts that are below, makes unaligned zero entries, and under extended ' +
      'L2 all unaligned entries without an allocation bit, ones without a cluster, extends the file for a refcount ' +
      'block outside it, always corrects COPIED, drops snapshots past 65536 or 64 MiB of table, cuts snapshot extra ' +
      'data to 1024 bytes and fills it up to 24 where version 3 has less than 16, rewrites that snapshot table, and ' +
      'rebuilds refcounts (CHK-09).'
  },
  'CHK-09': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A rebuild is needed if a referenced cluster has refcount 0, or if a refcount table entry has reserved bits ' +
      'or is unaligned, or names a block that anything else references or that is outside a file that cannot be ' +
      'extended; only a full repair does it. QEMU writes a new table and new blocks with the computed refcounts to ' +
      'free clusters, switches header bytes 48 to 59, and frees the old structures as leaks.'
  },
  'CHK-10': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A full repair does not fix reserved bits in L1 and L2 entries, unaligned data clusters, L2 entries beyond the ' +
      'end of the file, invalid subcluster bitmaps, compressed entries with COPIED, bad snapshot L1 pointers or bad ' +
      'bitmaps. An unaligned refcount table entry ends with exit code 1 and the corrupt bit set if it covers a cluster ' +
      'of the file; so does one that is unaligned or has reserved bits if the rebuild would write over a block that the ' +
      'old table names.'
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
      'image-end-offset is the end of the highest of the compared clusters (CHK-05) whose refcount or number of ' +
      'references is above 0. total-clusters is ceil(size / cluster size). allocated-clusters is the number of normal, zero-allocated and ' +
      'compressed entries of the active tree. fragmented-clusters is the number of compressed entries, plus the ' +
      'normal and zero-allocated entries whose host cluster does not directly follow that of the previous such ' +
      'entry in the same L2 table.'
  },
  'CHK-13': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A check opens the image read-only unless it repairs. It validates the snapshot table itself, so a broken table ' +
      'is reported and does not prevent the open.'
  },
  'CHK-14': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A repair keeps the snapshots of a sound image. QEMU opens an image for a repair without its snapshot table. If ' +
      'that open rewrites the header, because a bitmap is consistent, an unknown autoclear bit is set or a bitmaps ' +
      'extension is present without autoclear bit 0, nb_snapshots and snapshots_offset become 0, and the clusters of the ' +
      'snapshots become leaks, which the same repair frees.'
  },
  'CHK-15': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A repair writes nothing where the check cannot be completed: a snapshot table, a snapshot L1 table or the ' +
      'table of a bitmap in use cannot be read. As long as a table that may name clusters is not followed or ends ' +
      'past the file, it frees no cluster, does not rebuild refcounts, and leaves a snapshot table there; the end of ' +
      'its last entry, after l1_size, names none. A cluster in the file keeps its refcount if what names it ends past ' +
      'the file (CHK-02). To QEMU a table past the end is zeros, and a snapshot L1 table that is unaligned or above ' +
      '32 MiB is skipped: it frees what only these name.'
  },
  'CHK-16': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A repair deletes no snapshot. Where nb_snapshots is above 65536 (OPEN-17) or the snapshot table is longer than ' +
      '64 MiB (OPEN-30), be it by the extra data of one entry, it fails with exit code 1 and writes nothing. The full ' +
      'repair of QEMU deletes the snapshots past the limit and frees their clusters.'
  },
  'CHK-17': {
    level: 'may',
    subject: 'reader',
    source: 'ours',
    says:
      'A check notes a leaked cluster that looks like a lost L2 table: nothing refers to it, its L2 entries break no ' +
      'rule, at least one of them names a cluster, and all clusters that they name have more refcounts than references. ' +
      'A repair prints the note before it writes: it frees the table and the guest data that only the table leads to.'
  }
})
