/** What an image must satisfy to be opened, in the order in which QEMU tests it. */

import { chapter } from './clause.js'

export const open = chapter('Opening an image', {
  'OPEN-01': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused unless bytes 0 to 3 are 51 46 49 FB. QEMU tests OPEN-01 to OPEN-32 in the order of their ' +
      'numbers, and the first that fails decides.'
  },
  'OPEN-02': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if version is neither 2 nor 3.'
  },
  'OPEN-03': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if cluster_bits is below 9 or above 21.',
    divergences: [{ on: 'cluster_bits above 21', format: 'accepts', qemu: 'refuses' }]
  },
  'OPEN-04': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'A version 3 image is refused if header_length is below 104.'
  },
  'OPEN-05': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if header_length is greater than the cluster size.'
  },
  'OPEN-06': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if backing_file_offset is greater than the cluster size.'
  },
  'OPEN-07': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if compression_type is above 1, or names a method that the reader does not have.'
  },
  'OPEN-08': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if incompatible bit 3 is set and compression_type is 0, or if the bit is clear and ' +
      'compression_type is not 0.'
  },
  'OPEN-09': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if an unknown incompatible bit, 5 to 63, is set.'
  },
  'OPEN-10': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'A writable open is refused if the corrupt bit is set, except by qemu-img check.'
  },
  'OPEN-11': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if it has extended L2 entries and cluster size / 32 is below 512.'
  },
  'OPEN-12': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if refcount_order is above 6.'
  },
  'OPEN-13': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'A system emulator refuses an image with crypt_method 1 (AES); the tools open it.',
    divergences: [
      { on: 'an image with crypt_method 1 opened by a system emulator', format: 'accepts', qemu: 'refuses' }
    ]
  },
  'OPEN-14': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if refcount_table_clusters is 0, except by qemu-img check.'
  },
  'OPEN-15': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if refcount_table_clusters * cluster size is above 8 MiB.',
    divergences: [{ on: 'a refcount table of more than 8 MiB', format: 'accepts', qemu: 'refuses' }]
  },
  'OPEN-16': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if refcount_table_offset is not cluster aligned, or if the table would end above 2^63 - ' +
      '1.'
  },
  'OPEN-17': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if nb_snapshots is above 65536, except by qemu-img check.',
    divergences: [{ on: 'more than 65536 snapshots', format: 'accepts', qemu: 'refuses' }]
  },
  'OPEN-18': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if snapshots_offset is not cluster aligned or the snapshot table would end above 2^63 - ' +
      '1, even with 0 snapshots, except by qemu-img check.'
  },
  'OPEN-19': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if l1_size is above 4194304.',
    divergences: [{ on: 'an active L1 table of more than 4194304 entries', format: 'accepts', qemu: 'refuses' }]
  },
  'OPEN-20': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if l1_table_offset is not cluster aligned, or if the table would end above 2^63 - 1.'
  },
  'OPEN-21': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if size needs more than 2^31 - 1 L1 entries.'
  },
  'OPEN-22': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if l1_size is smaller than the number of L1 entries that size needs.'
  },
  'OPEN-23': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if crypt_method is above 2, if the encryption options given do not fit it, or if the ' +
      'secret is missing.'
  },
  'OPEN-24': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'Asking for lazy refcounts in a version 2 image is refused.'
  },
  'OPEN-25': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if the extension walk fails by EXT-03, EXT-06, EXT-09 or EXT-10, or if, with autoclear ' +
      'bit 0, the bitmaps extension has a reserved field other than 0, nb_bitmaps of 0 or above 65535, an unaligned ' +
      'directory offset, or a directory size above 65535 * 1024.'
  },
  'OPEN-26': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if it has the external data file bit and no data file is found, if a data file is given ' +
      'without the bit, or if it has the raw external data bit without the external data file bit.'
  },
  'OPEN-27': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'An image with crypt_method 2 and no extension 0x0537BE77 is refused when it is opened for I/O.'
  },
  'OPEN-28': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if backing_file_size is above 1023, or above the number of bytes from backing_file_offset ' +
      'to the end of the first cluster.'
  },
  'OPEN-29': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if a snapshot table entry has more than 1024 bytes of extra data, except by qemu-img ' +
      'check.',
    divergences: [
      { on: 'a snapshot table entry with more than 1024 bytes of extra data', format: 'accepts', qemu: 'refuses' }
    ]
  },
  'OPEN-30': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if the snapshot table is larger than 64 MiB, except by qemu-img check.',
    divergences: [{ on: 'a snapshot table of more than 64 MiB', format: 'accepts', qemu: 'refuses' }]
  },
  'OPEN-31': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if any bitmap breaks a rule of BMP-04, BMP-07 or BMP-12.'
  },
  'OPEN-32': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says: 'A writable open of an image with the dirty bit is refused if the repair fails, except by qemu-img check.'
  },
  'OPEN-40': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A writable open may write: QEMU clears unknown autoclear bits, drops an invalid bitmaps extension, repairs a ' +
      'dirty image and sets in_use on bitmaps. Here, opening writes none of this; a separate transition does.'
  },
  'OPEN-41': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'An L1 table or refcount table that lies wholly beyond the end of the file opens without an error and reads as ' +
      'zeros.'
  }
})
