/** Orders of writes that no crash breaks. Neither the format's text nor QEMU states them; the transitions here keep to them. */

import { chapter } from './clause.js'

export const order = chapter('Orders of writes', {
  'ORD-01': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'What becomes visible becomes so by one aligned word of eight bytes at a time, and the image is sound and reads as ' +
      'old or new after each. So no write is unsafe when its sector is torn, as a header that changes in several words ' +
      'at once (HDR-13) is.'
  },
  'ORD-02': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Space is given back to the host file only when no durable entry points to it. QEMU punches before the L2 change is ' +
      'durable (ZD-15), so that a crash can leave an entry of a payload that is gone.'
  },
  'ORD-03': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A cluster is not taken again before the entry that pointed to it has changed on the disk; nor is its count lowered. ' +
      'Otherwise a crash leaves two owners, and one guest range with the bytes of another.'
  },
  'ORD-04': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Data, and the zeros or old bytes around it, are durable before the entry that shows them; also in an image with lazy ' +
      'refcounts, where QEMU links a full cluster without a flush between (INT-04).'
  },
  'ORD-05': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A disk that shrinks gets its new size first, then loses its entries, then their counts, and the file is cut last; ' +
      'QEMU cuts the file and changes the size before the entries (RS-05).'
  },
  'ORD-06': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A disk that grows gets its size last: first what it gains reads as zeros, also where a longer backing file lies ' +
      'behind (RS-03) or entries of an earlier, larger disk are left (RS-06).'
  },
  'ORD-07': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Enabled bitmaps mark a range durably before its data change, so they are right at every moment and need not be ' +
      'marked as in use while the image is open (BMP-10).'
  }
})
