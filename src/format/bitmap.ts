/** Dirty bitmaps: directory, table entries, and the bits themselves. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { bits, type BitsOf, flag, masked, word } from '../bytes/bits.js'
import { ByteType } from '../bytes/byte-type.js'
import { entry, type EntryOf, toEight } from '../bytes/entry.js'
import type { Complaint } from '../bytes/issue.js'
import { flagJson, listJson } from '../bytes/json.js'
import { u16, u32, u64, u8 } from '../bytes/leaf.js'
import { repeats, startsOf, type Step, sum, walk } from '../bytes/list.js'
import { bitAt, concat, packBits, toHex } from '../bytes/octets.js'
import { atLeast, atMost, between, oneOf, refusing } from '../bytes/rule.js'
import { row, struct } from '../bytes/struct.js'
import { alignment } from './alignment.js'
import { maxBitmapName, maxBitmapTable, maxGranularityBits, minGranularityBits } from './limits.js'

/** The flags of a bitmap. @see BMP-02 */
export const bitmapFlags = bits(
  'bitmap flags',
  {
    inUse: flag(0, 'in_use', 'BMP-09', 'not saved properly: the contents may be stale'),
    auto: flag(1, 'auto', 'BMP-10', 'enabled: records every change of the guest disk'),
    extraDataCompatible: flag(
      2,
      'extra_data_compatible',
      'BMP-03',
      'usable even by those who do not know the extra data'
    )
  },
  { clause: 'BMP-02' },
  4
)

/** The table of a bitmap directory entry: its first 24 bytes. @see BMP-02 */
export const bitmapFixed = struct('bitmap directory entry', {
  bitmapTableOffset: row(u64, 'bitmap_table_offset', 'BMP-02', 'host offset of the bitmap table, cluster aligned'),
  bitmapTableSize: row(
    u32,
    'bitmap_table_size',
    'BMP-02',
    'entries of the bitmap table',
    refusing('OPEN-31', { ...atLeast(1, 'BMP-12', 'qemu'), phase: 'limit' }),
    refusing('OPEN-31', atMost(maxBitmapTable, 'BMP-12'))
  ),
  flags: row(bitmapFlags, 'flags', 'BMP-02', 'in_use, auto, extra_data_compatible'),
  type: row(u8, 'type', 'BMP-02', '1: dirty tracking bitmap', refusing('OPEN-31', oneOf([1], 'BMP-02'))),
  granularityBits: row(
    u8,
    'granularity_bits',
    'BMP-02',
    'a bit stands for 1 << granularity_bits guest bytes',
    refusing('OPEN-31', between(0, 63, 'BMP-02')),
    refusing('OPEN-31', { ...between(minGranularityBits, maxGranularityBits, 'BMP-04', 'qemu'), phase: 'limit' })
  ),
  nameSize: row(u16, 'name_size', 'BMP-02', 'bytes of the name, at least 1'),
  extraDataSize: row(u32, 'extra_data_size', 'BMP-02', 'bytes of the extra data')
})

/** A bitmap directory entry. Name and extra data are kept as bytes. @see BMP-02 */
export const bitmapEntry = entry('bitmap directory entry', bitmapFixed, {
  extra: { size: 'extraDataSize', name: 'extra_data', clause: 'BMP-02', doc: 'never refers to clusters' },
  name: { size: 'nameSize', name: 'name', clause: 'BMP-02', doc: 'unique, not NUL terminated' }
})

export type BitmapEntry = EntryOf<typeof bitmapEntry.fixed.fields, typeof bitmapEntry.tails>

const complaint = (
  at: number,
  size: number,
  field: string,
  clause: Complaint['clause'],
  source: Complaint['source'],
  found: string,
  expected: string
): Complaint => ({
  structure: 'bitmap directory entry',
  phase: 'invalid',
  at,
  size,
  field,
  clause,
  source,
  found,
  expected,
  ...(source === 'format' ? {} : { refusal: 'OPEN-31' })
})

