/** Orders of writes that no crash breaks. Neither the format's text nor QEMU states them; the transitions here keep to them. */

import { chapter } from './clause.js'

export const order = chapter('Orders of writes', {
  'ORD-01': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Changes become visible by aligned words of eight bytes, one after the other. After each of them the image is ' +
      'sound but for leaks and COPIED flags that a snapshot command has not adapted yet (ST-20), and each range ' +
      'of the disk reads as before the change or as after it. Where two words change, one alone changes nothing that is ' +
      'read, so a torn sector does no harm. A rebase is an exception: between the old and the new backing file the image ' +
      'may have none.'
  },
  'ORD-02': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Space in the host file is freed only after no durable entry points to it. QEMU punches before the L2 change is ' +
      'durable (ZD-15), so after a crash an entry may point to a hole.'
  },
  'ORD-03': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'A cluster is not allocated again, and its refcount is not lowered, before the change of the entry that pointed ' +
      'to it is durable. Otherwise a crash may leave one cluster with two owners, and one guest range with the bytes ' +
      'of another.'
  },
  'ORD-04': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Data, and the zeros or old bytes around it, are durable before the entry that exposes them, also in an image ' +
      'with lazy refcounts, where QEMU links a full cluster without a flush between (INT-04).'
  },
  'ORD-05': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Shrinking writes the new size first, then the L2 entries, then the refcounts, and truncates the file last. ' +
      'QEMU truncates the file and changes the size before the entries (RS-05).'
  },
  'ORD-06': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Growing writes the size last: before that, the added range reads as zeros, also where a longer backing file ' +
      'covers it (RS-03) or entries of an earlier, larger disk are left (RS-06).'
  },
  'ORD-07': {
    level: 'must',
    subject: 'writer',
    source: 'ours',
    says:
      'Enabled bitmaps mark a range durably before its data changes. So they are correct at every moment, and in_use ' +
      'need not be set while the image is open (BMP-10).'
  }
})
