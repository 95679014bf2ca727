/** The three feature words: incompatible at byte 72, compatible at 80, autoclear at 88. */

import { chapter } from './clause.js'

export const feature = chapter('Feature bits', {
  'FEAT-01': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'A reader refuses an image with an incompatible bit that it does not know, also for a read-only open. Bit 0 is ' +
      'dirty, 1 corrupt, 2 external data file, 3 compression type, 4 extended L2 entries, and bits 5 to 63 are ' +
      'reserved. QEMU takes the names of unknown bits from the feature name table and shows the rest as a hexadecimal ' +
      'mask.'
  },
  'FEAT-02': {
    level: 'may',
    subject: 'reader',
    source: 'both',
    says:
      'Unknown compatible bits are ignored, and kept when the header is rewritten. Bit 0 is lazy refcounts: refcount ' +
      'writes may be postponed while the dirty bit is set; bits 1 to 63 are reserved.'
  },
  'FEAT-03': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'A writer clears every autoclear bit it does not know before it writes. Bit 0 says that the bitmaps extension ' +
      'is consistent, bit 1 that the external data file is raw, and bits 2 to 63 are reserved; a writer that ' +
      'supports neither feature clears bits 0 and 1 as well. QEMU clears unknown bits at every writable open, even ' +
      'if nothing is written, and leaves them at a read-only open.'
  },
  'FEAT-04': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'While the dirty bit (incompatible bit 0) is set, refcounts may be wrong and are rebuilt from the L1 and L2 ' +
      'tables before the image is used; reading does not depend on them. QEMU does not change the bit at a read-only ' +
      'open. Its writable open repairs leaks and errors, fails if check errors remain, and clears the bit if no ' +
      'corruption remains; if one does, the image opens nevertheless and a clean close clears the bit. This package ' +
      'refuses such a writable open.',
    divergences: [
      {
        on: 'reading an image whose dirty bit is set without repairing it first',
        format: 'refuses',
        qemu: 'accepts',
        erratum: {
          section: 'Header, incompatible_features, bit 0',
          fault:
            'The text asks for a repair before any access. Reading does not depend on refcounts, and QEMU reads ' +
            'a dirty image without a repair.',
          replaces: 'make sure to scan L1/L2 tables to repair refcounts before accessing the image.',
          proposal:
            'make sure to scan L1/L2 tables to repair refcounts before writing to the image. Reading does not ' +
            'depend on refcounts, so an image may be read while this bit is set.'
        }
      }
    ]
  },
  'FEAT-05': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'An image whose corrupt bit (incompatible bit 1) is set is not written except to regain consistency. QEMU ' +
      'refuses a writable open and allows a read-only one. A repair of leaks or of all that ends with 0 errors and 0 ' +
      'corruptions clears the bit, even if it found nothing to repair.'
  },
  'FEAT-06': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The raw external data bit (autoclear bit 1) is set only together with the external data file bit ' +
      '(incompatible bit 2). QEMU tests this only when it opens the image for I/O.',
    divergences: [
      {
        on: 'the raw external data bit without the external data file bit, opened for metadata only (qemu-img info)',
        format: 'reports',
        qemu: 'accepts'
      }
    ]
  },
  'FEAT-07': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'The bitmaps bit (autoclear bit 0) without the bitmaps extension is an error. QEMU opens and checks such an image ' +
      'silently, and keeps the bit when it opens it for writing; its overlap check then stops the first write that it ' +
      'tests (INT-21), and marks the image corrupt. This package reports the bit, refuses a command that writes more of ' +
      'the image file than the header, and leaves the image as it is.',
    divergences: [
      { on: 'opening an image with the bitmaps bit set and no bitmaps extension', format: 'refuses', qemu: 'accepts' }
    ]
  },
  'FEAT-08': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      "The raw external data bit depends on incompatible bit 2, the external data file. A note in the format's text " +
      'calls it incompatible feature bit 1, which is the corrupt bit: an erratum.',
    divergences: [
      {
        on: 'the raw external data bit beside the corrupt bit, without the external data file bit',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Header, autoclear_features, bit 1',
          fault: 'Incompatible feature bit 1 is the corrupt bit. The external data file bit is bit 2.',
          replaces: '(incompatible feature bit 1)',
          proposal: '(incompatible feature bit 2)'
        }
      }
    ]
  }
})
