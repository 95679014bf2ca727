/** Images at the edges of the rules of snapshots and bitmaps. */
import type { Edit } from '../../src/bytes/edit.js'
import { at, extensionsAt, half, put, range, refcount, type Single, single, word } from './single.js'

const snapshotAt = (image: DataView): number => Number(image.getBigUint64(64))
const inSnapshot = (offset: number, hex: string) => (image: DataView) => [put(snapshotAt(image) + offset, hex)]

/** Where the directory of the bitmaps begins: the bitmaps extension is the first. */
const directoryAt = (image: DataView): number => Number(image.getBigUint64(extensionsAt + 24))
const inBitmap = (offset: number, hex: string) => (image: DataView) => [put(directoryAt(image) + offset, hex)]
const bitmapTable = (value: bigint) => (image: DataView) => [
  put(Number(image.getBigUint64(directoryAt(image))), word(value))
]

const bitmapBit = (bit: number) => (image: DataView) => {
  const cluster = Number(image.getBigUint64(Number(image.getBigUint64(directoryAt(image)))))
  const at = cluster + (bit >> 3)
  return [put(at, (image.getUint8(at) | (1 << (bit & 7))).toString(16).padStart(2, '0'))]
}

/** The snapshot table at the end of the file, with 1024 bytes of extra data. */
const longExtra = (image: DataView): readonly Edit[] => {
  const [from, to] = [snapshotAt(image), image.byteLength]
  const clusters = range(to / 512, to / 512 + 2)
  return [
    { _tag: 'Length', length: to + 3 * 512 },
    { _tag: 'Copy', at: to, from, size: 64 },
    { _tag: 'Copy', at: to + 40 + 1024, from: from + 64, size: 8 },
    { _tag: 'Fill', at: from, size: 512, byte: 0 },
    put(to + 36, half(1024)),
    put(64, word(BigInt(to))),
    ...refcount(from / 512, 0)(image),
    ...clusters.flatMap((cluster) => refcount(cluster, 1)(image))
  ]
}

export const listEdges: readonly Single[] = [
  single('SNAP-09', 'snapshot-table-refcount', 'The snapshot table has refcount 0.', 'snapshot', (image) =>
    refcount(snapshotAt(image) / 512, 0)(image)
  ),
  single('BMP-13', 'bitmap-directory-refcount', 'The bitmap directory has refcount 0.', 'bitmap', (image) =>
    refcount(directoryAt(image) / 512, 0)(image)
  ),
  single(
    'SNAP-01',
    'snapshot-l1-unaligned',
    'The L1 table of a snapshot is not aligned.',
    'snapshot',
    inSnapshot(0, word(0xe08n))
  ),
  single(
    'OPEN-29',
    'snapshot-extra-1025',
    'A snapshot with 1025 bytes of extra data.',
    'snapshot',
    inSnapshot(36, half(1025))
  ),
  single('OPEN-29', 'snapshot-extra-1024', 'A snapshot with 1024 bytes of extra data.', 'snapshot', longExtra),
  single('SNAP-08', 'snapshot-l1-shared', 'The L1 table of a snapshot is the active one.', 'snapshot', (image) =>
    inSnapshot(0, word(image.getBigUint64(40)))(image)
  ),
  single(
    'SNAP-02',
    'snapshot-extra-12',
    'The extra data of a snapshot ends within a field.',
    'snapshot',
    inSnapshot(36, half(12))
  ),
  single('SNAP-02', 'snapshot-extra-16', 'The extra data of a snapshot has no icount.', 'snapshot', (image) => [
    ...inSnapshot(36, half(16))(image),
    ...inSnapshot(56, '3161000000000000')(image)
  ]),
  single('BMP-02', 'bitmap-type-2', 'A bitmap of an unknown type.', 'bitmap', inBitmap(16, '02')),
  single('BMP-02', 'bitmap-granularity-8', 'A bitmap with a granularity of 256 bytes.', 'bitmap', inBitmap(17, '08')),
  single('BMP-02', 'bitmap-reserved-flag', 'A reserved flag of a bitmap is set.', 'bitmap', inBitmap(12, half(10))),
  single(
    'BMP-04',
    'bitmap-extra-data-compatible',
    'The flag of a bitmap says that its extra data may be ignored.',
    'bitmap',
    inBitmap(12, half(6))
  ),
  single(
    'BMP-05',
    'bitmap-table-reserved',
    'A reserved bit of a bitmap table entry is set.',
    'bitmap',
    bitmapTable(2n)
  ),
  single('BMP-05', 'bitmap-table-ones', 'A bitmap table entry of 1: all bits are set.', 'bitmap', bitmapTable(1n)),
  single(
    'BMP-07',
    'bitmap-table-size',
    'The table of a bitmap has an entry more than its disk needs.',
    'bitmap',
    inBitmap(8, half(2))
  ),
  single('BMP-08', 'bitmap-last-bit', 'The last bit of a bitmap is set.', 'bitmap', bitmapBit(31)),
  single('BMP-08', 'bitmap-bit-past-end', 'A bit past the end of a bitmap is set.', 'bitmap', bitmapBit(32)),
  single('BMP-03', 'bitmaps-two', 'Two bitmaps with different names.', 'bitmaps'),
  single('BMP-03', 'bitmaps-two-equal', 'Two bitmaps with the same name.', 'bitmaps', inBitmap(32 + 24, '62')),
  single('BMP-09', 'bitmap-in-use', 'A bitmap that was not saved.', 'bitmap', inBitmap(12, half(3))),
  single('BMP-12', 'bitmaps-2', 'The extension says 2 bitmaps, and the directory has one.', 'bitmap', at(120, half(2))),
  single('BMP-01', 'bitmaps-0', 'The extension says 0 bitmaps.', 'bitmap', at(120, half(0))),
  single(
    'BMP-11',
    'bitmaps-bit-clear',
    'The bitmaps extension is there, and its bit is clear.',
    'bitmap',
    at(88, word(0n))
  )
]
