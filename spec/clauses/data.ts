/** Guest data in a file of its own, at its guest offsets. */

import { chapter } from './clause.js'

export const data = chapter('External data file', {
  'DATA-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'With incompatible bit 2 all guest data lies in the external data file, and metadata stays in the image file. ' +
      'The host offset of a standard cluster equals its guest offset. There are no compressed clusters and no ' +
      'internal snapshots, and data clusters have no refcounts.'
  },
  'DATA-02': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'The name of the data file may be stored in extension 0x44415441; without it the user supplies the file, and a ' +
      'file that the user supplies replaces a stored name. QEMU refuses to open the image if neither gives one, ' +
      'except for information (qemu-img info).'
  },
  'DATA-03': {
    level: 'should',
    subject: 'image',
    source: 'format',
    says:
      'Every allocated data cluster has an implicit refcount of 1, so bit 63 should be 1 in every allocated L2 ' +
      "entry; QEMU's check counts a clear bit beside an offset as a corruption. As offset 0 is legal, an entry with " +
      'offset 0 and bit 0 clear is allocated if and only if bit 63 is set: 0x8000000000000000 maps guest cluster 0, ' +
      'and 0 is unallocated.'
  },
  'DATA-04': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'With an external data file the offset in an entry is its guest offset. QEMU answers a read or a map through ' +
      'any other one with EIO, also if the entry reads as zeros, and marks a writable image corrupt. Its check does ' +
      'not compare the two, nor does a write that copies no bytes of the cluster, which with COPIED goes to the stored ' +
      'offset; this package compares them in both cases.',
    divergences: [
      {
        on: 'an L2 entry whose host offset differs from its guest offset, seen by a check',
        format: 'reports',
        qemu: 'accepts'
      },
      {
        on: 'a write through an L2 entry with COPIED whose host offset differs from its guest offset',
        format: 'refuses',
        qemu: 'accepts'
      }
    ]
  },
  'DATA-05': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says: 'A compressed entry in an image with a data file fails to read with EIO and is a corruption to a check.'
  },
  'DATA-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Creation with data_file_raw preallocates metadata: the L2 entry of every cluster of the disk is its guest ' +
      'offset with bit 63 set, also after the disk grows. Writing zeros writes them to the data file and sets bit 0 ' +
      'of the entry, with its offset kept. A discard, or a zero write with unmap, sets the entry to 1 and also ' +
      'discards or zeroes the data file. With extended L2 entries the zero half of the bitmap is set instead of bit ' +
      '0.'
  },
  'DATA-07': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'With the raw external data bit the data file alone is the complete raw disk. In QEMU the bit can be set only ' +
      'at creation, and amend can only clear it.',
    divergences: [
      { on: 'setting the raw external data bit on an existing image by amend', format: 'accepts', qemu: 'refuses' }
    ]
  },
  'DATA-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Creation empties a data file that exists, and deletes it if a later step fails; this package refuses one ' +
      'that is not empty. Creation and resize set its length to the virtual size. But where QEMU creates or grows a ' +
      'disk with the raw external data bit or with preallocation, a shorter file ends with the disk, or with its ' +
      'last cluster or subcluster if that was not allocated, and a longer one is not cut: its bytes become guest ' +
      'data; this package ends a shorter one with the disk, and makes those bytes zeros. A check fails with exit ' +
      'code 1 if the data file is missing, while qemu-img info works.'
  },
  'DATA-09': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'The stored name is a plain file name and is never interpreted as a protocol or as JSON: file:x.raw names a ' +
      "file called exactly that. QEMU's creation does interpret the name it is given, and stores x.raw for " +
      'file:x.raw. QEMU takes a relative name to be relative to the working directory; this package takes it to be ' +
      'relative to the folder of the image, and refuses a name that leads out of that folder, unless --allow permits it.',
    divergences: [
      {
        on: 'an external data file name that is relative',
        format: 'refuses',
        qemu: 'accepts',
        erratum: {
          section: 'String header extensions',
          fault:
            'The text does not say what a relative name is relative to, nor whether a name may have a protocol ' +
            'prefix.',
          proposal:
            'The external data file name is a plain file name: a protocol prefix or "json:" is part of the name ' +
            'of the file. Note: QEMU takes a relative external data file name to be relative to the current ' +
            'working directory, not to the directory of the image file.'
        }
      }
    ]
  },
  'DATA-10': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'In an image with a data file creating and applying snapshots and compressed writes fail with ENOTSUP. QEMU ' +
      'lists no snapshot, and finds none to delete, but qemu-img convert -l reads one that the table has, from the ' +
      'data file by its L1 table.'
  }
})
