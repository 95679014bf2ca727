/** Images at the edges of the rules of the header: the value that just breaks one, and the nearest that does not. */
import type { Edit } from '../../src/bytes/edit.js'
import { at, half, nameMoved, put, type Single, single, word } from './single.js'

/** A name of so many bytes of the same backing file, in clusters of 4 KiB. */
const longName =
  (length: number) =>
  (image: DataView): readonly Edit[] => {
    const [from, size] = [Number(image.getBigUint64(8)), image.getUint32(16)]
    return [
      { _tag: 'Copy', at: 1024 + length - size, from, size },
      put(1024, `2e${'2f'.repeat(length - size - 1)}`),
      { _tag: 'Fill', at: from, size, byte: 0 },
      put(8, word(1024n)),
      put(16, half(length))
    ]
  }

export const headerEdges: readonly Single[] = [
  single(
    'OPEN-07',
    'compression-type-2-with-bit',
    'An unknown compression type, and its bit is set.',
    'width-16',
    () => [put(72, word(8n)), put(104, '02')]
  ),
  single('OPEN-07', 'compression-type-255-with-bit', 'Compression type 255, and its bit is set.', 'deflate', () => [
    put(72, word(8n)),
    put(104, 'ff')
  ]),
  single(
    'HDR-04',
    'compression-type-1',
    'The compression type is zstd, and no cluster is compressed.',
    'width-16',
    () => [put(72, word(8n)), put(104, '01')]
  ),
  single(
    'OPEN-08',
    'compression-type-1-without-bit',
    'The compression type is 1, and its bit is clear.',
    'width-16',
    at(104, '01')
  ),
  single('HDR-02', 'header-length-105', 'A header_length of 105, no multiple of 8.', 'width-16', at(100, half(105))),
  single(
    'HDR-07',
    'header-padding',
    'A byte of the padding after the compression type is set.',
    'width-16',
    at(105, '01')
  ),
  single(
    'FEAT-06',
    'data-file-raw-alone',
    'The raw external data bit is set, and the external data file bit is not.',
    'width-16',
    at(88, word(2n))
  ),
  single(
    'FEAT-07',
    'bitmaps-bit-alone',
    'The bitmaps bit is set, and there is no bitmaps extension.',
    'width-16',
    at(88, word(1n))
  ),
  single(
    'OPEN-06',
    'backing-offset-513',
    'A backing_file_offset above the cluster size.',
    'width-16',
    at(8, word(513n))
  ),
  single(
    'OPEN-06',
    'backing-offset-512',
    'A backing_file_offset of the cluster size, and no name.',
    'width-16',
    at(8, word(512n))
  ),
  single(
    'OPEN-28',
    'backing-name-past-cluster',
    'The name of the backing file ends a byte after the first cluster.',
    'backing',
    nameMoved(502)
  ),
  single(
    'OPEN-28',
    'backing-name-at-cluster-end',
    'The name of the backing file ends with the first cluster.',
    'backing',
    nameMoved(501)
  ),
  ...[1023, 1024].map((length) =>
    single(
      'BACK-01',
      `backing-name-${length}`,
      `The name of the backing file has ${length} bytes.`,
      'backing-4096',
      longName(length)
    )
  ),
  single('OPEN-14', 'refcount-table-clusters-0', 'A refcount table of no clusters.', 'width-16', at(56, half(0))),
  single(
    'OPEN-15',
    'refcount-table-clusters-16385',
    'A refcount table of more than 8 MiB.',
    'width-16',
    at(56, half(16385))
  ),
  single(
    'OPEN-15',
    'refcount-table-clusters-16384',
    'A refcount table of 8 MiB, which ends past the file.',
    'width-16',
    at(56, half(16384))
  ),
  single('OPEN-17', 'snapshots-65537', 'A header with 65537 snapshots.', 'snapshot', at(60, half(65537))),
  single('OPEN-17', 'snapshots-2', 'A header with 2 snapshots, and a table of one.', 'snapshot', at(60, half(2))),
  single(
    'OPEN-18',
    'snapshots-offset-8',
    'The offset of the snapshot table is not aligned, and there are no snapshots.',
    'width-16',
    at(64, word(8n))
  ),
  single(
    'OPEN-18',
    'snapshots-offset-512',
    'The offset of the snapshot table is aligned, and there are no snapshots.',
    'width-16',
    at(64, word(512n))
  ),
  single('OPEN-19', 'l1-size-4194305', 'An L1 table of more than 32 MiB.', 'width-16', at(36, half(4194305))),
  single(
    'OPEN-19',
    'l1-size-4194304',
    'An L1 table of 32 MiB, which ends past the file.',
    'width-16',
    at(36, half(4194304))
  ),
  ...[0n, 1n].map((more) =>
    single(
      'OPEN-21',
      `size-${2n ** 31n - 1n + more}-l1-entries`,
      `A size that needs ${2n ** 31n - 1n + more} L1 entries.`,
      'width-16',
      at(24, word((2n ** 31n - 1n) * 64n * 512n + more * 512n))
    )
  ),
  single('OPEN-11', 'extended-l2-8192', 'Extended L2 entries with clusters of 8 KiB.', 'plain-8192', at(72, word(16n))),
  single('LUKS-08', 'crypt-method-1', 'The guest data is encrypted with AES.', 'width-16', at(32, half(1))),
  single(
    'LUKS-07',
    'crypt-method-2',
    'The encryption method is LUKS, and there is no pointer to its header.',
    'width-16',
    at(32, half(2))
  )
]
