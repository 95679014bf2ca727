/** Commands that move data between layers or make an image anew. */

import { chapter } from './clause.js'

export const commit = chapter('Commit, rebase, empty, create', {
  'CR-01': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Commit copies every range allocated in the overlay, data and zeros, into the backing file; with a base, ' +
      'every range allocated in a layer above the base, into the base. The file that it copies to first grows to ' +
      'the size of the overlay if it is smaller. Commit then empties the overlay, unless -d or a base is given. The ' +
      'overlay keeps its reference to its backing file.'
  },
  'CR-02': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'A safe rebase compares the old and the new backing file over each range that is not allocated in the overlay; ' +
      'both read as zeros past their ends. Where they differ it writes the content of the old backing file into the ' +
      'overlay. Then it changes the backing file name and format. A rebase to no file flattens the image. An unsafe ' +
      'rebase changes only the header.'
  },
  'CR-03': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Changing the backing file is a full header rewrite, and fails with ENOSPC if the header has no room. QEMU then ' +
      'stores no bitmap of the image either, and all of them stay in_use.'
  },
  'CR-04': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Rebase and commit ignore the contents of bitmaps; their writes set bits in the enabled bitmaps of the layer ' +
      'they write to.'
  },
  'CR-05': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'To empty a version 3 image without snapshots, bitmaps, LUKS and data file whose 3 first clusters and L1 table fit ' +
      'one refcount block: dirty bit, flush; zero the L1; zero clusters 1 to 2 + L1; header bytes 40 to 59 place the ' +
      'L1 table at cluster 3 and the refcount table at cluster 1, flush; refcount table entry 0 becomes cluster 2, ' +
      'flush; set the refcounts of clusters 0 to 2 + L1 to 1; clear the dirty bit; truncate. Any other image is fully ' +
      'discarded.'
  },
  'CR-06': {
    level: 'may',
    subject: 'writer',
    source: 'qemu',
    says:
      'Create writes a header of size 0, a refcount table and an empty block, opens the image, sets the refcounts of ' +
      'clusters 0 to 2 to 1, rewrites the header, resizes to the wanted size with the wanted preallocation, then sets ' +
      'the backing file and encryption.'
  }
})
