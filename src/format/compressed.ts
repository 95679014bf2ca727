/** Compressed cluster descriptor: a host byte offset and a number of sectors, cut where cluster_bits says. */
import { type BitRows, bits, type BitsLeaf, count, flag, masked } from '../bytes/bits.js'
import { offsetBits } from './geometry.js'
import { sectorSize } from './limits.js'
import type { CompressedBits } from './table-values.js'

const rowsFor = (clusterBits: number): BitRows<CompressedBits> => ({
  hostOffset: masked(
    0,
    offsetBits(clusterBits) - 1,
    'host_offset',
    'CMP-01',
    'host offset of the payload in bytes, not aligned'
  ),
  additionalSectors: count(
    offsetBits(clusterBits),
    61,
    'additional_sectors',
    'CMP-01',
    'sectors of 512 bytes after the one that holds the first byte'
  ),
  compressed: flag(62, 'compressed', 'L2-01', 'set'),
  copied: flag(63, 'copied', 'CMP-01', 'never set')
})

const leaves: readonly BitsLeaf<CompressedBits>[] = Array.from({ length: 22 }, (_, clusterBits) =>
  bits('compressed cluster descriptor', rowsFor(Math.max(clusterBits, 9)))
)

/**
 * The bit field of a compressed L2 entry for this cluster size, `clusterBits` being 9 to 21.
 *
 * @example
 * import { compressedBits } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const { hostOffset, additionalSectors } = compressedBits(16).ofWord(0x4040_0000_0005_0064n)
 * assert.deepEqual([hostOffset, additionalSectors], [0x5_0064n, 1])
 */
export const compressedBits = (clusterBits: number): BitsLeaf<CompressedBits> =>
  leaves[clusterBits] ?? bits('compressed cluster descriptor', rowsFor(clusterBits))

/** A compressed payload's place in the image file. */
export interface CompressedRange {
  /** Host offset in bytes, any alignment. */
  readonly hostOffset: bigint
  /** Sectors after the first one. */
  readonly additionalSectors: number
}

/**
 * Most bytes the payload may have: from its first byte to the end of its last sector.
 *
 * @see CMP-02, CMP-04 and CMP-05
 *
 * @example
 * import { availableBytes } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(availableBytes({ hostOffset: 0x5_0000n + 100n, additionalSectors: 1 }), 924)
 */
export const availableBytes = (r: CompressedRange): number =>
  (r.additionalSectors + 1) * sectorSize - Number(r.hostOffset & BigInt(sectorSize - 1))

/**
 * The additional sectors that a payload of `length` bytes at `hostOffset` needs; `length` is at least 1.
 *
 * @see CMP-03
 *
 * @example
 * import { additionalSectors } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(additionalSectors(0x5_0000n + 100n, 924), 1)
 * assert.equal(additionalSectors(0x5_0000n + 100n, 925), 2)
 */
export const additionalSectors = (hostOffset: bigint, length: number): number => {
  const sector = BigInt(sectorSize)
  return Number((hostOffset + BigInt(length) - 1n) / sector - hostOffset / sector)
}

/**
 * The host clusters that a payload touches, first and last, as cluster indices.
 *
 * @see CMP-06
 *
 * @example
 * import { clusterSpan } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.deepEqual(clusterSpan({ hostOffset: 0xfff0n, additionalSectors: 1 }, 16), { first: 0, last: 1 })
 */
export const clusterSpan = (
  r: CompressedRange,
  clusterBits: number
): { readonly first: number; readonly last: number } => {
  const start = Number(r.hostOffset)
  const size = 2 ** clusterBits
  return { first: Math.floor(start / size), last: Math.floor((start + availableBytes(r) - 1) / size) }
}
