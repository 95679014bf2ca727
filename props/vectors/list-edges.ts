/** Images at the edges of the rules of snapshots and bitmaps. */
import { at, extensionsAt, half, put, refcount, type Single, single, word } from './single.js'

const snapshotAt = (image: DataView): number => Number(image.getBigUint64(64))
const inSnapshot = (offset: number, hex: string) => (image: DataView) => [put(snapshotAt(image) + offset, hex)]

/** Where the directory of the bitmaps begins: the bitmaps extension is the first. */
const directoryAt = (image: DataView): number => Number(image.getBigUint64(extensionsAt + 24))
const inBitmap = (offset: number, hex: string) => (image: DataView) => [put(directoryAt(image) + offset, hex)]
const bitmapTable = (value: bigint) => (image: DataView) => [
  put(Number(image.getBigUint64(directoryAt(image))), word(value))
]

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
