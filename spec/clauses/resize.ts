/** Growing and shrinking the guest disk. */

import { chapter } from './clause.js'

export const resize = chapter('Resize', {
  'RS-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'QEMU refuses a new size that is not a multiple of 512, any resize of a version 2 image with snapshots, and ' +
      'of an image with an inconsistent bitmap. Other bitmaps are resized in memory and stored at close. Bitmaps ' +
      'that are not valid because autoclear bit 0 is clear (BMP-11) are no obstacle.',
    divergences: [
      {
        on: 'a resize to a size that is not a multiple of 512',
        format: 'accepts',
        qemu: 'refuses',
        erratum: {
          section: 'Header, size',
          fault: 'The unit of QEMU is not noted.',
          proposal:
            'Note: QEMU handles sizes in units of 512 bytes. It rounds the size of an existing image down and ' +
            'that of a new image up, and does not resize an image to any other size.'
        }
      }
    ]
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
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'If the backing file is longer than the old size, QEMU makes the added range read as zeros. In version 3 the ' +
      'rest of the cluster, or subcluster, that the old end lies in is written as data, and what follows becomes ' +
      'zero-plain. QEMU refuses it where the old end lies in a compressed cluster with extended L2 entries, and in ' +
      'version 2 beyond the end of the last cluster. With falloc or full and no data file it links clusters of the ' +
      'longer file as data, which read as zeros, also in version 2.',
    divergences: [
      {
        on: 'growing over a longer backing file from inside a compressed cluster with extended L2 entries',
        format: 'accepts',
        qemu: 'refuses'
      }
    ]
  },
  'RS-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Shrink, only with --shrink: fully discard the clusters from the new size on, rounded up to a cluster, which ' +
      'allocates missing L2 tables first; zero the L1 entries no longer needed in place, with l1_size unchanged, and ' +
      'free their L2 tables; drop refcount blocks that hold a refcount for no cluster but themselves, or for none, ' +
      'rewriting the refcount table in place; truncate the file after the last cluster with a refcount; write size.'
  },
  'RS-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The order of a shrink in QEMU is punched data, refcount table, flush, truncate, size, flush, L2, flush, ' +
      'refcount block, flush. L1 entries no longer needed are zeroed and flushed before the refcount table. An L2 ' +
      'table that the discard allocates (RS-04) is written, and the L2 and refcount caches with it, before the ' +
      'truncation. As L2 entries otherwise go last, a crash in between may leave entries beyond the end of the file.'
  },
  'RS-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A shrink does not change the clusters of snapshots; only their refcounts drop. Without a data file the tail of ' +
      'the last kept cluster keeps its old bytes, which the guest sees again when the disk grows, unless a backing ' +
      'file is longer than the old size (RS-03) or the added range is preallocated with falloc or full.'
  },
  'RS-07': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Growing accepts preallocation metadata, falloc or full; shrinking accepts none. With falloc or full and no ' +
      'data file QEMU writes a new refcount table (header bytes 48 to 59) and the data after the last cluster with a ' +
      'refcount. It fails after that table is written if the file is longer than that data reaches, as after a ' +
      'discard, and aborts if a cluster past the end of the file that blocks or data would take has a refcount.'
  },
  'RS-08': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'The L1 index at which VM state starts moves when size crosses the range of an L1 entry. Existing VM state of ' +
      'the active tree does not move: in QEMU growing turns it into guest data, and a shrink frees its L2 tables and ' +
      'leaks its clusters.'
  },
  'RS-09': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'VM state past the end of the L1 table makes QEMU write a longer one in the order of RS-02. Its size is the ' +
      'first that is large enough of n, ceil(3n/2), and so on, where n is the old size, or 1 if that is 0.'
  }
})
