/** What a write copies and which bits it changes with extended L2 entries. */

import { chapter } from './clause.js'

export const subclusterWrite = chapter('Writing subclusters', {
  'SW-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A write to an unallocated or zero-plain cluster copies only up to subcluster limits: the head from the start ' +
      'of the first touched subcluster, the tail to the end of the last. The touched subclusters get allocation 1 ' +
      'and zero 0, and the others keep their state.'
  },
  'SW-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'When a new cluster replaces an allocated, shared one, the copied range starts at the lowest allocated or ' +
      'touched subcluster and ends at the highest. All subclusters in it become allocated, zero and unallocated ones ' +
      'in between too.'
  },
  'SW-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'In place, with COPIED 1, a write whose touched subclusters are all data changes no metadata. Else the first ' +
      'and the last touched subcluster are filled up by a copy only if they are not data.'
  },
  'SW-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'A write to a compressed cluster copies the whole cluster and sets allocation bits FFFFFFFF.'
  },
  'SW-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Zeroing a part of a cluster sets the zero bits and clears the allocation bits of whole subclusters; in a ' +
      'compressed cluster zeros are written instead. QEMU does not free a cluster when its last data subcluster is ' +
      'zeroed.'
  },
  'SW-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Preallocation links the host cluster and leaves the bitmap at 0, so that a backing file shows through. That ' +
      'is why preallocation with a backing file needs extended L2 entries.'
  }
})
