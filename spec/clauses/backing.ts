/** The backing file: what an image reads where it has no data of its own. */

import { chapter } from './clause.js'

export const backing = chapter('Backing file', {
  'BACK-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The backing file name is backing_file_size bytes, at most 1023, at backing_file_offset, without a terminator. ' +
      'An offset of 0 means that there is no backing file, and backing_file_size is undefined. The name should ' +
      'follow the extension area and end inside the first cluster.'
  },
  'BACK-02': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'A backing_file_offset above the cluster size is refused. If the offset is not 0, a backing_file_size above ' +
      'the smaller of 1023 and the cluster size minus the offset is refused as well, and an image with size 0 opens ' +
      'without a backing file. QEMU takes a name up to its first NUL.',
    divergences: [
      {
        on: 'a backing file name of at most 1023 bytes that does not lie inside the first cluster',
        format: 'reports',
        qemu: 'refuses',
        erratum: {
          section: 'Header extensions',
          fault: 'The text says should. QEMU does not open an image whose backing file name is elsewhere.',
          replaces: 'then the backing file name should be stored in',
          proposal: 'then the backing file name must be stored in'
        }
      }
    ]
  },
  'BACK-03': {
    level: 'should',
    subject: 'writer',
    source: 'both',
    says:
      'The name fits between the end marker and the end of the first cluster, or the header write of QEMU fails with ' +
      'ENOSPC. In version 3 with 512-byte clusters and backing format qcow2, 136 bytes come before it and names ' +
      'above 376 bytes fail; with 64 KiB clusters 1023 bytes fit; 1024 bytes are always refused.'
  },
  'BACK-04': {
    level: 'may',
    subject: 'image',
    source: 'qemu',
    says:
      'The name is a file name, a name with a protocol prefix, or a json: object. A relative file name is relative ' +
      'to the directory of the image that holds it; after the prefix file: or inside a json: object it is relative ' +
      'to the working directory.',
    divergences: [
      {
        on: 'a backing file name that is relative, or no plain file name',
        format: 'refuses',
        qemu: 'accepts',
        erratum: {
          section: 'Header, backing_file_offset',
          fault:
            'The text does not say what a relative name is relative to, nor which names there are beside those ' +
            'of files.',
          proposal:
            'A relative file name is relative to the directory of the image file. Note: QEMU also accepts a name ' +
            'with a protocol prefix, and a JSON object after "json:". A relative file name after the prefix "file:" ' +
            'or inside such an object is relative to the current working directory.'
        }
      }
    ]
  },
  'BACK-05': {
    level: 'should',
    subject: 'writer',
    source: 'both',
    says:
      'The backing file format extension is optional. A reader of an image without it can only probe the format, so ' +
      'that the guest of a raw backing file chooses the format by writing a qcow2 header to its disk. QEMU opens ' +
      'such an image and probes, but refuses to create or rebase an image without an explicit format.',
    divergences: [
      {
        on: 'creating or rebasing an image with a backing file and no backing format',
        format: 'accepts',
        qemu: 'refuses'
      }
    ]
  },
  'BACK-06': {
    level: 'must',
    subject: 'reader',
    source: 'format',
    says:
      'A guest range that is not allocated in the image reads from the same guest offset of the backing file, and as ' +
      'zeros beyond the end of the backing file.'
  },
  'BACK-07': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'An image does not have both a backing file and the raw external data bit; a backing file beside an external ' +
      'data file that is not raw is allowed. QEMU refuses to create the forbidden pair.',
    divergences: [
      {
        on: 'opening an image that has both a backing file and the raw external data bit',
        format: 'refuses',
        qemu: 'accepts'
      }
    ]
  },
  'BACK-08': {
    level: 'may',
    subject: 'image',
    source: 'both',
    says: 'The backing file may be smaller or larger than the image, and the guest sees the size of the image.'
  }
})
