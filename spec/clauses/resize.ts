/** Growing and shrinking the guest disk. */

import { chapter } from './clause.js'

export const resize = chapter('Resize', {
  'RS-01': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says:
      'The new size is a multiple of 512. A version 2 image with snapshots and an image with an inconsistent or ' +
      'unloaded bitmap are refused. Other bitmaps are resized in memory and stored at close.',
    divergences: [{ on: 'a resize to a size that is not a multiple of 512', format: 'accepts', qemu: 'refuses' }]
  },
  'RS-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Grow: if the L1 table is too small, a new one of exactly the needed size, at most 4194304 entries, is ' +
      'written: refcount block, flush, L1, flush, header bytes 36 to 47, flush, and the old one is freed later. Then ' +
      'size is written to bytes 24 to 31 and flushed.'
  },
  'RS-03': {
    level: 'must',
    subject: 'writer',
    source: 'qemu',
    says:
      'If the backing file is longer than the old size, the added range must read as zeros. In version 3 an unaligned ' +
      'start is written as data and the rest becomes zero-plain. Version 2 refuses, unless the last cluster has room. ' +
      'With preallocation falloc or full QEMU writes zeros instead, also in version 2, except with an external data ' +
      'file.'
  },
  'RS-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Shrink, only with --shrink: fully discard the clusters from the new size on, rounded up to a cluster; zero the ' +
      'L1 entries no longer needed in place, with l1_size unchanged, and free their L2 tables; drop refcount blocks ' +
      'that hold a refcount for no cluster but themselves, rewriting the refcount table in place; truncate the file ' +
      'after the last cluster with a refcount; write size.'
  },
  'RS-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The order of a shrink in QEMU 7.2 is punched data, refcount table, flush, truncate, size, flush, L2, flush, ' +
      'refcount block, flush. As L2 entries go last, a crash in between may leave entries beyond the end of the file.'
  },
  'RS-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A shrink does not change the clusters of snapshots; only their refcounts drop. The tail of the last kept ' +
      'cluster keeps its old bytes, which the guest sees again when the disk grows.'
  },
  'RS-07': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says: 'Growing accepts preallocation metadata, falloc or full; shrinking accepts none.'
  },
  'RS-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The L1 index at which VM state starts moves when size crosses the range of an L1 entry. Existing VM state of ' +
      'the active tree does not move.'
  }
})
