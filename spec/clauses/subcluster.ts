/** L2 entries of 128 bits, which allocate a cluster in 32 parts. */

import { chapter } from './clause.js'

export const subcluster = chapter('Extended L2 entries', {
  'SUB-01': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'With incompatible bit 4 an L2 entry is 16 bytes, a u64 descriptor and a u64 bitmap, and a standard cluster has ' +
      '32 subclusters of cluster size / 32 bytes; a compressed cluster has none. cluster_bits is at least 14, so a ' +
      'subcluster is at least 512 bytes, and an L2 table has cluster size / 16 entries. Bit 0 of a standard descriptor ' +
      'is unused and 0.'
  },
  'SUB-02': {
    level: 'must',
    subject: 'image',
    source: 'format',
    says:
      'Bit x of the bitmap, 0 to 31, says that subcluster x has data in the host cluster, and bit 32 + x that it ' +
      'reads as zeros. In the file the first four bytes of the bitmap are the zero half, the last four the ' +
      'allocation half.'
  },
  'SUB-03': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'With a host offset, the allocation bit alone means data, the zero bit alone zeros with the space kept, and ' +
      'neither unallocated with the space kept; without one, the zero bit alone means zeros and neither ' +
      'unallocated. Both bits, or the allocation bit without a host offset, are invalid. Unallocated reads from the backing ' +
      'file or as zeros; a compressed entry has a bitmap of 0.'
  },
  'SUB-04': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says:
      'In QEMU one invalid combination of bits makes the whole cluster unusable: reads and writes of any of its ' +
      'subclusters fail with EIO, and a writable image is marked corrupt. Zeroing succeeds and makes the subclusters ' +
      'that it covers valid, as does a discard of a whole cluster if it has a host offset or the image a backing file; ' +
      'else a discard leaves the entry as it is. A compressed write replaces an entry without a host offset. A check ' +
      'reports an invalid entry, and no repair changes it.'
  },
  'SUB-05': {
    level: 'may',
    subject: 'reader',
    source: 'qemu',
    says: 'With extended L2 entries bit 0 of a standard descriptor is ignored on read and not reported by a check.',
    divergences: [
      { on: 'bit 0 of the standard descriptor of an extended L2 entry set', format: 'reports', qemu: 'accepts' }
    ]
  },
  'SUB-06': {
    level: 'must',
    subject: 'image',
    source: 'both',
    says:
      'The bitmap of a compressed entry is 0. QEMU still reads the data of one with another bitmap; a check reports a ' +
      'corruption and does not count its clusters, which adds a leak, so that a repair of leaks frees clusters whose ' +
      'data is still read; the repair of this package keeps them.'
  },
  'SUB-07': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'With 64 KiB clusters, after writing bytes 0 to 2 KiB and 5 to 6 KiB and zeroing 8 to 12 KiB, an entry is ' +
      '8000000000050000 0000003000000005. An allocated cluster that was discarded or zeroed with unmap, a ' +
      'compressed and an unallocated one that was zeroed, is 0000000000000000 FFFFFFFF00000000; zeroing a standard ' +
      'cluster without unmap keeps the descriptor. Preallocated metadata has a descriptor with an offset and a bitmap of 0.'
  },
  'SUB-08': {
    level: 'must',
    subject: 'reader',
    source: 'both',
    says:
      'With a data file and extended L2 entries, a descriptor with offset 0 and bit 63 set has a host offset, 0 in the ' +
      'data file; with offset 0 and bit 63 clear it has none.'
  }
})
