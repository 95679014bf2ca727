/** Bitmap tables and bitmap data: where the bits of a dirty bitmap are, and the bits themselves. */
import * as E from 'fp-ts/lib/Either.js'
import { type BitRows, bits, type BitsType, faultMask, flag, masked, word } from '../bytes/bits.js'
import { ByteType, tooFew, whole } from '../bytes/byte-type.js'
import { flagJson, listJson } from '../bytes/json.js'
import { RuleTable, rulesOf } from '../bytes/judgement.js'
import { bitAt, packBits } from '../bytes/octets.js'
import type { Halves } from '../bytes/words.js'
import { aligned, type Aligning } from './alignment.js'
import type { BitmapTableEntry } from './table-values.js'

export type { BitmapTableEntry }

const refusal = 'OPEN-31'

const rows: BitRows<BitmapTableEntry> = {
  clusterOffset: masked(
    9,
    55,
    'cluster_offset',
    'BMP-05',
    'host offset of a cluster of bits, cluster aligned; 0: none'
  ),
  allOnes: flag(0, 'all_ones', 'BMP-05', 'without a cluster: all bits are 1, else all are 0')
}

/** A bitmap table entry: 8 bytes. @see BMP-05 */
export const bitmapTableEntry: BitsType<BitmapTableEntry> = word(
  bits('bitmap table entry', rows, { clause: 'BMP-05', refusal }),
  'BMP-05'
)

/** The rules of a bitmap table entry. @see BMP-05 */
export const bitmapTableRules = rulesOf<BitmapTableEntry, Aligning>(bitmapTableEntry, [
  aligned('clusterOffset', 'BMP-05', { refusal }),
  {
    field: 'allOnes',
    clause: 'BMP-05',
    refusal,
    broken: (e) => e.allOnes && e.clusterOffset !== 0n,
    found: () => 'set beside an offset',
    expected: 'clear beside an offset',
    specific: () => 'clear'
  }
])

/** The bits that no bitmap table entry may have set. Law: none is set, and not `all_ones` beside an offset, if and only if `bitmapTableRules` finds nothing. */
export const bitmapTableFaults = (clusterBits: number): Halves =>
  faultMask(bitmapTableEntry.leaf, rows.clusterOffset, clusterBits)

/**
 * Bits that a disk of `size` bytes needs.
 *
 * @see BMP-07
 * @example
 * import { bitmapBits } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(bitmapBits(1_000_000n, 16), 16n)
 */
export const bitmapBits = (size: bigint, granularityBits: number): bigint =>
  (size + (1n << BigInt(granularityBits)) - 1n) >> BigInt(granularityBits)

/**
 * Entries of the bitmap table that a disk of `size` bytes needs, as QEMU reckons: data in whole words of 64 bits.
 *
 * @see BMP-07
 * @example
 * import { bitmapTableEntries } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(bitmapTableEntries(2n ** 40n, 16, 16), 32n)
 */
export const bitmapTableEntries = (size: bigint, granularityBits: number, clusterBits: number): bigint => {
  const bytes = ((bitmapBits(size, granularityBits) + 63n) / 64n) * 8n
  return (bytes + (1n << BigInt(clusterBits)) - 1n) >> BigInt(clusterBits)
}

/**
 * One cluster of bitmap data, bit by bit.
 *
 * @see BMP-06
 * @example
 * import { bitmapCluster } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const bits = bitmapCluster(9).decode(new Uint8Array(512).fill(0b10))
 * assert.deepEqual(bits._tag === 'Right' && bits.right.slice(0, 3), [false, true, false])
 */
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

/** The byte that has the first set bit after the first `used` bits; none where all are clear. */
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
