/** Images with one feature each: what a reader without it reads wrongly. */
import { imageName } from '../../corpus/recipe.js'
import { edited, editsText } from '../../src/bytes/edit.js'
import { bits, filesOfBase, packedName } from './bases.js'
import type { Candidate } from './candidate.js'
import { extensionEdges } from './extension-edges.js'
import { headerEdges } from './header-edges.js'
import { listEdges } from './list-edges.js'
import {
  at,
  half,
  l1At,
  l1Entry,
  l2At,
  l2Entry,
  longer,
  moreSectors,
  put,
  range,
  type Single,
  single,
  word
} from './single.js'
import { tableEdges } from './table-edges.js'

const all: readonly Single[] = [
  ...bits.flatMap((b) => [
    single(
      b === 21 ? 'OPEN-03' : 'GEN-01',
      `clusters-${2 ** b}`,
      `An image with clusters of ${2 ** b} bytes.`,
      `plain-${2 ** b}`
    ),
    single(
      b === 21 ? 'OPEN-03' : 'HDR-01',
      `v2-clusters-${2 ** b}`,
      `A version 2 image with clusters of ${2 ** b} bytes.`,
      `v2-${2 ** b}`
    )
  ]),
  ...[0, 1, 2, 3, 4, 5, 6].map((order) =>
    single(
      'REF-02',
      `refcounts-${2 ** order}-bits`,
      `An image with refcounts of ${2 ** order} bits.`,
      `width-${2 ** order}`
    )
  ),
  ...[0, 1, 8, 22, 23, 31, 63].map((b) =>
    single('OPEN-03', `cluster-bits-${b}`, `A header whose cluster_bits is ${b}.`, 'width-16', at(20, half(b)))
  ),
  single('OPEN-03', 'clusters-256', 'An image whose clusters have 256 bytes.', 'clusters-256'),
  single('OPEN-03', 'clusters-4m', 'An image whose clusters have 4 MiB.', 'clusters-4m'),
  ...[7, 8, 31, 63].map((order) =>
    single(
      'OPEN-12',
      `refcount-order-${order}`,
      `A header whose refcount_order is ${order}.`,
      'width-16',
      at(96, half(order))
    )
  ),
  ...[0, 1, 4, 5, 255].map((version) =>
    single('OPEN-02', `version-${version}`, `A header whose version is ${version}.`, 'width-16', at(4, half(version)))
  ),
  ...[5, 6, 7, 8, 15, 16, 31, 32, 47, 62, 63].map((bit) =>
    single(
      'FEAT-01',
      `incompatible-bit-${bit}`,
      `An unknown incompatible feature bit, ${bit}, is set.`,
      'width-16',
      at(72, word(1n << BigInt(bit)))
    )
  ),
  ...[1, 2, 7, 31, 32, 63].map((bit) =>
    single(
      'FEAT-02',
      `compatible-bit-${bit}`,
      `An unknown compatible feature bit, ${bit}, is set.`,
      'width-16',
      at(80, word(1n << BigInt(bit)))
    )
  ),
  ...[2, 3, 8, 32, 33, 63].map((bit) =>
    single(
      'FEAT-03',
      `autoclear-bit-${bit}`,
      `An unknown autoclear feature bit, ${bit}, is set.`,
      'width-16',
      at(88, word(1n << BigInt(bit)))
    )
  ),
  single('FEAT-04', 'dirty', 'The dirty bit is set, and every refcount is right.', 'width-16', at(72, word(1n))),
  single('FEAT-05', 'corrupt', 'The corrupt bit is set.', 'width-16', at(72, word(2n))),
  ...[1, 2, 3, 4, 5, 6, 7, 8, 56, 57, 58, 59, 60, 61].map((bit) =>
    single(
      'RD-04',
      `l2-reserved-bit-${bit}`,
      `Reserved bit ${bit} of the L2 entry of a data cluster is set.`,
      'width-16',
      l2Entry(0, 1n << BigInt(bit))
    )
  ),
  ...[0, 1, 8, 56, 57, 61, 62].map((bit) =>
    single(
      'RD-04',
      `l1-reserved-bit-${bit}`,
      `Reserved bit ${bit} of an L1 entry is set.`,
      'width-16',
      l1Entry(1n << BigInt(bit))
    )
  ),
  single(
    'L2-04',
    'copied-clear',
    'COPIED is clear in an L2 entry of a cluster with refcount 1.',
    'width-16',
    l2Entry(0, 1n << 63n)
  ),
  single(
    'L1-01',
    'l1-copied-clear',
    'COPIED is clear in an L1 entry of a table with refcount 1.',
    'width-16',
    l1Entry(1n << 63n)
  ),
  single('L2-03', 'zero-flag', 'Clusters with the zero flag, with and without a host cluster.', 'zeros'),
  single('L2-03', 'zero-flag-over-backing', 'The zero flag hides the bytes of the backing file.', 'zeros-over-backing'),
  single(
    'L2-03',
    'zero-flag-over-data',
    'The zero flag hides the bytes of the host cluster.',
    'width-16',
    l2Entry(0, 1n)
  ),
  single(
    'L2-05',
    'v2-zero-flag',
    'Bit 0 of an L2 entry is set in version 2, which has no zero flag.',
    'v2-512',
    l2Entry(0, 1n)
  ),
  single('RD-05', 'unallocated', 'An image without any data.', 'plain-4096', (image) => [put(l1At(image), word(0n))]),
  single('CMP-07', 'deflate', 'Clusters compressed by deflate, beside others.', 'deflate'),
  single('CMP-02', 'deflate-64k', 'Payloads of more than one sector, in clusters of 64 KiB.', 'deflate-64k'),
  single(
    'CMP-12',
    'deflate-last-partial',
    'The last cluster of the disk is partial and compressed.',
    'partial-deflate'
  ),
  ...['deflate-64k', 'deflate-crossing', 'deflate-crossing-4k'].map((base) =>
    single(
      'CMP-02',
      `${base}-sectors-less`,
      'The sector counts of compressed entries are one less than their payloads need.',
      base,
      moreSectors(-1n)
    )
  ),
  single(
    'CMP-05',
    'deflate-crossing',
    'Payloads that lie in two host clusters, in clusters of 512 bytes.',
    'deflate-crossing'
  ),
  single(
    'CMP-05',
    'deflate-crossing-4k',
    'Payloads that lie in two host clusters, in clusters of 4 KiB.',
    'deflate-crossing-4k'
  ),
  ...['deflate', 'deflate-64k', 'partial-deflate', 'deflate-crossing-4k'].map((base) =>
    single(
      'CMP-04',
      `${base}-sectors-more`,
      'The sector counts of compressed entries are one more than their payloads need.',
      base,
      moreSectors(1n)
    )
  ),
  single('RD-08', 'last-cluster-partial', 'The disk ends within its last cluster.', 'partial'),
  single('L1-02', 'l1-entries', 'Data under the first, the second and the last of several L1 entries.', 'tables'),
  single('BACK-06', 'backing', 'Ranges that are not allocated read from a raw backing file.', 'backing'),
  single('EXT-01', 'backing-v2', 'A version 2 image with a raw backing file.', 'backing-v2'),
  single('BACK-08', 'backing-larger', 'The backing file is longer than the disk.', 'backing-larger'),
  single('RD-07', 'backing-shorter', 'The backing file ends within the disk, and within a sector.', 'backing-shorter'),
  single('DATA-01', 'data-file', 'Guest data lies in an external data file.', 'data'),
  single('DATA-07', 'data-file-raw', 'Guest data lies in an external data file that is the raw disk.', 'data-raw'),
  single('SUB-03', 'subclusters', 'Extended L2 entries whose subclusters are data, zeros and unallocated.', 'extended'),
  single('SNAP-01', 'snapshot', 'A snapshot that shares some clusters with the disk.', 'snapshot'),
  single('BMP-01', 'bitmap', 'A dirty bitmap.', 'bitmap'),
  single('FEAT-02', 'lazy-refcounts', 'Lazy refcounts are on.', 'lazy'),
  ...[112, 120, 128, 256].map((length) =>
    single(
      'HDR-03',
      `header-length-${length}-with-backing`,
      `A header of ${length} bytes, and the extensions after it.`,
      'backing',
      length === 112 ? undefined : longer(length, 'feedfacecafebeef')
    )
  ),
  single(
    'HDR-03',
    'header-length-120',
    'A header of 120 bytes with an unknown field.',
    'width-16',
    longer(120, 'feedfacecafebeef')
  ),
  single('HDR-03', 'header-length-512', 'A header as long as a cluster.', 'width-16', at(100, '00000200')),
  single(
    'HDR-03',
    'header-length-104',
    'A header of 104 bytes, without the additional fields.',
    'width-16',
    at(100, '00000068')
  ),
  single('OPEN-04', 'header-length-103', 'A header_length of 103.', 'width-16', at(100, '00000067')),
  single('OPEN-05', 'header-length-520', 'A header_length above the cluster size.', 'width-16', at(100, '00000208')),
  ...range(0, 3).map((n) =>
    single('OPEN-22', `l1-size-${n}`, `An L1 table of ${n} entries for a disk that needs 4.`, 'tables', at(36, half(n)))
  ),
  single('HDR-09', 'l1-size-5', 'An L1 table of 5 entries for a disk that needs 4.', 'tables', at(36, '00000005')),
  ...['12345678', 'ffffffff', '00000001', 'e2792acb'].map((type) =>
    single(
      'EXT-12',
      `extension-${type}`,
      `An unknown header extension of type 0x${type}.`,
      'width-16',
      at(112, `${type}00000003abcdef0000000000`)
    )
  ),
  single(
    'HDR-08',
    'size-within-sector',
    'A disk size that is no multiple of 512 bytes.',
    'partial',
    at(24, word(4609n))
  ),
  single('OPEN-01', 'magic', 'Another magic.', 'width-16', at(0, '514649fa')),
  single('OPEN-07', 'compression-type-2', 'An unknown compression type.', 'width-16', at(104, '02')),
  single(
    'OPEN-08',
    'compression-bit-alone',
    'The compression type bit is set, and the type is 0.',
    'width-16',
    at(72, word(8n))
  ),
  single(
    'OPEN-16',
    'refcount-table-unaligned',
    'A refcount table that is not aligned to clusters.',
    'width-16',
    at(48, word(513n))
  ),
  single('OPEN-20', 'l1-unaligned', 'An L1 table that is not aligned to clusters.', 'width-16', (image) => [
    put(40, word(image.getBigUint64(40) + 8n))
  ]),
  single('OPEN-23', 'crypt-method-3', 'An unknown encryption method.', 'width-16', at(32, '00000003')),
  single('L1-05', 'l2-table-unaligned', 'An L2 table that is not aligned to clusters.', 'plain-4096', l1Entry(512n)),
  single(
    'L2-08',
    'data-past-end',
    'A data cluster past the end of the file, which reads as zeros.',
    'width-16',
    (image) => [put(l2At(image), word(0x8000_0000_0100_0000n))]
  )
]

/** The candidates with one feature each. */
export function* singles(): Generator<Candidate> {
  for (const { id, title, clause, base, edits } of [
    ...all,
    ...headerEdges,
    ...extensionEdges,
    ...tableEdges,
    ...listEdges
  ]) {
    const { image, others } = filesOfBase(base)
    const changes = edits?.(new DataView(image.buffer, image.byteOffset, image.byteLength)) ?? []
    const changed = edited(image, changes)
    const text = editsText(changes)
    yield {
      id,
      title,
      clause,
      ...(clause === 'CMP-04' ? { without: 'CMP-02' as const } : {}),
      kind: id,
      files: {
        [imageName]: { packed: packedName(base, imageName), ...(text === '' ? {} : { edits: text }) },
        ...Object.fromEntries([...others.keys()].map((file) => [file, { packed: packedName(base, file) }]))
      },
      loaded: {
        image: changed,
        files: new Map([[imageName, changed], ...others]),
        expect: { info: { stdout: null }, guest: { snapshots: [] } }
      }
    }
  }
}