/** What a bitmap directory entry breaks in an image of this cluster size; offsets count from the entry's start. */
export const judgeBitmapEntry = (b: BitmapEntry, clusterBits: number): readonly Complaint[] => [
  ...bitmapEntry.judge(b).map((c): Complaint => (c.source === 'format' ? c : { ...c, refusal: 'OPEN-31' })),
  ...alignment('BMP-02', 'bitmap directory entry', 'bitmap_table_offset', b.bitmapTableOffset, clusterBits).map(
    (c): Complaint => ({ ...c, refusal: 'OPEN-31' })
  ),
  ...(b.bitmapTableOffset === 0n
    ? [complaint(0, 8, 'bitmap_table_offset', 'BMP-12', 'qemu', '0', 'the offset of a table')]
    : []),
  ...(b.name.length === 0 ? [complaint(18, 2, 'name_size', 'BMP-02', 'format', '0', 'at least 1')] : []),
  ...(b.name.length > maxBitmapName
    ? [complaint(18, 2, 'name_size', 'BMP-12', 'qemu', String(b.name.length), `at most ${maxBitmapName}`)]
    : []),
  ...(b.flags.extraDataCompatible
    ? [complaint(12, 4, 'flags.extra_data_compatible', 'BMP-04', 'qemu', 'set', 'clear')]
    : []),
  ...(b.extra.length > 0 ? [complaint(20, 4, 'extra_data_size', 'BMP-04', 'qemu', String(b.extra.length), '0')] : []),
  ...(b.padding.some((x) => x !== 0)
    ? [
        complaint(
          bitmapEntry.sizeOf(b) - b.padding.length,
          b.padding.length,
          'padding',
          'BMP-02',
          'format',
          'other bytes',
          'zeros'
        )
      ]
    : [])
]

const entriesJson = listJson('bitmap directory', bitmapEntry.json, (a) =>
  a.every((b) => bitmapEntry.sizeOf(b) % 8 === 0)
)

/** Byte offsets of the entries of a directory from its start. */
export const bitmapStarts = (entries: readonly BitmapEntry[]): readonly number[] =>
  startsOf(entries.map((b) => bitmapEntry.sizeOf(b)))

const entryAt = (bytes: Uint8Array, at: number): E.Either<readonly Complaint[], Step<BitmapEntry>> =>
  pipe(
    bitmapEntry.decodeAt(bytes, at),
    E.mapLeft((issues) => issues.map((c): Complaint => ({ ...c, refusal: 'OPEN-31' }))),
    E.chain((b) => {
      const size = bitmapEntry.sizeOf(b)
      return toEight(size) === 0 ? E.right({ value: b, next: at + size }) : E.left([unpadded(at, size)])
    })
  )

/** A bitmap directory: all bytes given belong to it, and every entry is padded to a multiple of 8. @see BMP-02 */
export const bitmapDirectory: ByteType<readonly BitmapEntry[]> = new ByteType<readonly BitmapEntry[]>({
  name: 'bitmap directory',
  is: (u): u is readonly BitmapEntry[] => entriesJson.is(u),
  read: (bytes) =>
    pipe(
      walk(
        0,
        (at) => at < bytes.length,
        (at) => entryAt(bytes, at)
      ),
      E.map((list) => list.value)
    ),
  write: (a) => concat(a.map((b) => bitmapEntry.encode(b))),
  sizeOf: (a) => sum(a.map((b) => bitmapEntry.sizeOf(b))),
  json: entriesJson,
  judge: (a) => {
    const starts = bitmapStarts(a)
    const again = repeats(a.map((b) => toHex(b.name)))
    return [
      ...a.flatMap((b, i) => bitmapEntry.judge(b, starts[i])),
      ...again.map((i) => {
        const at = (starts[i] ?? 0) + bitmapFixed.size + (a[i]?.extra.length ?? 0)
        return complaint(at, a[i]?.name.length ?? 0, 'name', 'BMP-03', 'both', 'a name used before', 'unique names')
      })
    ]
  }
})

const unpadded = (at: number, size: number): Complaint => ({
  ...complaint(
    at + size,
    toEight(size),
    'padding',
    'BMP-02',
    'both',
    'the end of the directory',
    'padding to a multiple of 8'
  ),
  phase: 'malformed'
})

