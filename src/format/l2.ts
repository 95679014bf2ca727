/** L2 entries: what a guest cluster is, by the 64 bits of its entry and, when extended, the 64 bits of its subclusters. */
import * as E from 'fp-ts/lib/Either.js'
import { bits, flag, masked } from '../bytes/bits.js'
import { ByteType, tooFew } from '../bytes/byte-type.js'
import type { Complaint } from '../bytes/issue.js'
import { bigJson, flagJson, smallJson } from '../bytes/json.js'
import { maxU64 } from '../bytes/leaf.js'
import { type JsonRow, type JsonVariant, objectJson, taggedJson, valueAt } from '../bytes/object.js'
import { viewOf } from '../bytes/octets.js'
import { alignment } from './alignment.js'
import { compressedBits } from './compressed.js'
import { type Geometry, l2EntrySize } from './geometry.js'
import { hostEnd } from './limits.js'

/** What an L2 entry is read with. */
export type L2Context = Pick<Geometry, 'version' | 'clusterBits' | 'extendedL2' | 'externalDataFile'>

const rows = {
  hostClusterOffset: masked(9, 55, 'host_cluster_offset', 'L2-02', 'host offset of the cluster, cluster aligned'),
  copied: flag(63, 'copied', 'L2-04', 'the refcount of the cluster is exactly one; meaningful in active tables only')
} as const

/** The bit field of a standard L2 entry under extended L2, where bit 0 is reserved. */
const descriptorBits = bits('L2 entry', rows, { clause: 'L2-02' })
/** The bit field of a standard L2 entry; bit 62 is clear in it. */
export const standardBits = bits(
  'L2 entry',
  { zero: flag(0, 'zero', 'L2-02', 'reads as zeros; version 3 only'), ...rows },
  { clause: 'L2-02' }
)

interface Standard {
  readonly copied: boolean
  /** Bits 1 to 8 and 56 to 61, in their places, and bit 0 under extended L2: all must be zero. */
  readonly reserved: bigint
}

/** A standard cluster without host cluster: reads from the backing file, or as zeros. */
export interface Unallocated extends Standard {
  readonly _tag: 'Unallocated'
}

/** A cluster whose data lies at a host offset. */
export interface Normal extends Standard {
  readonly _tag: 'Normal'
  readonly hostClusterOffset: bigint
}

/** A cluster that reads as zeros and has no host cluster. */
export interface ZeroPlain extends Standard {
  readonly _tag: 'ZeroPlain'
}

/** A cluster that reads as zeros and keeps its host cluster. */
export interface ZeroAllocated extends Standard {
  readonly _tag: 'ZeroAllocated'
  readonly hostClusterOffset: bigint
}

/** A cluster whose compressed payload lies at a host byte offset. */
export interface Compressed {
  readonly _tag: 'Compressed'
  readonly hostOffset: bigint
  readonly additionalSectors: number
  /** Never set in a well-formed entry. */
  readonly copied: boolean
}

/** What the first 64 bits of an L2 entry say. @see L2-03 */
export type Cluster = Unallocated | Normal | ZeroPlain | ZeroAllocated | Compressed

/** The two halves of a subcluster bitmap; bit x of each speaks of subcluster x. @see SUB-02 */
export interface SubclusterBitmap {
  /** Subclusters whose data lies in the host cluster: bits 0 to 31 of the bitmap. */
  readonly allocated: number
  /** Subclusters that read as zeros: bits 32 to 63 of the bitmap. */
  readonly zeros: number
}

/** An L2 entry: `subclusters` is present exactly when the image has extended L2 entries. */
export type L2Entry = Cluster & { readonly subclusters?: SubclusterBitmap }

const compressedFlag = 1n << 62n

const standard = (word: bigint, ctx: L2Context): Cluster => {
  const { zero, hostClusterOffset, copied, reserved } = ctx.extendedL2
    ? { zero: false, ...descriptorBits.ofWord(word) }
    : standardBits.ofWord(word)
  const placed = hostClusterOffset !== 0n
  if (zero)
    return placed
      ? { _tag: 'ZeroAllocated', hostClusterOffset, copied, reserved }
      : { _tag: 'ZeroPlain', copied, reserved }
  return placed || (ctx.externalDataFile && copied)
    ? { _tag: 'Normal', hostClusterOffset, copied, reserved }
    : { _tag: 'Unallocated', copied, reserved }
}

