/** What an image must satisfy to be opened, in the order in which QEMU tests it. */

import { chapter } from './clause.js'

export const open = chapter('Opening an image', {
  'OPEN-01': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused unless bytes 0 to 3 are 51 46 49 FB. QEMU tests OPEN-01 to OPEN-32 in the order of their ' +
      'numbers, and the first that fails decides, with these exceptions: OPEN-24 comes before OPEN-23; a missing ' +
      'secret is found in the walk of OPEN-25 under LUKS, and after OPEN-26 under AES; an active L1 table above 2^63 - ' +
      '2^30 is found after OPEN-22, a refcount table there after OPEN-23, and a snapshot table there with OPEN-29 and ' +
      'OPEN-30, which are tested entry by entry; a size above 2^63 - 2^30 that passes OPEN-21 and OPEN-22 is found last.'
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
    source: 'both',
    says: 'The image is refused if cluster_bits is below 9, or, by QEMU, above 21.',
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
    level: 'may',
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
      'The image is refused if incompatible bit 3 and compression_type contradict each other: if the bit is set and ' +
      'the type is 0, or if the bit is clear and the type is not 0.'
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
    says: 'A writable open is refused if the corrupt bit is set, unless qemu-img check opens the image for a repair.'
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
    level: 'may',
    subject: 'reader',
    source: 'both',
    says: 'A system emulator refuses an image with crypt_method 1 (AES); the tools open it.'
  },
  'OPEN-14': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if refcount_table_clusters is 0, unless qemu-img check opens it: the check reports each ' +
      'referenced cluster as an error, and a full repair writes a new table.'
  },
  'OPEN-15': {
    level: 'may',
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
      'The image is refused if refcount_table_offset is not cluster aligned. QEMU also refuses a table that would end ' +
      'above 2^63 - 2^30 or, if refcount_table_clusters is 0 (OPEN-14), an offset above 2^63 - 1.'
  },
  'OPEN-17': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if nb_snapshots is above 65536. If qemu-img check opens it, the check fails with exit ' +
      'code 1, and a full repair drops the snapshots past 65536.',
    divergences: [
      {
        on: 'more than 65536 snapshots',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Header, nb_snapshots',
          fault: 'The limit of QEMU is not noted.',
          proposal: 'Note: QEMU has an implementation limit of 65536 snapshots, and does not open an image with more.'
        }
      }
    ]
  },
  'OPEN-18': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if snapshots_offset is not cluster aligned, as the format requires, even with 0 ' +
      'snapshots. QEMU also refuses a table that would end above 2^63 - 2^30 or, if nb_snapshots is 0, an offset above ' +
      '2^63 - 1. If qemu-img check opens the image, the check fails with exit code 1.'
  },
  'OPEN-19': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'The image is refused if l1_size is above 4194304.',
    divergences: [{ on: 'an active L1 table of more than 4194304 entries', format: 'accepts', qemu: 'refuses' }]
  },
  'OPEN-20': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if l1_table_offset is not cluster aligned. QEMU also refuses a table that would end above ' +
      '2^63 - 2^30 or, if l1_size is 0, an offset above 2^63 - 1.'
  },
  'OPEN-21': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if size needs more than 2^31 - 1 L1 entries. A size above 2^63 - 2^30 is refused in any ' +
      'case.'
  },
  'OPEN-22': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says: 'The image is refused if l1_size is smaller than the number of L1 entries that size needs (HDR-09).'
  },
  'OPEN-23': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if crypt_method is above 2, if the encryption options name another method, or, when it is ' +
      'opened for I/O, if the secret is missing.'
  },
  'OPEN-24': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'Asking for lazy refcounts in a version 2 image is refused: by an option at open, at creation and by an amend.'
  },
  'OPEN-25': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The image is refused if an extension breaks EXT-09 or EXT-10; if the LUKS header is invalid or its secret does ' +
      'not open it; or if, with autoclear bit 0, the bitmaps extension has a reserved field other than 0, nb_bitmaps ' +
      'of 0, or an unaligned directory offset. QEMU also refuses an image in which the extension walk fails by EXT-03 ' +
      'or EXT-06, and with autoclear bit 0 one with nb_bitmaps above 65535 or a directory size above 65535 * 1024.'
  },
  'OPEN-26': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'An image that is opened for I/O is refused if it has the external data file bit and no data file is found, if ' +
      'a data file is given without the bit, or if it has the raw external data bit without the external data file ' +
      'bit.'
  },
  'OPEN-27': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'An image with crypt_method 2 and no extension 0x0537BE77 is refused, also when only information is asked for. ' +
      'QEMU 7.2 tests it only when the image is opened for I/O, and qemu-img info of that version crashes.'
  },
  'OPEN-28': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'If backing_file_offset is not 0, the image is refused if backing_file_size is above 1023, or, by QEMU, above ' +
      'the number of bytes from backing_file_offset to the end of the first cluster (BACK-02).'
  },
  'OPEN-29': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if a snapshot table entry has more than 1024 bytes of extra data. If qemu-img check opens ' +
      'it, the check fails with exit code 1, and a full repair cuts the extra data to 1024 bytes.',
    divergences: [
      {
        on: 'a snapshot table entry with more than 1024 bytes of extra data',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Snapshots, Snapshot table entry, bytes 36 to 39',
          fault: 'The limit of QEMU is not noted.',
          proposal:
            'Note: QEMU has an implementation limit of 1024 bytes of extra data, and does not open an image with ' +
            'more.'
        }
      }
    ]
  },
  'OPEN-30': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The image is refused if the snapshot table is larger than 64 MiB. If qemu-img check opens it, the check fails ' +
      'with exit code 1, and a full repair drops the snapshots from there on.',
    divergences: [
      {
        on: 'a snapshot table of more than 64 MiB',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Snapshots',
          fault: 'The limit of QEMU is not noted.',
          proposal:
            'Note: QEMU has an implementation limit of 64 MB as the maximum snapshot table size, and does not ' +
            'open an image with a larger one.'
        }
      }
    ]
  },
  'OPEN-31': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'While autoclear bit 0 is set, the image is refused if a bitmap breaks a rule of BMP-02 (QEMU tests neither ' +
      'padding nor an empty name), BMP-04, BMP-07 or BMP-12, or if one without in_use has the name of an earlier one ' +
      '(BMP-03) or a table that breaks BMP-05.'
  },
  'OPEN-32': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A writable open of an image with the dirty bit is refused if the repair fails or ends with check errors, ' +
      'unless qemu-img check opens the image. QEMU opens an image in which only corruptions remain; here that is ' +
      'refused as well.'
  },
  'OPEN-40': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A writable open may write: QEMU clears unknown autoclear bits, drops an invalid bitmaps extension, repairs a ' +
      'dirty image and sets in_use on bitmaps.'
  },
  'OPEN-41': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'An L1 table or refcount table that lies wholly or partly past the end of the file, up to 2^63 - 2^30, opens ' +
      'without an error, and its missing entries read as zeros.'
  },
  'OPEN-42': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A writable open here clears unknown autoclear bits and writes nothing else; a dirty image is repaired before ' +
      'that. It neither drops an invalid bitmaps extension nor sets in_use.'
  }
})
