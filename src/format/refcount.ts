/** Refcounts: table entries, and blocks of all seven widths. */
import * as E from 'fp-ts/lib/Either.js'
import { type BitRows, bits, type BitsType, faultMask, masked, word } from '../bytes/bits.js'
import { ByteType, tooFew, whole } from '../bytes/byte-type.js'
import { bigJson, listJson } from '../bytes/json.js'
import { rulesOf } from '../bytes/judgement.js'
import { viewOf } from '../bytes/octets.js'
import type { Halves } from '../bytes/words.js'
import { aligned, type Aligning } from './alignment.js'
import type { RefcountTableEntry } from './table-values.js'
import { blockEntries, clusterSize, type Geometry } from './geometry.js'

export type { RefcountTableEntry }

const rows: BitRows<RefcountTableEntry> = {
  refcountBlockOffset: masked(
    9,
    63,
    'refcount_block_offset',
    'REF-04',
    'host offset of the block, cluster aligned; 0: all refcounts are 0'
  )
}

/** A refcount table entry: 8 bytes. @see REF-04 */
export const refcountTableEntry: BitsType<RefcountTableEntry> = word(
  bits('refcount table entry', rows, { clause: 'REF-04' }),
  'REF-04'
)

/** The rules of a refcount table entry. @see REF-04 */
export const refcountTableRules = rulesOf<RefcountTableEntry, Aligning>(refcountTableEntry, [
  aligned('refcountBlockOffset', 'REF-04')
])

/** The bits that no refcount table entry may have set. Law: none is set if and only if `refcountTableRules` finds nothing. */
export const refcountTableFaults = (clusterBits: number): Halves =>
  faultMask(refcountTableEntry.leaf, rows.refcountBlockOffset, clusterBits)

/**
 * Bits of a refcount, 1 to 64.
 *
 * @see REF-02
 * @example
 * import { refcountBits } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(refcountBits(4), 16)
 */
export const refcountBits = (order: number): number => 2 ** order

/**
 * The largest refcount of this width.
 *
 * @see REF-02
 * @example
 * import { maxRefcount } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(maxRefcount(4), 65535n)
 */
export const maxRefcount = (order: number): bigint => (1n << BigInt(refcountBits(order))) - 1n

/**
 * Refcount `i` of the block in `view`. Widths below 8 bits are stored least significant bits first.
 * `i` lies within the block and `order` is 0 to 6.
 *
 * @see REF-05
 *
 * @example
 * import { refcountAt } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(refcountAt(new DataView(Uint8Array.of(0, 1, 0, 2).buffer), 4, 1), 2n)
 */
export const refcountAt = (view: DataView, order: number, i: number): bigint => {
  switch (order) {
    case 3:
      return BigInt(view.getUint8(i))
    case 4:
      return BigInt(view.getUint16(2 * i))
    case 5:
      return BigInt(view.getUint32(4 * i))
    case 6:
      return view.getBigUint64(8 * i)
    default: {
      const width = 1 << order
      return BigInt((view.getUint8((i * width) >> 3) >> ((i * width) & 7)) & ((1 << width) - 1))
    }
  }
}

/**
 * Sets refcount `i` of the block in `view`; the count fits the width.
 *
 * @see REF-05
 * @example
 * import { setRefcount } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const block = new Uint8Array(4)
 * setRefcount(new DataView(block.buffer), 4, 1, 2)
 * assert.deepEqual(block, Uint8Array.of(0, 0, 0, 2))
 */
export const setRefcount = (view: DataView, order: number, i: number, count: number | bigint): void => {
  const width = 1 << order
  if (order === 6) view.setBigUint64(8 * i, BigInt(count))
  else if (order === 5) view.setUint32(4 * i, Number(count))
  else if (order === 4) view.setUint16(2 * i, Number(count))
  else {
    const at = (i * width) >> 3
    const shift = (i * width) & 7
    const kept = view.getUint8(at) & ~(((1 << width) - 1) << shift)
    view.setUint8(at, kept | (Number(count) << shift))
  }
}

/**
 * A refcount block of an image with this geometry: one cluster of refcounts. The value lists every refcount;
 * large blocks are better read through a view.
 *
 * @see REF-05
 *
 * @example
 * import { refcountBlock } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const block = refcountBlock({ clusterBits: 9, refcountOrder: 4 }).decode(new Uint8Array(512))
 * assert.equal(block._tag === 'Right' && block.right.length, 256)
 */
export const refcountBlock = (g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>): ByteType<readonly bigint[]> => {
  const size = clusterSize(g)
  const entries = blockEntries(g)
  const counts = listJson(
    'refcount block',
    bigJson(`a refcount of ${refcountBits(g.refcountOrder)} bits`, maxRefcount(g.refcountOrder)),
    (a) => a.length === entries
  )
  return new ByteType<readonly bigint[]>({
    name: 'refcount block',
    is: (u): u is readonly bigint[] => counts.is(u),
    read: (bytes) => {
      if (bytes.length < size) return E.left([tooFew(whole('refcount block', size), bytes.length, 'REF-05')])
      const view = viewOf(bytes)
      return E.right(Array.from({ length: entries }, (_, i) => refcountAt(view, g.refcountOrder, i)))
    },
    write: (a) => {
      const bytes = new Uint8Array(size)
      const view = viewOf(bytes)
      a.forEach((count, i) => {
        setRefcount(view, g.refcountOrder, i, count)
      })
      return bytes
    },
    sizeOf: () => size,
    json: counts,
    judge: () => []
  })
}

/**
 * Where the refcount of a host cluster is stored.
 *
 * @see REF-03
 * @example
 * import { refcountPlace } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.deepEqual(refcountPlace({ clusterBits: 16, refcountOrder: 4 }, 32769), { table: 1, entry: 1 })
 */
export const refcountPlace = (
  g: Pick<Geometry, 'clusterBits' | 'refcountOrder'>,
  cluster: number
): { readonly table: number; readonly entry: number } => {
  const entries = blockEntries(g)
  return { table: Math.floor(cluster / entries), entry: cluster % entries }
}
