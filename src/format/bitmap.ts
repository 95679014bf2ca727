/** Dirty bitmaps: directory, table entries, and the bits themselves. */
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import { bits, type BitsOf, flag, masked, word } from '../bytes/bits.js'
import { ByteType, tooFew, whole } from '../bytes/byte-type.js'
import { entry, type EntryOf, toEight } from '../bytes/entry.js'
import { type Issue, malformed } from '../bytes/issue.js'
import { flagJson, listJson } from '../bytes/json.js'
import { onField, RuleTable, rulesOf } from '../bytes/judgement.js'
import { u16, u32, u64, u8, zeros } from '../bytes/leaf.js'
import { repeats, startsOf, type Step, sum, walk } from '../bytes/list.js'
import { bitAt, concat, packBits, toHex } from '../bytes/octets.js'
import { atLeast, atMost, between, oneOf, refusing, zero } from '../bytes/rule.js'
import { row, struct } from '../bytes/struct.js'
import type { Halves } from '../bytes/words.js'
import { aligned, type Aligning, faultMask } from './alignment.js'
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
  { clause: 'BMP-02', refusal: 'OPEN-31' },
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

/** What the rules of a bitmap directory entry may name: its fields, and its lengths. */
type BitmapKey = keyof BitmapEntry | 'nameSize' | 'extraDataSize'

const refusal = 'OPEN-31'
const nameLength = (b: BitmapEntry): bigint => BigInt(b.name.length)

/** The rules of a bitmap directory entry. @see BMP-02, BMP-04 and BMP-12 */
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

const entriesJson = listJson('bitmap directory', bitmapEntry.json, (a) =>
  a.every((b) => bitmapEntry.sizeOf(b) % 8 === 0)
)

/** Byte offsets of the entries of a directory from its start. */
export const bitmapStarts = (entries: readonly BitmapEntry[]): readonly number[] =>
  startsOf(entries.map((b) => bitmapEntry.sizeOf(b)))

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
    return [...a.flatMap((b, i) => bitmapEntry.judge(b, starts[i])), ...judgeNames(a)]
  }
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
export const bitmapTableEntry = word(bits('bitmap table entry', tableRows, { clause: 'BMP-05', refusal }), 'BMP-05')

/** The rules of a bitmap table entry. @see BMP-05 */
export const bitmapTableRules = rulesOf<BitmapTableEntry, Aligning>(bitmapTableEntry, [
  aligned('clusterOffset', 'BMP-05', { refusal }),
  {
    field: 'allOnes',
    clause: 'BMP-05',
    refusal,
    broken: (e) => e.allOnes && e.clusterOffset !== 0n,
    found: () => 'set beside an offset',
    expected: 'clear'
  }
])

/** The bits that no bitmap table entry may have set. Law: none is set, and not `all_ones` beside an offset, if and only if `bitmapTableRules` finds nothing. */
export const bitmapTableFaults = (clusterBits: number): Halves =>
  faultMask(bitmapTableEntry.leaf, tableRows.clusterOffset, clusterBits)

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
        ? E.left([tooFew(whole('bitmap data', size), bytes.length, 'BMP-06')])
        : E.right(Array.from({ length: 8 * size }, (_, i) => bitAt(bytes, i))),
    write: packBits,
    sizeOf: () => size,
    json: flags,
    judge: () => []
  })
}

/** Where the bits behind the first `used` begin to be set: the byte; none where all are clear. */
const strayBits = (bytes: Uint8Array, used: number): number => {
  const first = Array.from({ length: Math.max(0, Math.min(8, 8 * bytes.length - used)) }, (_, i) => used + i)
  const stray = first.find((i) => bitAt(bytes, i))
  return stray !== undefined ? stray >>> 3 : bytes.findIndex((b, i) => i >= Math.ceil(used / 8) && b !== 0)
}

/** A cluster of bitmap data, and the number of its bits that the disk has. */
interface LastBits {
  readonly bytes: Uint8Array
  readonly used: number
}

/** The rule of the last cluster of bitmap data: bits past the end of the disk are zero. @see BMP-08 */
export const lastBitsRules = new RuleTable<LastBits>(
  { placeOf: (_, { bytes, used }) => whole('bitmap data', 1, strayBits(bytes, used)) },
  [
    {
      field: 'bits',
      clause: 'BMP-08',
      source: 'format',
      broken: ({ bytes, used }) => strayBits(bytes, used) >= 0,
      found: () => 'bits set past the end of the disk',
      expected: 'zeros'
    }
  ]
)
