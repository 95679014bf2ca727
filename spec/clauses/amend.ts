/** Changing the properties of an existing image. */

import { chapter } from './clause.js'

export const amend = chapter('Amend', {
  'AM-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Amend changes compat, lazy_refcounts, refcount_bits, size, data_file, data_file_raw (only off) and encrypt ' +
      'options, and refuses all others. If backing_file or backing_fmt is given, both must equal the present values, which ' +
      'is checked last but for lazy refcounts, size and downgrade. The order is upgrade, encryption, refcount width, ' +
      'header, lazy refcounts, size, downgrade; a step that fails leaves the earlier ones done.'
  },
  'AM-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Version 2 to 3: the snapshot table is rewritten if an entry has fewer than 16 bytes of extra data, then the ' +
      'header with version 3 and header_length 112.'
  },
  'AM-03': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'Version 2 has 16-bit refcounts, no data file and no incompatible bits. So going from version 3 to 2 needs ' +
      'them: the dirty bit is cleaned first, and compression type becomes 0 if no tree has a compressed cluster. ' +
      'QEMU, and this package, also refuse a snapshot whose disk size differs from that of the image or whose VM ' +
      'state is 4 GiB or more.',
    divergences: [
      {
        on: 'a downgrade of a zstd image whose only compressed clusters are in a snapshot',
        format: 'refuses',
        qemu: 'accepts'
      }
    ]
  },
  'AM-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Going to version 2, in the active tree and all snapshots: QEMU fills the host cluster of a zero entry with ' +
      'zeros in place and clears the flag; a zero entry without a cluster becomes 0 without a backing file, and ' +
      'gets a new cluster of zeros with one. The refcount of the new cluster is that of its L2 table, and COPIED ' +
      'is set if the refcount of the L2 table is 1. The L2 table is written before the refcount, so a crash may ' +
      'leave a refcount of 0.'
  },
  'AM-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A version 2 header ends at byte 72, so the feature words vanish; the extensions begin there, the bitmaps ' +
      'extension among them. QEMU warns when it opens the image, and its next writable open drops the extension, ' +
      'whose clusters leak.'
  },
  'AM-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A new refcount width takes new refcount blocks and a new refcount table; QEMU allocates until their number is ' +
      'stable. It copies the old refcounts, flushes, writes the header, and frees the old blocks and table. It fails ' +
      'if a refcount does not fit the new width, and in version 2.'
  },
  'AM-07': {
    level: 'must',
    subject: 'writer',
    source: 'format',
    says:
      'Going to version 2 does not overwrite a host cluster that another entry names too, but gives the entry a ' +
      'cluster of its own; COPIED is set only if the refcount of the named cluster is one.',
    divergences: [
      {
        on: 'a downgrade with a zero entry whose host cluster a snapshot has as data',
        format: 'refuses',
        qemu: 'accepts'
      }
    ]
  }
})
