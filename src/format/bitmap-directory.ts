/** Bitmap directory: the dirty bitmaps of an image, and where the table of each is. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { bits, type BitsLeaf, flag } from '../bytes/bits.js'
import { type ByteType, whole } from '../bytes/byte-type.js'
import { entry, type EntryType, toEight } from '../bytes/entry.js'
import { type Issue, malformed } from '../bytes/issue.js'
import { onField, RuleTable, rulesOf } from '../bytes/judgement.js'
import { u16, u32, u64, u8, zeros } from '../bytes/leaf.js'
import { listOf, repeats, startsOf, type Step } from '../bytes/list.js'
import { toHex } from '../bytes/octets.js'
import { atLeast, atMost, between, oneOf, refusing, zero } from '../bytes/rule.js'
import { row, struct, type StructType } from '../bytes/struct.js'
import { aligned, type Aligning, readable } from './alignment.js'
import type { BitmapsExtension } from './header-values.js'
import type { BitmapEntry, BitmapFields, BitmapFlags } from './table-values.js'
import {
  maxBitmapData,
  maxBitmapName,
  maxBitmapTable,
  maxBitmapTables,
  maxGranularityBits,
  minGranularityBits
} from './limits.js'
import { bitmapBits, bitmapTableEntries } from './bitmap.js'

export type { BitmapEntry }

/** The flags of a bitmap. @see BMP-02 */
export const bitmapFlags: BitsLeaf<BitmapFlags> = bits(
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
  { clause: 'BMP-02', refusal: 'OPEN-31' },
  4
)

/** The table of a bitmap directory entry: its first 24 bytes. @see BMP-02 */
export const bitmapFixed: StructType<BitmapFields> = struct('bitmap directory entry', {
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
    'a bit covers 1 << granularity_bits guest bytes',
    refusing('OPEN-31', between(0, 63, 'BMP-02')),
    refusing('OPEN-31', { ...between(minGranularityBits, maxGranularityBits, 'BMP-04', 'qemu'), phase: 'limit' })
  ),
  nameSize: row(u16, 'name_size', 'BMP-02', 'bytes of the name, at least 1'),
  extraDataSize: row(u32, 'extra_data_size', 'BMP-02', 'bytes of the extra data')
})

/** A bitmap directory entry. Name and extra data are kept as bytes. @see BMP-02 */
export const bitmapEntry: EntryType<BitmapEntry, BitmapFields> = entry('bitmap directory entry', bitmapFixed, {
  extra: { size: 'extraDataSize', name: 'extra_data', clause: 'BMP-02', doc: 'never refers to clusters' },
  name: { size: 'nameSize', name: 'name', clause: 'BMP-02', doc: 'unique, not NUL terminated' }
})

/** What the rules of a bitmap directory entry may name: its fields, and its lengths. */
type BitmapKey = keyof BitmapEntry | 'nameSize' | 'extraDataSize'

const refusal = 'OPEN-31'
const nameLength = (b: BitmapEntry): bigint => BigInt(b.name.length)

/** The rules of a bitmap directory entry. @see BMP-02, BMP-04, BMP-12, BMP-16 and BMP-17 */
export const bitmapRules = rulesOf<BitmapEntry, Aligning, BitmapKey>(bitmapEntry, [
  aligned('bitmapTableOffset', 'BMP-02', { refusal }),
  {
    field: 'bitmapTableOffset',
    clause: 'BMP-12',
    source: 'qemu',
    refusal,
    broken: (b) => b.bitmapTableOffset === 0n,
    expected: 'the offset of a table'
  },
  {
    field: 'bitmapTableSize',
    clause: 'BMP-12',
    phase: 'limit',
    source: 'qemu',
    refusal,
    broken: (b, { clusterBits }) =>
      b.bitmapTableSize <= maxBitmapTable && b.bitmapTableSize * 2 ** clusterBits > maxBitmapData,
    expected: `a table of at most ${maxBitmapData} bytes of clusters`
  },
  {
    field: 'name',
    clause: 'BMP-17',
    source: 'qemu',
    broken: (b) => b.name.includes(0),
    found: () => 'a NUL byte',
    expected: 'a name without a NUL byte'
  },
  onField('nameSize', atLeast(1, 'BMP-02', 'format'), nameLength),
  onField('nameSize', refusing(refusal, between(0, maxBitmapName, 'BMP-12', 'qemu')), nameLength),
  {
    field: 'flags',
    part: 'extra_data_compatible',
    clause: 'BMP-04',
    source: 'qemu',
    refusal,
    broken: (b) => b.flags.extraDataCompatible,
    found: () => 'set',
    expected: 'clear'
  },
  onField('extraDataSize', refusing(refusal, zero('BMP-04', 'qemu')), (b) => BigInt(b.extra.length)),
  onField('padding', zeros('BMP-02', 'format'), (b) => b.padding)
])

