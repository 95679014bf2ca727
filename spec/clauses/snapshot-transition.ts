/** Creating, applying and deleting a snapshot. */

import { chapter } from './clause.js'

export const snapshotTransition = chapter('Snapshot transitions', {
  'ST-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Create: (1) write an L1 copy of refcount 1; (2) refcount +1 on every active L2 table and every cluster it ' +
      'references, zero-allocated and compressed ones too, and clear COPIED where the refcount is not 1; (3) flush, ' +
      'rewrite the active L1 if COPIED changed in it; (4) write a new snapshot table, flush, header bytes 60 to 71, ' +
      'flush, free the old table; (5) discard the VM state of the active tree. With F a flush and RB a refcount block, ' +
      'for a second snapshot after new data: L1 copy, RB F L2 F L1 F RB F table F header F, punch old table, F RB F.'
  },
  'ST-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'The L1 copy of a snapshot is taken before COPIED is cleared, so bit 63 in it is stale (L2-07).'
  },
  'ST-03': {
    level: 'must',
    subject: 'writer',
    source: 'both',
    says:
      'Creating a snapshot fails in an image with a data file (ENOTSUP), and if the refcount of an L2 table or a ' +
      'cluster would overflow (REF-07). In QEMU and here it fails beyond 65536 snapshots or a snapshot table of 64 ' +
      'MiB too (EFBIG).'
  },
  'ST-10': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Apply: (0) if disk sizes differ, resize the image to that of the snapshot, which fails in version 2 (RS-01); ' +
      '(1) grow the active L1 to at least the snapshot L1; (2) refcount +1 over the tree of the snapshot, whose L1 is ' +
      'rewritten with correct COPIED, flush; (3) overwrite the active L1 in place with the snapshot L1, padded with ' +
      'zeros, flush; (4) refcount -1 over the old active tree; (5) recompute COPIED in the new active tree.'
  },
  'ST-11': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'While autoclear bit 0 is set QEMU does not apply a snapshot to an image with a bitmap, even one that is disabled or ' +
      'in_use. It creates and deletes snapshots.',
    divergences: [
      {
        on: 'applying a snapshot on an image with a bitmap and autoclear bit 0 set',
        format: 'accepts',
        qemu: 'refuses'
      }
    ]
  },
  'ST-20': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Delete: (1) write a new snapshot table without the entry, flush, header bytes 60 to 71, flush, free the old ' +
      'table; (2) refcount -1 over the tree of the snapshot, set COPIED in its L2 tables where the refcount becomes 1, ' +
      'flush, and free its L1; (3) recompute COPIED in the active tree. The L2 tables of (2) are written before the ' +
      'refcounts, and the L1 table of (3) after them. So after (1) a crash leaves leaks at most, and COPIED flags ' +
      'that a snapshot command has not adapted yet: 1 at refcount 2, or 0 at refcount 1.'
  },
  'ST-30': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says: 'The VM state area belongs to the tree of a snapshot, and is shared and copied like guest data.'
  }
})
