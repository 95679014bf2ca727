/** Images at the edges of the rules of L1 and L2 tables and of refcounts. */
import type { Edit } from '../../src/bytes/edit.js'
import {
  at,
  flip,
  l1At,
  l1Entry,
  l2At,
  l2Entry,
  put,
  refcount,
  refcountBlockAt,
  refcountTableAt,
  type Single,
  single,
  word
} from './single.js'

/** The bitmap of an extended L2 entry with some of its bits flipped. */
const subclusters = (index: number, bits: bigint) => flip((image) => l2At(image) + 16 * index + 8, bits)

/** The format's own example, the entry 0x4AC00000003D9750 with clusters of 64 KiB: the payload moved there, and the file cut off. */
const example = (image: DataView): readonly Edit[] => {
  const [offset, end, cluster] = [0x3d9750, 0x3dedf0, 2 ** 16]
  const from = Number(image.getBigUint64(l2At(image)) & (2n ** 54n - 1n))
  const size = 43 * 512
  const block = refcountBlockAt(image)
  return [
    { _tag: 'Length', length: end },
    { _tag: 'Copy', at: offset, from, size },
    { _tag: 'Fill', at: from, size, byte: 0 },
    put(l2At(image), '4ac00000003d9750'),
    put(block + (2 * from) / cluster, '0000'),
    put(block + 2 * Math.floor(offset / cluster), '0001')
  ]
}

const maskBits = [20, 31, 32, 33, 40, 47, 48, 52, 55] as const

/** The length of a stored block of deflate, and its complement. */
const stored = (length: number): string => {
  const low = (value: number): string =>
    `${(value & 255).toString(16).padStart(2, '0')}${((value >> 8) & 255).toString(16).padStart(2, '0')}`
  return `${low(length)}${low(~length)}`
}

/** 512 zeros, deflated. */
const zeros512 = '6360180523190000'

/** The first data cluster as a payload of less than a sector. */
const payload = (hex: string) => (image: DataView) => [put(0xa00, hex), put(l2At(image), word((1n << 62n) | 0xa00n))]