/**
 * Byte offsets of the entries of a directory from its start.
 *
 * @example
 * import fc from 'fast-check'
 * import { bitmaps } from 'qcow2-spec/arbitraries'
 * import { bitmapEntry, bitmapStarts } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(bitmaps.wellFormed, (b) => bitmapStarts([b, b])[1] === bitmapEntry.sizeOf(b)))
 */
export const bitmapStarts = (entries: readonly BitmapEntry[]): readonly number[] => startsOf(bitmapEntry, entries)

const entryAt = (bytes: Uint8Array, at: number): E.Either<readonly Issue[], Step<BitmapEntry>> =>
  pipe(
    bitmapEntry.decodeAt(bytes, at),
    E.mapLeft((issues) => issues.map((i): Issue => ({ ...i, refusal }))),
    E.chain((b) => {
      const next = at + bitmapEntry.sizeOf(b)
      const place = { structure: bitmapEntry.name, field: 'padding', at: next, size: toEight(next - at) }
      return place.size === 0
        ? E.right({ value: b, next })
        : E.left([malformed(place, 'BMP-02', 'the end of the directory', 'padding to a multiple of 8', refusal)])
    })
  )

/** A bitmap directory: all bytes given belong to it, and every entry is padded to a multiple of 8. @see BMP-02 */
export const bitmapDirectory: ByteType<readonly BitmapEntry[]> = listOf('bitmap directory', bitmapEntry, {
  more: (at, _, length) => at < length,
  read: entryAt,
  fits: (entries) => entries.every((b) => bitmapEntry.sizeOf(b) % 8 === 0),
  judge: (entries) => judgeNames(entries)
})

/** The rule of an entry among the entries of its directory, judged with whether one before it has its name. @see BMP-03 */
export const bitmapNameRules = new RuleTable<BitmapEntry, boolean>(bitmapEntry, [
  {
    field: 'name',
    clause: 'BMP-03',
    refusal,
    broken: (_, repeated) => repeated,
    found: () => 'a name used before',
    expected: 'unique names'
  }
])

/** The issues of entries whose names others have before them; `at` is the byte offset of the directory. @see BMP-03 */
export const judgeNames = (entries: readonly BitmapEntry[], at = 0): readonly Issue[] => {
  const starts = bitmapStarts(entries)
  const again = new Set(repeats(entries.map((b) => toHex(b.name))))
  return entries.flatMap((b, i) => bitmapNameRules.judge(b, again.has(i), at + (starts[i] ?? 0)))
}

/** A bitmap directory: where the extension has it, and once it is read how many entries decode and whether bytes are left. */
export interface Directory {
  readonly extension: BitmapsExtension
  readonly found?: { readonly entries: number; readonly more: boolean }
}

/** The rules of a bitmap directory as a whole; their offsets are those of the file. @see BMP-12 */
export const directoryRules = new RuleTable<Directory>(
  {
    placeOf: (_, { extension }) =>
      whole('bitmap directory', Number(extension.bitmapDirectorySize), Number(extension.bitmapDirectoryOffset))
  },
  [
    readable('offset', 'BMP-12', ({ extension: e }) => e.bitmapDirectoryOffset + e.bitmapDirectorySize, {
      source: 'both',
      refusal,
      found: ({ extension }) => String(extension.bitmapDirectoryOffset),
      expected: 'a directory that ends where QEMU can read'
    }),
    {
      field: 'entries',
      clause: 'BMP-12',
      phase: 'inconsistent',
      refusal,
      broken: ({ extension, found }) => found !== undefined && (found.more || found.entries !== extension.nbBitmaps),
      found: ({ found }) => (found?.more === true ? 'more entries' : `${found?.entries ?? 0} entries`),
      expected: 'as many entries as nb_bitmaps says',
      specific: ({ extension }) => `nb_bitmaps, ${extension.nbBitmaps}`
    }
  ]
)

