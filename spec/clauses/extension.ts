/** The extension area between the header and the backing file name. */

import { chapter } from './clause.js'

export const extension = chapter('Header extensions', {
  'EXT-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The extension area starts at byte header_length, at byte 72 in version 2. Each record is a u32 type, a u32 ' +
      'length, that many bytes of data, and padding of any content that rounds the record of 8 + length bytes up to ' +
      'a multiple of 8.'
  },
  'EXT-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Type 0 ends the area, and every other type appears at most once unless stated otherwise. The types are ' +
      '0xE2792ACA backing file format, 0x6803F857 feature name table, 0x23852875 bitmaps, 0x0537BE77 full disk ' +
      'encryption pointer and 0x44415441 external data file name; any other type is unknown.'
  },
  'EXT-03': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The area ends at backing_file_offset if that is not 0, else at the end of the first cluster; an offset at or ' +
      'below header_length means that there are no extensions. The walk stops at type 0, or at or past the end, ' +
      'which needs no end marker. A record, the end marker included, is refused if its first 8 bytes run past the ' +
      'end or if its length exceeds the bytes left after them; its padding may run past the end.',
    divergences: [
      {
        on: 'a backing_file_offset other than 0 and below header_length',
        format: 'reports',
        qemu: 'accepts',
        erratum: {
          section: 'Header extensions',
          fault:
            'The text does not say where the area ends without an end marker, nor what a backing_file_offset ' +
            'inside the header means.',
          proposal:
            'The header extension area ends with an extension of type 0x00000000, or at backing_file_offset if ' +
            'that is not 0, or at the end of the first cluster, whichever comes first. If backing_file_offset is ' +
            'not 0 and not greater than header_length, there are no header extensions.'
        }
      }
    ]
  },
  'EXT-04': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'The data of an extension ends at or before backing_file_offset, and bytes from there on are never parsed as ' +
      'extensions.',
    divergences: [
      {
        on: 'an extension record that reaches past backing_file_offset',
        format: 'reports',
        qemu: 'refuses',
        erratum: {
          section: 'Header extensions',
          fault: 'The text does not say that an extension ends before the backing file name.',
          proposal:
            'The data of a header extension must not extend beyond backing_file_offset if that is not 0, nor ' +
            'beyond the end of the first cluster. Its padding may.'
        }
      }
    ]
  },
  'EXT-05': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The backing file format and the external data file name are strings of exactly the length of the extension, ' +
      'without a terminator and with padding that need not be zero. QEMU reads a string up to its first NUL, and ' +
      'stores only that when it rewrites the header. Of several extensions of one known type it uses the last and ' +
      'drops the others at a rewrite; it keeps all of an unknown type.',
    divergences: [{ on: 'two header extensions of the same type', format: 'refuses', qemu: 'accepts' }]
  },
  'EXT-06': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'The backing file format is at most 15 bytes long: QEMU refuses a longer one, also in an image without a ' +
      'backing file.',
    divergences: [
      {
        on: 'a backing file format of 16 bytes or more',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'String header extensions',
          fault: 'The limit of QEMU is not noted.',
          proposal:
            'Note: QEMU does not open an image whose backing file format name is longer than 15 bytes, even if ' +
            'the image has no backing file.'
        }
      }
    ]
  },
  'EXT-07': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The feature name table has length / 48 entries of 48 bytes: byte 0 is the feature word (0 incompatible, 1 ' +
      'compatible, 2 autoclear), byte 1 the bit number 0 to 63, bytes 2 to 47 the name padded with zeros. A name of ' +
      'the full 46 bytes has no NUL.',
    divergences: [
      {
        on: 'a feature name table entry whose type is above 2 or whose bit number is above 63',
        format: 'reports',
        qemu: 'accepts'
      }
    ]
  },
  'EXT-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU writes its own feature name table of 8 entries (384 bytes), only in version 3 and only if the cluster ' +
      'size is above 4096, and keeps no other: dirty bit, corrupt bit, external data file, compression type, extended ' +
      'L2 entries, lazy refcounts, bitmaps, raw external data. On read the names serve only the message about unknown ' +
      'incompatible bits.'
  },
  'EXT-09': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The full disk encryption pointer appears only in an image with crypt_method 2, its length is 16, and the ' +
      'offset it holds is cluster aligned.'
  },
  'EXT-10': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The bitmaps extension has a length of 24, or the image is refused. While autoclear bit 0 is clear QEMU ignores ' +
      'its content and only warns.'
  },
  'EXT-11': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'An external data file name without incompatible bit 2 is accepted and shown as information. QEMU drops it at ' +
      'the next header rewrite.',
    divergences: [
      {
        on: 'an external data file name without the external data file bit',
        format: 'reports',
        qemu: 'accepts',
        erratum: {
          section: 'Header, incompatible_features, bit 2',
          fault: 'The text permits the extension beside the bit, and does not say what it means without the bit.',
          replaces: 'An External Data File Name header extension may be present if this bit is set.',
          proposal:
            'An External Data File Name header extension may be present if this bit is set. If this bit is not ' +
            'set, the extension is ignored, and it may be dropped when the header is rewritten.'
        }
      }
    ]
  },
  'EXT-12': {
    level: 'may',
    subject: 'writer',
    source: 'both',
    says:
      'An unknown extension is ignored, and its data survives a header rewrite. QEMU writes unknown extensions in ' +
      'the reverse of the order in which it read them when it opened the image, and their padding as zeros.'
  },
  'EXT-13': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'QEMU ends the feature name table before the first entry whose name is empty.'
  },
  'EXT-20': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU writes the extensions in this order: backing file format, external data file name, full disk encryption ' +
      'pointer, feature name table, bitmaps, unknown extensions, and an end marker of 8 zero bytes. The backing file ' +
      'name follows the end marker without a gap.'
  },
  'EXT-21': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Nothing but the backing file name is stored between the end marker and the end of cluster 0. A compatible ' +
      'feature that needs room uses an extension.',
    divergences: [
      {
        on: 'bytes other than zero after the end marker in cluster 0 that are no backing file name',
        format: 'reports',
        qemu: 'accepts'
      }
    ]
  }
})