const tableRows = {
  clusterOffset: masked(
    9,
    55,
    'cluster_offset',
    'BMP-05',
    'host offset of a cluster of bits, cluster aligned; 0: none'
  ),
  allOnes: flag(0, 'all_ones', 'BMP-05', 'without a cluster: all bits are 1, else all are 0')
} as const

/** A bitmap table entry. */
export type BitmapTableEntry = BitsOf<typeof tableRows>

/** A bitmap table entry: 8 bytes. @see BMP-05 */
export const bitmapTableEntry = word(bits('bitmap table entry', tableRows, { clause: 'BMP-05' }), 'BMP-05')

/** What a bitmap table entry breaks in an image of this cluster size; offsets count from the entry's start. */
export const judgeBitmapTableEntry = (e: BitmapTableEntry, clusterBits: number): readonly Complaint[] => [
  ...bitmapTableEntry.judge(e),
  ...alignment('BMP-05', 'bitmap table entry', 'cluster_offset', e.clusterOffset, clusterBits),
  ...(e.allOnes && e.clusterOffset !== 0n
    ? [
        {
          clause: 'BMP-05' as const,
          phase: 'invalid' as const,
          source: 'both' as const,
          structure: 'bitmap table entry',
          field: 'all_ones',
          at: 0,
          size: 8,
          found: 'set beside an offset',
          expected: 'clear'
        }
      ]
    : [])
]

/** Bits that a disk of `size` bytes needs. @see BMP-07 */
export const bitmapBits = (size: bigint, granularityBits: number): bigint =>
  (size + (1n << BigInt(granularityBits)) - 1n) >> BigInt(granularityBits)

/** Entries of the bitmap table that a disk of `size` bytes needs, as QEMU reckons: data in whole words of 64 bits. @see BMP-07 */
export const bitmapTableEntries = (size: bigint, granularityBits: number, clusterBits: number): bigint => {
  const bytes = ((bitmapBits(size, granularityBits) + 63n) / 64n) * 8n
  return (bytes + (1n << BigInt(clusterBits)) - 1n) >> BigInt(clusterBits)
}

/** One cluster of bitmap data, bit by bit. @see BMP-06 */
export const bitmapCluster = (clusterBits: number): ByteType<readonly boolean[]> => {
  const size = 2 ** clusterBits
  const flags = listJson('bitmap data', flagJson, (a) => a.length === 8 * size)
  return new ByteType<readonly boolean[]>({
    name: 'bitmap data',
    is: (u): u is readonly boolean[] => flags.is(u),
    read: (bytes) =>
      bytes.length < size
        ? E.left([{ ...short, size, found: `the end of the bytes at ${bytes.length}`, expected: `${size} bytes` }])
        : E.right(Array.from({ length: 8 * size }, (_, i) => bitAt(bytes, i))),
    write: packBits,
    sizeOf: () => size,
    json: flags,
    judge: () => []
  })
}

const short = {
  clause: 'BMP-06',
  phase: 'malformed',
  source: 'both',
  structure: 'bitmap data',
  field: '',
  at: 0
} as const

/** Bits set behind the first `used` bits of a cluster of bitmap data, which must be zero. @see BMP-08 */
export const judgeTailBits = (bytes: Uint8Array, used: number): readonly Complaint[] => {
  const first = Array.from({ length: Math.max(0, Math.min(8, 8 * bytes.length - used)) }, (_, i) => used + i)
  const stray = first.find((i) => bitAt(bytes, i))
  const after = bytes.findIndex((b, i) => i >= Math.ceil(used / 8) && b !== 0)
  const at = stray !== undefined ? stray >>> 3 : after
  return at < 0
    ? []
    : [
        {
          clause: 'BMP-08',
          phase: 'invalid',
          source: 'format',
          structure: 'bitmap data',
          field: '',
          at,
          size: 1,
          found: 'bits set past the end of the disk',
          expected: 'zeros'
        }
      ]
}