/** What a bitmap table is judged with before it is read. */
export interface BitmapLoading {
  readonly clusterBits: number
  /** Bytes of the guest disk. */
  readonly disk: bigint
}

const neededEntries = (b: BitmapEntry, { disk, clusterBits }: BitmapLoading): bigint =>
  bitmapTableEntries(disk, b.granularityBits, clusterBits)

/** The rules of the table of a bitmap that is not in use: of several that are broken the first is reported. @see BMP-07 and BMP-12 */
export const bitmapLoadingRules = new RuleTable<BitmapEntry, BitmapLoading>(bitmapEntry, [
  {
    field: 'bitmapTableSize',
    clause: 'BMP-07',
    phase: 'inconsistent',
    refusal,
    broken: (b, loading) => BigInt(b.bitmapTableSize) !== neededEntries(b, loading),
    expected: 'the entries that the size of the disk needs',
    specific: (b, loading) => `${neededEntries(b, loading)} for the size of the disk`
  },
  readable('bitmapTableOffset', 'BMP-12', (b) => b.bitmapTableOffset + 8n * BigInt(b.bitmapTableSize), { refusal })
])

/** Whether images of a version can have bitmaps. @see BMP-14 */
export const hasBitmaps = (version: number): boolean => version >= 3

/** Whether a bitmap of a disk of `disk` bytes is as coarse and as short as QEMU loads one. @see BMP-12 */
export const isLoadable = ({ granularityBits }: Pick<BitmapEntry, 'granularityBits'>, disk: bigint): boolean =>
  granularityBits <= maxGranularityBits && bitmapBits(disk, granularityBits) <= BigInt(maxBitmapData) * 8n

/** The rule of a bitmap whose contents are to be used as they are. @see BMP-09 */
export const bitmapSavedRules = new RuleTable<BitmapEntry>(bitmapEntry, [
  {
    field: 'flags',
    part: 'in_use',
    clause: 'BMP-09',
    phase: 'inconsistent',
    broken: (b) => b.flags.inUse,
    found: () => 'set',
    expected: 'clear, or the bitmap removed: it was not saved properly'
  }
])

/** The rules of a bitmap whose bits are read. @see BMP-02, BMP-03, BMP-07, BMP-09, BMP-12 and BMP-18 */
export const bitmapReadRules = new RuleTable<BitmapEntry, BitmapLoading>(bitmapEntry, [
  ...bitmapSavedRules.rules,
  {
    field: 'extraDataSize',
    clause: 'BMP-03',
    phase: 'inconsistent',
    broken: (b) => b.extra.length > 0 && !b.flags.extraDataCompatible,
    found: (b) => String(b.extra.length),
    expected: '0, or a flag that it may be ignored'
  },
  ...bitmapEntry.rules.filter(({ field }) => field === 'type'),
  {
    field: 'granularityBits',
    clause: 'BMP-12',
    phase: 'limit',
    broken: (b, { disk }) => !isLoadable(b, disk),
    expected: 'a bitmap within the limits'
  },
  ...bitmapRules.about('bitmapTableOffset', 'bitmapTableSize').rules,
  {
    field: 'bitmapTableSize',
    clause: 'BMP-07',
    phase: 'inconsistent',
    broken: (b, { disk, clusterBits }) =>
      BigInt(b.bitmapTableSize) << BigInt(clusterBits + 3) < bitmapBits(disk, b.granularityBits),
    expected: 'entries for all bits',
    specific: (b, { disk }) => `entries for ${bitmapBits(disk, b.granularityBits)} bits`
  }
])

/** The rule for the tables of all bitmaps together, judged with their bytes up to this one. @see BMP-12 */
export const bitmapTotalRules = new RuleTable<BitmapEntry, number>(bitmapEntry, [
  {
    field: 'bitmapTableSize',
    clause: 'BMP-12',
    phase: 'limit',
    source: 'qemu',
    refusal,
    broken: (_, bytes) => bytes > maxBitmapTables,
    found: () => 'more bytes of bitmap tables',
    expected: `at most ${maxBitmapTables} in one image`
  }
])
