/** Where compressed payloads go. */

import { chapter } from './clause.js'

export const compressedWrite = chapter('Writing compressed clusters', {
  'CW-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A compressed write covers whole clusters, of which the last may be the last, partial cluster of the disk; ' +
      'another one fails with EINVAL, and with a data file every one with ENOTSUP. Data that cannot be compressed ' +
      'is written as a normal write. Other data needs an L2 entry without a host offset (unallocated or ' +
      'zero-plain); otherwise the write fails with EIO. With extended L2 entries the bitmap becomes 0.'
  },
  'CW-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU packs payloads with a byte cursor p in memory, 0 after open. If p is 0, the refcount of its cluster is ' +
      'at its maximum, or too few bytes are left in it, QEMU allocates a free cluster below 2^min(70 - ' +
      'cluster_bits, 56). Only in the last case, and if that cluster directly follows the cluster of p, the ' +
      'payload starts at p and crosses into it; otherwise it starts at the new cluster. The refcount of every ' +
      'cluster that the payload touches rises by 1. p becomes the end of the payload, or 0 if that is a cluster ' +
      'boundary.'
  },
  'CW-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The order of one request is payload, refcount block, flush, L2, flush. QEMU does not enforce it: the payload is ' +
      'written after the L2 entry is set in memory, and the L2 entry is written even if the payload could not be ' +
      '(WR-11).'
  },
  'CW-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Only qemu-img convert -c finally sets the file length to a multiple of 512. Other writers may let the file end ' +
      'inside the last sector of a payload (CMP-05).'
  },
  'CW-05': {
    level: 'must',
    subject: 'writer',
    source: 'format',
    says:
      'A payload is written only into clusters that hold nothing but payloads. QEMU keeps its cursor (CW-02) when the ' +
      'cluster of the cursor is freed. Once that cluster is allocated again for guest data, the next payload is written ' +
      'over a part of it and raises its refcount by 1, unless the payload starts at a new cluster (CW-02). If the ' +
      'cluster is allocated again for metadata, the overlap check stops that write (INT-21).',
    divergences: [
      {
        on: 'a compressed write after the cluster of the cursor was freed and allocated again for guest data',
        format: 'refuses',
        qemu: 'accepts'
      }
    ]
  }
})
