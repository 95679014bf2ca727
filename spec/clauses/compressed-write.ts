/** Where compressed payloads go. */

import { chapter } from './clause.js'

export const compressedWrite = chapter('Writing compressed clusters', {
  'CW-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A compressed write covers a whole cluster, or the last, partial one of the disk, whose L2 entry has no offset ' +
      'bits, unallocated or zero-plain; anything else is EIO. With extended L2 entries the bitmap becomes 0.'
  },
  'CW-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A byte cursor p in memory, 0 after open, packs payloads. If p is 0, the count of its cluster is at its ' +
      'maximum, or too few bytes are left in it, a free cluster below 2^min(70 - cluster_bits, 56) is taken: if it ' +
      'directly follows, the payload starts at p and crosses, else at the new cluster. Every touched cluster counts ' +
      '1 more, and p becomes the end, or 0 at a cluster limit.'
  },
  'CW-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The order is payload, refcount block, flush, L2, flush. The payload is written after the L2 entry is set in ' +
      'memory and before it reaches the disk.'
  },
  'CW-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'qemu-img convert finally sets the file length to a multiple of 512. Other writers may end the file inside the ' +
      'last sector of a payload (CMP-05).'
  }
})