/**
 * What the 64 bits of a descriptor say. The compressed flag is looked at first: bit 0 of a compressed descriptor is an address bit.
 *
 * @see L2-03
 */
export const clusterOfWord = (word: bigint, ctx: L2Context): Cluster => {
  if ((word & compressedFlag) === 0n) return standard(word, ctx)
  const { hostOffset, additionalSectors, copied } = compressedBits(ctx.clusterBits).ofWord(word)
  return { _tag: 'Compressed', hostOffset, additionalSectors, copied }
}

/** The 64 bits of a descriptor. Law: `wordOfCluster(clusterOfWord(w)) = w`. */
export const wordOfCluster = (c: Cluster, ctx: Pick<L2Context, 'clusterBits'>): bigint => {
  switch (c._tag) {
    case 'Compressed':
      return compressedBits(ctx.clusterBits).toWord({ ...c, compressed: true, reserved: 0n })
    case 'Unallocated':
      return descriptorBits.toWord({ ...c, hostClusterOffset: 0n })
    case 'Normal':
      return descriptorBits.toWord(c)
    case 'ZeroPlain':
      return standardBits.toWord({ ...c, hostClusterOffset: 0n, zero: true })
    case 'ZeroAllocated':
      return standardBits.toWord({ ...c, zero: true })
  }
}

const offsetJson = bigJson('host offset', maxU64)
const copiedRow: JsonRow = { key: 'copied', name: 'copied', json: flagJson, absent: false }
const reservedRow: JsonRow = { key: 'reserved', name: 'reserved', json: bigJson('reserved', maxU64), absent: 0n }
const offsetRow: JsonRow = { key: 'hostClusterOffset', name: 'host_cluster_offset', json: offsetJson }

const variants: readonly JsonVariant[] = [
  { tag: 'Unallocated', name: 'unallocated', rows: [copiedRow, reservedRow] },
  { tag: 'Normal', name: 'normal', rows: [offsetRow, copiedRow, reservedRow] },
  { tag: 'ZeroPlain', name: 'zero plain', rows: [copiedRow, reservedRow] },
  { tag: 'ZeroAllocated', name: 'zero allocated', rows: [offsetRow, copiedRow, reservedRow] },
  {
    tag: 'Compressed',
    name: 'compressed',
    rows: [
      { key: 'hostOffset', name: 'host_offset', json: offsetJson },
      { key: 'additionalSectors', name: 'additional_sectors', json: smallJson('additional_sectors', 8191) },
      copiedRow
    ]
  }
]

const half = smallJson('a bitmap half', 0xffff_ffff)
const isBitmap = (u: unknown): u is SubclusterBitmap => half.is(valueAt(u, 'allocated')) && half.is(valueAt(u, 'zeros'))
const bitmapRow: JsonRow = {
  key: 'subclusters',
  name: 'subclusters',
  json: objectJson(
    'subcluster bitmap',
    [
      { key: 'allocated', name: 'allocated', json: half },
      { key: 'zeros', name: 'zeros', json: half }
    ],
    isBitmap
  )
}

const variantsFor = (ctx: L2Context): readonly JsonVariant[] =>
  ctx.extendedL2 ? variants.map((v) => ({ ...v, rows: [...v.rows, bitmapRow] })) : variants

/** Fields that fit the 64 bits of the descriptor, and fit no other kind of cluster. */
const isEntry = (ctx: L2Context) => {
  const shaped = (u: unknown): u is L2Entry =>
    variantsFor(ctx).some((v) => v.tag === valueAt(u, '_tag') && v.rows.every((r) => r.json.is(valueAt(u, r.key))))
  return (u: unknown): u is L2Entry => {
    if (!shaped(u) || (!ctx.extendedL2 && u.subclusters !== undefined)) return false
    const word = wordOfCluster(u, ctx)
    const back = clusterOfWord(word, ctx)
    return (
      word <= maxU64 &&
      back._tag === u._tag &&
      variants.every((v) => v.tag !== u._tag || v.rows.every((r) => valueAt(back, r.key) === valueAt(u, r.key)))
    )
  }
}

const at = { structure: 'L2 entry', at: 0, size: 8, phase: 'invalid', source: 'both' } as const

const judgeCopied = (c: Cluster): readonly Complaint[] => {
  if (!c.copied || c._tag === 'Normal' || c._tag === 'ZeroAllocated') return []
  const expected = 'clear in an entry of this kind'
  return c._tag === 'Compressed'
    ? [{ ...at, clause: 'CMP-01', field: 'copied', found: 'set', expected }]
    : [{ ...at, clause: 'L2-04', source: 'format', field: 'copied', found: 'set', expected }]
}

