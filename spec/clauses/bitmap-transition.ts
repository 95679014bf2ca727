/** How stored bitmaps change from open to close. */

import { chapter } from './clause.js'

export const bitmapTransition = chapter('Bitmap transitions', {
  'BT-01': {
    level: 'may',
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
      'At close QEMU writes, for every bitmap that is neither inconsistent nor read-only, the data clusters that have a ' +
      'set bit (the other table entries are 0) and a new table, and then a new directory, all in newly allocated ' +
      'clusters; it flushes, writes the header with the new directory offset and autoclear bit 0, flushes, and then ' +
      'frees the old ones. in_use is cleared and auto says whether the bitmap is enabled.'
  },
  'BT-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Adding a bitmap appends a directory entry with a table of zero entries. The flags of a bitmap added as ' +
      'disabled are 0.'
  },
  'BT-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Removing a bitmap writes a directory without its entry to new clusters, or drops the extension and clears ' +
      'autoclear bit 0 if it was the last, then the header, and then frees the old directory and the clusters of the ' +
      'bitmap. It works for an inconsistent bitmap too, but one whose table breaks BMP-05 leaks its clusters.'
  },
  'BT-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Clear sets all table entries to 0, enable sets auto, disable clears it, and merge, of bitmaps of the same ' +
      'disk size, is the OR of the bits after conversion of the granularity: a coarse source bit sets every fine ' +
      'bit that it covers, a fine source bit sets the coarse bit that covers it.'
  },
  'BT-06': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'After a crash between BT-01 and BT-02 in_use is still set and the bitmap is inconsistent. A writer that does ' +
      'not know bitmaps clears autoclear bit 0, and all bitmaps are dropped (BMP-11).'
  },
  'BT-07': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'Writes, zero writes and discards that are carried out in the layer of an enabled bitmap set its bits. In ' +
      'QEMU a write that fails sets them too, and so does a discard that ZD-11 ignores; with discard=ignore a ' +
      'discard sets none.'
  }
})
