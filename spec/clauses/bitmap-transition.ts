/** How stored bitmaps change from open to close. */

import { chapter } from './clause.js'

export const bitmapTransition = chapter('Bitmap transitions', {
  'BT-01': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says:
      'A writable open with at least one consistent bitmap clears autoclear bit 0 in the header and flushes, ' +
      'rewrites the directory in place with in_use set, then the header, flushes, and sets the bit in the header ' +
      'again and flushes.'
  },
  'BT-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A close writes for every bitmap the data clusters that have a set bit, other entries being 0, a new table and ' +
      'a new directory, all in fresh clusters, flushes, writes the header with the new directory offset and ' +
      'autoclear bit 0, flushes, and then frees the old ones. in_use is cleared and auto says whether the bitmap is ' +
      'enabled.'
  },
  'BT-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Add puts a new record at the end of the directory, with a table of zero entries. A bitmap added as disabled ' +
      'has flags 0.'
  },
  'BT-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Remove writes a directory without the record, or drops the extension and clears autoclear bit 0 if it was the ' +
      'last, then the header, then frees the clusters of the bitmap. It works for an inconsistent bitmap too.'
  },
  'BT-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Clear sets all table entries to 0, enable and disable toggle auto, and merge is the OR of the bits at ' +
      'converted granularity: a coarse source bit sets all its fine bits, a fine source bit its coarse bit.'
  },
  'BT-06': {
    level: 'must',
    subject: 'reader',
    source: 'qemu',
    says:
      'After a crash between BT-01 and BT-02 in_use is still set and the bitmap is inconsistent. A writer that does ' +
      'not know bitmaps clears autoclear bit 0, and all bitmaps are dropped (BMP-11).'
  },
  'BT-07': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says: 'Writes, zero writes and discards in the layer that carries an enabled bitmap set its bits.'
  },
  'BT-08': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says:
      'When storing a bitmap table fails after it was converted to big-endian, its entries are converted back before ' +
      'the clusters they name are freed.'
  }
})
