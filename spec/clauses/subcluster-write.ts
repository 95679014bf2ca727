/** What a write copies and which bits it changes with extended L2 entries. */

import { chapter } from './clause.js'

export const subclusterWrite = chapter('Writing subclusters', {
  'SW-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A write to an unallocated or zero-plain cluster copies only up to subcluster boundaries: the head from the ' +
      'start of the first touched subcluster, the tail to the end of the last. Touched subclusters get allocation bit ' +
      '1 and zero bit 0; the other subclusters keep their bits.'
  },
  'SW-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'When a new cluster replaces an allocated, shared one, the copied range starts at the lowest allocated or ' +
      'touched subcluster and ends at the highest. All subclusters in that range become allocated, including zero and ' +
      'unallocated ones.'
  },
  'SW-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'In place, with COPIED 1, a write whose touched subclusters are all data changes no metadata. Otherwise a copy ' +
      'fills the rest of the first and of the last touched subcluster, unless they are data.'
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
      'compressed cluster QEMU writes zeros as data instead, for the whole of a request that starts or ends inside a ' +
      'compressed cluster. QEMU does not free a cluster when its last data subcluster is zeroed.'
  },
  'SW-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Preallocation links the host cluster and leaves the bitmap at 0, so that a backing file shows through. So an ' +
      'image with a backing file is created with preallocation only if it has extended L2 entries.'
  }
})