export const tableEdges: readonly Single[] = [
  ...maskBits.flatMap((bit) => [
    single(
      'RD-04',
      `l2-offset-bit-${bit}`,
      `Bit ${bit} of the offset of a data cluster is set, which lies past the end of the file.`,
      'width-16',
      l2Entry(0, 1n << BigInt(bit))
    ),
    single(
      'RD-04',
      `l1-offset-bit-${bit}`,
      `Bit ${bit} of the offset of an L2 table is set, which lies past the end of the file.`,
      'width-16',
      l1Entry(1n << BigInt(bit))
    )
  ]),
  ...[32, 40, 48, 53].map((bit) =>
    single(
      'CMP-02',
      `deflate-offset-bit-${bit}`,
      `Bit ${bit} of the offset of a payload is set, which lies past the end of the file.`,
      'deflate-64k',
      l2Entry(0, 1n << BigInt(bit))
    )
  ),
  single('L2-06', 'copied-alone', 'An L2 entry has COPIED and no offset.', 'width-16', (image) => [
    put(l2At(image), word(1n << 63n))
  ]),
  single(
    'L2-06',
    'copied-alone-over-backing',
    'An L2 entry has COPIED and no offset, over a backing file.',
    'backing',
    (image) => [put(l2At(image), word(1n << 63n))]
  ),
  ...[1024, 4096, 65536].map((size) =>
    single(
      'L2-02',
      size === 4096 ? 'data-unaligned' : `data-unaligned-${size}`,
      `A data cluster that is not aligned, with clusters of ${size} bytes.`,
      `plain-${size}`,
      l2Entry(0, 512n)
    )
  ),
  single('L1-02', 'l2-entry-last', 'Data under the last entry of an L2 table, and the first of the next.', 'boundary'),
  single(
    'DATA-03',
    'data-file-copied-clear',
    'COPIED is clear in an entry of an image with a data file.',
    'data',
    l2Entry(1, 1n << 63n)
  ),
  single(
    'DATA-04',
    'data-file-elsewhere',
    'The offset of an entry in an image with a data file is another than its guest offset.',
    'data',
    l2Entry(1, 0x600n)
  ),
  single(
    'BACK-07',
    'data-file-with-backing',
    'An external data file that is not raw, and a backing file.',
    'data-backing'
  ),
  single(
    'BACK-07',
    'data-file-raw-with-backing',
    'An external data file that is raw, and a backing file.',
    'data-backing',
    at(88, word(2n))
  ),
  single(
    'DATA-05',
    'data-file-compressed',
    'A compressed entry in an image with a data file, and its payload in the image.',
    'data',
    (image) => [
      { _tag: 'Length', length: image.byteLength + 1024 },
      put(image.byteLength, `010002fffd${'ab'.repeat(512)}`),
      put(l2At(image) + 8, word((3n << 61n) | BigInt(image.byteLength)))
    ]
  ),
  single('SUB-01', 'extended-l2-tables', 'Data under the second L2 table of extended entries.', 'extended-tables'),
  single(
    'SUB-02',
    'subclusters-over-backing',
    'Subclusters of data and of zeros, and a backing file that shows through the others.',
    'extended-backing'
  ),
  single('CMP-02', 'deflate-in-extended-l2', 'Compressed clusters among extended L2 entries.', 'extended-deflate'),
  single(
    'SUB-04',
    'subcluster-both',
    'Subcluster 1 has both its allocation and its zero bit.',
    'extended',
    subclusters(0, 1n << 33n)
  ),
  single(
    'SUB-03',
    'subcluster-zero',
    'Subcluster 3 has its zero bit, in a cluster with data.',
    'extended',
    subclusters(0, 1n << 35n)
  ),
  single(
    'SUB-03',
    'subcluster-without-offset',
    'A subcluster has its allocation bit, and its entry no offset.',
    'extended',
    subclusters(1, 2n)
  ),
  single(
    'SUB-06',
    'subclusters-of-compressed',
    'The bitmap of a compressed entry is not 0.',
    'extended-deflate',
    subclusters(0, 1n)
  ),
  single('CMP-01', 'deflate-copied', 'COPIED is set in a compressed entry.', 'deflate', l2Entry(0, 1n << 63n)),
  single(
    'CMP-02',
    'deflate-example',
    'The entry 0x4AC00000003D9750 with clusters of 64 KiB, the example of the format: 44 sectors, the last of them cut off.',
    'deflate-example',
    example
  ),
  single(
    'CMP-09',
    'deflate-broken',
    'The payload of a compressed cluster is no deflate stream.',
    'deflate',
    at(0xa00, 'ff'.repeat(64))
  ),
  single(
    'CMP-07',
    'deflate-zlib-header',
    'A payload with the header and the checksum of zlib.',
    'width-16',
    payload(`789c${zeros512}02000001`)
  ),
  single(
    'CMP-07',
    'deflate-of-zeros',
    'A payload of 8 bytes, which yields a cluster of zeros.',
    'width-16',
    payload(zeros512)
  ),
  single(
    'CMP-12',
    'deflate-last-short',
    'The payload of the last, partial cluster yields no more than the disk has.',
    'partial-deflate',
    (image) => {
      const entry = image.getBigUint64(l2At(image) + 16)
      return [put(Number(entry & (2n ** 54n - 1n)), zeros512)]
    }
  ),
  ...[1, 500].map((length) =>
    single(
      'CMP-09',
      `deflate-of-${length}`,
      `A payload that decompresses to ${length} bytes, in clusters of 512 bytes.`,
      'width-16',
      payload(`01${stored(length)}`)
    )
  ),
  single(
    'EXT-01',
    'v2-with-all',
    'A version 2 image with a backing file, data and compressed clusters.',
    'small-backing-v2'
  ),
  single('REF-01', 'refcount-0', 'A data cluster has refcount 0.', 'width-16', refcount(5, 0)),
  single('REF-08', 'refcount-2', 'A data cluster has refcount 2, and one reference.', 'width-16', refcount(5, 2)),
  single(
    'REF-04',
    'refcount-table-reserved-bit',
    'A reserved bit of a refcount table entry is set.',
    'width-16',
    flip(refcountTableAt, 1n)
  ),
  single(
    'CMP-06',
    'deflate-refcount',
    'The refcount of a cluster is lower than its compressed clusters.',
    'deflate',
    refcount(5, 1)
  ),
  single('L1-01', 'l1-unallocated', 'The only L1 entry is 0.', 'width-16', (image) => [put(l1At(image), word(0n))])
]
