/** The table of trials: the changes that a sound writer and one that breaks a rule make differently. */
import type { ClauseId } from '../../../../spec/clauses/index.js'
import type { Change, TrialRow } from './change.js'

const write = (at: number, length: number): Change => ({ _tag: 'Write', at, length })
const zero = (at: number, length: number): Change => ({ _tag: 'Zero', at, length })
const discard = (at: number, length: number): Change => ({ _tag: 'Discard', at, length })
const snapshot = (name: string): Change => ({ _tag: 'Snapshot', name })
const flush: Change = { _tag: 'Flush' }

const row = (clause: ClauseId, id: string, title: string, image: string, ...changes: readonly Change[]): TrialRow => ({
  clause,
  id,
  title,
  image,
  changes
})

const refused = (one: TrialRow): TrialRow => ({ ...one, outcome: 'refused' })

/** Titles say what the writer is asked for. */
export const rows: readonly TrialRow[] = [
  // Clusters that a snapshot shares.
  row('REF-01', 'shared-whole', 'A write over a whole cluster that a snapshot shares.', 'snapshot', write(0, 512)),
  row('REF-01', 'shared-part', 'A write into a cluster that a snapshot shares.', 'snapshot', write(100, 200)),
  row('ZD-12', 'shared-zero', 'Zeros over a cluster that a snapshot shares.', 'snapshot', zero(0, 512)),
  row('ZD-03', 'shared-discard', 'A discard of a cluster that a snapshot shares.', 'snapshot', discard(0, 512)),
  row(
    'SNAP-08',
    'snapshot-write',
    'A snapshot, and a write into a cluster that it shares.',
    'refcounts-16-bits',
    snapshot('s'),
    write(600, 100)
  ),
  row(
    'SNAP-08',
    'snapshot-new',
    'A snapshot, and a write into a cluster that is not allocated.',
    'refcounts-16-bits',
    snapshot('s'),
    write(9000, 100)
  ),
  row(
    'SNAP-08',
    'snapshot-twice',
    'Two snapshots, and a write after each.',
    'refcounts-16-bits',
    snapshot('s'),
    write(600, 100),
    snapshot('t'),
    write(600, 1000)
  ),
  row(
    'SNAP-08',
    'snapshot-deflate',
    'A snapshot of compressed clusters, and a write over them.',
    'deflate',
    snapshot('s'),
    write(0, 2048)
  ),
  row(
    'SNAP-08',
    'snapshot-subclusters',
    'A snapshot of subclusters, and a write into one.',
    'subclusters',
    snapshot('s'),
    write(600, 100)
  ),
  refused(
    row(
      'REF-07',
      'snapshot-refcounts-1-bit',
      'A snapshot where refcounts have 1 bit.',
      'refcounts-1-bits',
      snapshot('s')
    )
  ),
  refused(row('DATA-10', 'snapshot-data-file', 'A snapshot of an image with a data file.', 'data-file', snapshot('s'))),

  // New clusters.
  row('WR-02', 'new-table', 'A write under an L1 entry of 0.', 'l1-entries', write(65_536, 600)),
  row(
    'REF-20',
    'new-refcount-block',
    'Writes that need more refcount blocks.',
    'clusters-512',
    write(4096, 2 ** 18),
    write(524_800, 131_072)
  ),
  ...[1, 2, 4, 8, 32, 64].map((bits) =>
    row(
      'REF-05',
      `new-refcounts-${bits}-bits`,
      `A write to new clusters where refcounts have ${bits} bits.`,
      `refcounts-${bits}-bits`,
      write(8192, 1500)
    )
  ),
  row(
    'RD-08',
    'last-partial',
    'A write to the end of a disk that ends within a cluster.',
    'last-cluster-partial',
    write(4500, 108)
  ),
  refused(row('RD-01', 'past-end', 'A write that ends past the disk.', 'refcounts-16-bits', write(16384 - 256, 512))),
  row('INT-01', 'lazy', 'Writes with lazy refcounts.', 'lazy-refcounts', write(8192, 512), write(100, 20)),
  row('WR-08', 'flush', 'A write and a flush.', 'refcounts-16-bits', write(8192, 512), flush),

  // Backing files.
  row(
    'WR-05',
    'backing-part',
    'A write into a cluster of which the rest is in the backing file.',
    'backing',
    write(1124, 50)
  ),
  row(
    'WR-05',
    'backing-part-v2',
    'A write into a cluster of a version 2 image, of which the rest is in the backing file.',
    'backing-v2',
    write(1124, 50)
  ),
  row(
    'WR-05',
    'backing-end',
    'A write into the cluster in which the backing file ends.',
    'backing-shorter',
    write(4700, 20)
  ),
  row('RD-07', 'backing-past', 'A write past the end of the backing file.', 'backing-shorter', write(10_000, 20)),
  row('ZD-01', 'backing-zero', 'Zeros over the bytes of the backing file.', 'backing', zero(1024, 1024)),
  row(
    'ZD-08',
    'backing-zero-v2',
    'Zeros over the bytes of the backing file in version 2.',
    'backing-v2',
    zero(1024, 1024)
  ),
  row(
    'ZD-03',
    'backing-discard',
    'A discard of a cluster with other bytes in the backing file.',
    'backing',
    discard(512, 512)
  ),
  row(
    'ZD-09',
    'backing-discard-v2',
    'A discard of a cluster of a version 2 image with other bytes in the backing file.',
    'backing-v2',
    discard(512, 512)
  ),

  // Zeros.
  row('WR-06', 'zero-part', 'A write into a cluster with the zero flag.', 'zero-flag', write(600, 100)),
  row(
    'WR-06',
    'zero-part-data',
    'A write into a cluster with the zero flag and old bytes.',
    'zero-flag-over-data',
    write(100, 100)
  ),
  row(
    'WR-06',
    'zero-part-backing',
    'A write into a cluster with the zero flag over a backing file.',
    'zero-flag-over-backing',
    write(1100, 100)
  ),
  row('ZD-01', 'zero-whole', 'Zeros over data.', 'refcounts-16-bits', zero(512, 1024)),
  row(
    'ZD-10',
    'zero-unaligned',
    'Zeros from within a cluster to within another.',
    'refcounts-16-bits',
    zero(300, 1000)
  ),
  row('ZD-07', 'zero-v2', 'Zeros over data in version 2.', 'v2-clusters-512', zero(512, 1024)),
  row('ZD-03', 'discard-whole', 'A discard of data.', 'refcounts-16-bits', discard(512, 1024)),
  row(
    'ZD-11',
    'discard-unaligned',
    'A discard from within a cluster to within another.',
    'refcounts-16-bits',
    discard(300, 1000)
  ),

  // Compressed clusters.
  row('WR-05', 'deflate-part', 'A write into a compressed cluster.', 'deflate', write(100, 50)),
  row('WR-07', 'deflate-whole', 'A write over a compressed cluster.', 'deflate', write(1024, 512)),
  row(
    'WR-05',
    'deflate-crossing-part',
    'A write into a compressed cluster whose payload lies in two host clusters.',
    'deflate-crossing-4k',
    write(5000, 50)
  ),
  row('ZD-04', 'deflate-zero', 'Zeros over a compressed cluster.', 'deflate', zero(1024, 512)),
  row('ZD-04', 'deflate-discard', 'A discard of a compressed cluster.', 'deflate', discard(1024, 512)),
  row(
    'SW-04',
    'deflate-part-extended',
    'A write into a compressed cluster with extended L2 entries.',
    'deflate-in-extended-l2',
    write(600, 100)
  ),

  // External data files.
  row('DATA-01', 'data-file-part', 'A write into a cluster of the data file.', 'data-file', write(100, 50)),
  row('DATA-01', 'data-file-new', 'A write to a new cluster of the data file.', 'data-file', write(8192, 600)),
  row('DATA-06', 'data-file-zero', 'Zeros over a cluster of the data file.', 'data-file', zero(512, 512)),
  row('DATA-07', 'data-file-raw-part', 'A write into a raw data file.', 'data-file-raw', write(100, 50)),
  row('DATA-07', 'data-file-raw-zero', 'Zeros over a cluster of a raw data file.', 'data-file-raw', zero(512, 512)),

  // Subclusters.
  row('SW-03', 'subcluster-part', 'A write into a subcluster of data.', 'subclusters', write(600, 100)),
  row(
    'SW-03',
    'subcluster-new',
    'A write into a subcluster without data, of a cluster with some.',
    'subclusters',
    write(5000, 100)
  ),
  row(
    'SW-01',
    'subcluster-unallocated',
    'A write into a cluster that is not allocated.',
    'subclusters',
    write(100_000, 100)
  ),
  row(
    'SW-01',
    'subcluster-backing',
    'A write into a subcluster of which the rest is in the backing file.',
    'subclusters-over-backing',
    write(20_000, 100)
  ),
  row(
    'SW-03',
    'subcluster-backing-new',
    'A write into a subcluster of a cluster with data, of which the rest is in the backing file.',
    'subclusters-over-backing',
    write(5000, 100)
  ),
  row('SW-05', 'subcluster-zero', 'Zeros over some subclusters.', 'subclusters', zero(512, 1024)),
  row('ZD-05', 'subclusters-zero', 'Zeros over a whole cluster of subclusters.', 'subclusters', zero(32768, 16384)),

  // Bitmaps.
  row('BMP-10', 'bitmap-write', 'A write beside an enabled bitmap.', 'bitmap', write(8192, 512))
]
