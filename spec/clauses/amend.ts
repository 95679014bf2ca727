/** Changing the properties of an existing image. */

import { chapter } from './clause.js'

export const amend = chapter('Amend', {
  'AM-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Amend changes compat, lazy_refcounts, refcount_bits, size, data_file, data_file_raw (only off) and encrypt ' +
      'options; backing_file and backing_fmt must equal the present values, and all other options are refused. The ' +
      'order is upgrade, encryption, refcount width, header, lazy refcounts, size, downgrade.'
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
    source: 'qemu',
    says:
      'Version 3 to 2 needs 16-bit refcounts, no data file, no snapshot whose disk size differs from the image or ' +
      'whose VM state is 4 GiB or more, and no incompatible bit but dirty, which is cleaned first, and compression ' +
      'type, which becomes 0 if no compressed cluster exists.'
  },
  'AM-04': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says:
      'Going to version 2, in the active tree and all snapshots: a zero-allocated cluster is filled with zeros and ' +
      'loses the flag; a zero-plain entry becomes 0 without a backing file, and a new cluster of zeros with one. The ' +
      'refcount of the new cluster is that of its L2 table, and COPIED is set if that is 1.'
  },
  'AM-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Going to version 2 sets the compatible and autoclear words to 0 and leaves the bitmaps extension in place. ' +
      'The next open warns, and the next writable open drops the extension, whose clusters leak.'
  },
  'AM-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A new refcount width takes new refcount blocks and a new refcount table; QEMU allocates until their number is ' +
      'stable. It copies the old refcounts, flushes, writes the header, and frees the old blocks and table. It fails ' +
      'if a refcount does not fit the new width, and in version 2.'
  }
})
