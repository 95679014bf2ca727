/** What a zero write or a discard makes of an L2 entry. */

import { chapter } from './clause.js'

export const zero = chapter('Zeroing and discarding', {
  'ZD-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Version 3 with standard L2 entries, zero without unmap: the entry of an allocated cluster becomes entry OR 1, with offset and COPIED ' +
      'kept, as in 0x8000000000050001. The entry of an unallocated one becomes 1.'
  },
  'ZD-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'Version 3 with standard L2 entries, zero with unmap: the entry becomes 1 and the cluster is freed; an unallocated one becomes 1 too.'
  },
  'ZD-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Version 3 with standard L2 entries, discard: the entry of an allocated cluster becomes 1 and the cluster is freed. An unallocated ' +
      'entry stays as it is without a backing file and becomes 1 with one. QEMU allocates the L2 table, if it is missing ' +
      'or shared, even where no entry changes.'
  },
  'ZD-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'Version 3 with standard L2 entries, zero on a compressed cluster: the entry becomes 1 and its byte range is freed.'
  },
  'ZD-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Extended L2 entries, zero of a whole cluster: the bitmap becomes 0xFFFFFFFF00000000. The descriptor is kept, ' +
      'or becomes 0 with unmap or if it was compressed or unallocated.'
  },
  'ZD-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Extended L2 entries, discard of a whole cluster: the descriptor becomes 0 and the bitmap 0xFFFFFFFF00000000. ' +
      'An unallocated cluster changes only if there is a backing file.'
  },
  'ZD-07': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Version 2 without a backing file, zero or discard: the entry becomes 0 and the cluster is freed; an ' +
      'unallocated entry stays as it is.'
  },
  'ZD-08': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'Version 2 has no zero flag (L2-05). So with a backing file a zero write writes zeros as data, into newly ' +
      'allocated clusters where needed.'
  },
  'ZD-09': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'Version 2 with a backing file, discard: not supported and ignored; the old data stays visible.'
  },
  'ZD-10': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A zero write that is not aligned is done in metadata only if the rest of the cluster or subcluster already ' +
      'reads as zeros and is unallocated or zero; else zeros are written as data. The end of the disk is treated ' +
      'as aligned.'
  },
  'ZD-11': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'A discard works on whole clusters and ignores partial ones, except the last, partial cluster of the disk.'
  },
  'ZD-12': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Version 3 with standard L2 entries, zero without unmap: the entry of a shared normal cluster becomes entry OR 1, ' +
      'with offset, refcount and COPIED 0 kept, as in 0x0000000000050001. A later write allocates a new cluster.'
  },
  'ZD-13': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A full discard, as in a shrink and when emptying an image, sets the entry and its bitmap to 0, so that the ' +
      'backing file shows through.'
  },
  'ZD-14': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'After creating a snapshot QEMU discards the first vm_state_size bytes, rounded up to a cluster, of the VM ' +
      'state area in the active tree, without a discard of the host file. The entries become what a guest discard ' +
      'makes them (ZD-03, ZD-06, ZD-07), in a new L2 table, since the snapshot shares the old one. Without VM state ' +
      'nothing is discarded.'
  },
  'ZD-15': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'When QEMU frees a cluster and passes the discard on to the host file, the hole is punched before the L2 change ' +
      'is durable: punch, L2, flush, refcount block, flush. After a crash the old L2 entry may point to a hole. ' +
      'Clusters freed by plain copy on write are not punched.'
  },
  'ZD-16': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A guest discard reaches the host file only if the image was opened with discard=unmap, which qemu-io does. By ' +
      'default these freed clusters are discarded as well: those of snapshots, of a shrink, of bitmap data, of an ' +
      'emptied image, of leaks that a repair frees, and of a failed L2 allocation or downgrade. Bitmap tables and ' +
      'directories, replaced L1 and refcount tables and what a write replaces are not.'
  },
  'ZD-17': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'With the option discard-no-unref, which QEMU 10 and 11 have for version 3, a discard and a zero write with unmap ' +
      'keep the host offset, COPIED and the refcount of a cluster that is not compressed, and set its zero flag or all its zero ' +
      'bits. If that changes the entry, the discard goes on to the host file nevertheless, also where a snapshot shares ' +
      'the cluster, which then reads as zeros in the snapshot too. A full discard frees clusters as without the option.',
    divergences: [
      {
        on: 'a discard with discard-no-unref of a cluster that a snapshot shares',
        format: 'refuses',
        qemu: 'accepts',
        versions: ['10', '11']
      }
    ]
  }
})
