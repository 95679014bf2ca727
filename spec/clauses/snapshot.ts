/** The table of internal snapshots and what its entries point to. */

import { chapter } from './clause.js'

export const snapshot = chapter('Snapshot table', {
  'SNAP-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The snapshot table has nb_snapshots entries from snapshots_offset on, each 8-byte aligned: u64 L1 table offset, ' +
      'cluster aligned; u32 L1 entries; u16 id length; u16 name length; u32 seconds; u32 nanoseconds; u64 guest run ' +
      'time in ns; u32 VM state size; u32 size X of extra data; X bytes of extra data from byte 40 on; the id, unique ' +
      'in the image, and the name, both without a terminator; padding to 8.'
  },
  'SNAP-02': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'Extra data is u64 VM state size at byte 40 of the entry, which replaces the 32-bit one; u64 disk size at 48; u64 ' +
      'icount at 56, all ones for none. A field is present only if X covers it whole. In version 3 X is at least 16. In ' +
      'version 2 it may be 0: then the disk size is that of the image, the VM state size is the 32-bit field and there ' +
      'is no icount.'
  },
  'SNAP-03': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'Unknown extra data is ignored, and QEMU keeps it when it rewrites the table. QEMU refuses more than 1024 ' +
      'bytes of extra data; a full repair cuts it to 1024.'
  },
  'SNAP-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU writes X = max(24, old X), in version 2 too, and 0 in bytes 32 to 35 if the VM state size does not fit ' +
      '32 bits. The last entry is not padded, so the table ends at its name; padding bytes are not written and hold ' +
      'whatever the cluster held. An id or a name that has a NUL byte is cut there when QEMU rewrites the table; this ' +
      'package keeps it.'
  },
  'SNAP-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'qemu-img stores an icount of 0, not -1, in a snapshot without VM state, and qemu-img info shows it as 0.',
    divergences: [{ on: 'an icount of 0 in a snapshot taken with icount disabled', format: 'reports', qemu: 'accepts' }]
  },
  'SNAP-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU gives a new snapshot a decimal id: 1 plus the greatest number that an id begins with, where an id ' +
      'without one counts as 0 and a number above 2^64 - 1 as 2^64 - 1; after 2^64 - 1 comes 0. Names may be empty or ' +
      'occur twice. qemu-img cuts a new name to 255 bytes, and shows the first 127 bytes of an id.',
    divergences: [{ on: 'two snapshots with the same id', format: 'reports', qemu: 'accepts' }]
  },
  'SNAP-07': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'QEMU opens an image with at most 65536 snapshots and a snapshot table of at most 64 MiB, and applies and deletes a ' +
      'snapshot whose L1 table is at most 32 MiB.',
    divergences: [
      {
        on: 'applying or deleting a snapshot whose L1 table is larger than 32 MiB',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Snapshots, Snapshot table entry, bytes 8 to 11',
          fault: 'The limit of QEMU is noted for the active L1 table only.',
          proposal: 'Note: QEMU cannot apply or delete a snapshot whose L1 table is larger than 32 MB.'
        }
      }
    ]
  },
  'SNAP-08': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The L1 table of a snapshot is a private copy. L2 tables and data clusters are shared, and their refcounts ' +
      'include it.'
  },
  'SNAP-09': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says: 'The clusters of the snapshot table and of every snapshot L1 table have refcount 1.'
  },
  'SNAP-10': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'qemu-img snapshot -a looks a snapshot up by id first, then by name; -d looks up by name only.'
  },
  'SNAP-11': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says: 'snapshots_offset is cluster aligned even if nb_snapshots is 0.'
  },
  'SNAP-12': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'VM state is stored as guest data from guest offset ceil(size / (l2_entries * cluster size)) * l2_entries * ' +
      'cluster size on, that is from the first L1 entry that covers no disk cluster, in the same L1 table. In the table ' +
      'of a snapshot, size is the disk size of the snapshot.'
  },
  'SNAP-13': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'QEMU opens an image with a snapshot whose L1 table is not cluster aligned or larger than 32 MiB, and refuses to ' +
      'apply or delete that snapshot; a check reports it and does not read the table.'
  }
})
