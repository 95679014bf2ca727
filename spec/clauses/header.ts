/** The header at byte 0 of the image; all integers are unsigned and big-endian. */

import { chapter } from './clause.js'

export const header = chapter('Header', {
  'HDR-01': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'The header starts with magic at byte 0, version 4, backing_file_offset 8, backing_file_size 16, cluster_bits ' +
      '20, size 24, crypt_method 32, l1_size 36, l1_table_offset 40, refcount_table_offset 48, ' +
      'refcount_table_clusters 56, nb_snapshots 60 and snapshots_offset 64, and in version 2 it ends at byte 72. A ' +
      'version 2 image has feature words of 0, refcount_order 4, header_length 72 and compression_type 0; its bytes ' +
      'from 72 on are the extension area, never feature bits.'
  },
  'HDR-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Version 3 adds incompatible_features at byte 72, compatible_features at 80, autoclear_features at 88, ' +
      'refcount_order at 96 and header_length at 100. header_length is at least 104 and a multiple of 8. QEMU ' +
      'accepts any value from 104 to the cluster size, and reads extensions from that byte on.',
    divergences: [
      {
        on: 'a header_length of at least 104 that is not a multiple of 8, such as 105',
        format: 'reports',
        qemu: 'accepts'
      }
    ]
  },
  'HDR-03': {
    level: 'must',
    subject: 'writer',
    source: 'format',
    says:
      'An additional field, at byte 104 or later, is present only if header_length is greater than its offset, and ' +
      'an absent field means the same as 0. A field that must not be ignored comes with an incompatible bit; any ' +
      'other unknown field may be ignored, but keeps its value when the header is rewritten.'
  },
  'HDR-04': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'compression_type is the byte at 104: 0 is deflate, 1 is zstd. Incompatible bit 3 is set if and only if the ' +
      'field is present and not 0. An image with the bit and a value of 0, with a value other than 0 and no bit, or ' +
      'with a value above 1 is refused.'
  },
  'HDR-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'In version 3 QEMU writes a header_length of 112 plus the number of unknown bytes it found from byte 112 on, ' +
      'and keeps those bytes as they are; a header_length of 104 is 112 after the first full rewrite of the header. ' +
      'When it downgrades the image to version 2, QEMU writes the unknown bytes at byte 72, where the extension area ' +
      'starts.'
  },
  'HDR-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'With a header_length of 112 or more QEMU ignores bytes 105 to 111 when it reads a header, and writes them as ' +
      'zeros when it rewrites the header.'
  },
  'HDR-07': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'The padding that rounds the last additional field up to a multiple of 8 bytes is zero.',
    divergences: [
      {
        on: 'non-zero padding in bytes 105 to 111 of a header with header_length 112',
        format: 'reports',
        qemu: 'accepts'
      }
    ]
  },
  'HDR-08': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'QEMU rounds size down to a multiple of 512 when it opens an image, so 1048476 is presented as 1048064, and a ' +
      'full header rewrite stores the rounded size. qemu-img create rounds up to a multiple of 512.'
  },
  'HDR-09': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'l1_size is at least ceil(size / (l2_entries * cluster size)), as the lookup of every guest cluster needs an ' +
      'entry; QEMU refuses a smaller table (OPEN-22). It may be larger, and the VM state is mapped by entries after ' +
      'those that the disk needs.'
  },
  'HDR-10': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'A file that ends inside its header reads on as zeros. So a file of exactly the 72 bytes of a version 2 header ' +
      'opens, while a version 3 file of 100 bytes has header_length 0 and is refused as too short.'
  },
  'HDR-11': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'QEMU probes a file as qcow2 if it begins with the magic bytes 51 46 49 FB and a version of at least 2. ' +
      'Version 1 belongs to the older qcow format.'
  },
  'HDR-12': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A full header rewrite writes the whole first cluster: header, extensions in the order of EXT-20, end marker, ' +
      'backing file name, then zeros. Other bytes after the end marker are lost. The write is a cluster long and not ' +
      'atomic on a real disk. It fails with ENOSPC if the cluster is too small, for instance because QEMU adds its ' +
      'feature name table (EXT-08); so does a writable open that has to rewrite the header.'
  },
  'HDR-13': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU writes parts of the header, each followed by a flush: bytes 72 to 79 to set the dirty bit, 24 to 31 for ' +
      'size, 36 to 47 for l1_size and l1_table_offset, 48 to 59 for the offset and clusters of the refcount table, ' +
      '60 to 71 for nb_snapshots and snapshots_offset, 60 to 63 when a full repair drops snapshots, and 40 to 59 ' +
      'when it empties an image. Each part lies within one 512-byte sector and so is the safe commit point of a ' +
      'transition. To clear the dirty bit QEMU rewrites the whole header.'
  },
  'HDR-14': {
    level: 'should',
    subject: 'writer',
    source: 'ours',
    says:
      'With a header_length of 112 or more a rewrite of the header keeps bytes 105 to 111, since a later version of ' +
      'the format may store a field there.'
  }
})