const judgeStandard = (c: Exclude<Cluster, Compressed>, ctx: L2Context): readonly Complaint[] => {
  const reserved = ctx.extendedL2 ? c.reserved & ~1n : c.reserved
  return [
    ...(reserved === 0n
      ? []
      : [
          {
            ...at,
            clause: 'L2-02' as const,
            field: 'reserved',
            found: `0x${reserved.toString(16)}`,
            expected: 'reserved bits zero'
          }
        ]),
    ...(reserved === c.reserved
      ? []
      : [
          {
            ...at,
            clause: 'L2-02' as const,
            source: 'format' as const,
            field: 'zero',
            found: 'set',
            expected: 'clear under extended L2'
          }
        ]),
    ...(ctx.version === 2 && (c._tag === 'ZeroPlain' || c._tag === 'ZeroAllocated')
      ? [{ ...at, clause: 'L2-05' as const, field: 'zero', found: 'set', expected: 'clear in a version 2 image' }]
      : []),
    ...(c._tag === 'Normal' || c._tag === 'ZeroAllocated'
      ? alignment('L2-02', 'L2 entry', 'host_cluster_offset', c.hostClusterOffset, ctx.clusterBits)
      : [])
  ]
}

const judgeCompressed = (c: Compressed, ctx: L2Context): readonly Complaint[] => [
  ...(c.hostOffset < hostEnd
    ? []
    : [
        {
          ...at,
          clause: 'CMP-01' as const,
          source: 'format' as const,
          field: 'host_offset',
          found: `0x${c.hostOffset.toString(16)}`,
          expected: 'bits 56 and up clear'
        }
      ]),
  ...(ctx.externalDataFile
    ? [
        {
          ...at,
          clause: 'DATA-05' as const,
          field: 'compressed',
          found: 'set',
          expected: 'clear with an external data file'
        }
      ]
    : [])
]

const judgeBitmap = (e: L2Entry): readonly Complaint[] => {
  const map = e.subclusters
  if (map === undefined) return []
  const where = { ...at, at: 8, field: 'subclusters' }
  const both = (map.allocated & map.zeros) >>> 0
  if (e._tag === 'Compressed')
    return map.allocated === 0 && map.zeros === 0
      ? []
      : [{ ...where, clause: 'SUB-06', found: 'a bitmap that is not zero', expected: 'zero in a compressed entry' }]
  if (both !== 0)
    return [
      {
        ...where,
        clause: 'SUB-04',
        found: `both bits set: 0x${both.toString(16)}`,
        expected: 'at most one bit a subcluster'
      }
    ]
  return e._tag === 'Unallocated' && map.allocated !== 0
    ? [{ ...where, clause: 'SUB-04', found: 'allocated subclusters without a host cluster', expected: 'none' }]
    : []
}

/**
 * An L2 entry of an image with this geometry: 8 bytes, or 16 with extended L2.
 *
 * @see L2-03 and SUB-02
 */
export const l2Entry = (ctx: L2Context): ByteType<L2Entry> => {
  const size = l2EntrySize(ctx)
  const is = isEntry(ctx)
  return new ByteType<L2Entry>({
    name: 'L2 entry',
    is,
    read: (bytes) => {
      if (bytes.length < size) return E.left([tooFew('L2 entry', size, bytes.length, 'L2-01')])
      const view = viewOf(bytes)
      const cluster = clusterOfWord(view.getBigUint64(0), ctx)
      return E.right(
        ctx.extendedL2
          ? { ...cluster, subclusters: { allocated: view.getUint32(12), zeros: view.getUint32(8) } }
          : cluster
      )
    },
    write: (e) => {
      const bytes = new Uint8Array(size)
      const view = viewOf(bytes)
      view.setBigUint64(0, wordOfCluster(e, ctx))
      if (e.subclusters !== undefined) {
        view.setUint32(8, e.subclusters.zeros)
        view.setUint32(12, e.subclusters.allocated)
      }
      return bytes
    },
    sizeOf: () => size,
    json: taggedJson('L2 entry', 'type', variantsFor(ctx), is),
    judge: (e) => [
      ...(e._tag === 'Compressed' ? judgeCompressed(e, ctx) : judgeStandard(e, ctx)),
      ...judgeCopied(e),
      ...judgeBitmap(e)
    ]
  })
}
