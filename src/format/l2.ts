/** L2 entries: what a guest cluster is, by the 64 bits of its entry and, when extended, the 64 bits of its subclusters. */
import * as E from 'fp-ts/lib/Either.js'
import { type BitRow, bits, flag, masked, maskOf } from '../bytes/bits.js'
import { ByteType, tooFew, whole } from '../bytes/byte-type.js'
import { bigJson, flagJson, smallJson } from '../bytes/json.js'
import { onField, rulesOf, type Structure } from '../bytes/judgement.js'
import { maxU64 } from '../bytes/leaf.js'
import { type JsonRow, type JsonVariant, objectJson, taggedJson, valueAt } from '../bytes/object.js'
import { hex, viewOf } from '../bytes/octets.js'
import { halves, type Halves } from '../bytes/words.js'
import { alignment } from './alignment.js'
import { type CompressedBits, compressedBits } from './compressed.js'
import { type Geometry, l2EntrySize } from './geometry.js'
import { hostEnd, maxClusterBits } from './limits.js'

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

const compressedFlag = maskOf(compressedBits(maxClusterBits).rows.compressed)

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

const set = (): string => 'set'

/** The fields that a rule of an L2 entry may name: those of either descriptor, and the bitmap. */
type L2Key = keyof typeof standardBits.rows | keyof CompressedBits['rows'] | 'reserved' | 'subclusters'

const fieldRows: Readonly<Record<string, BitRow>> = { ...standardBits.rows, ...compressedBits(maxClusterBits).rows }

const l2Fields: Structure<L2Entry> = {
  placeOf: (key) => ({
    structure: 'L2 entry',
    field: fieldRows[key]?.name ?? key,
    at: key === 'subclusters' ? 8 : 0,
    size: 8
  }),
  rules: []
}

/** The reserved bits of a standard descriptor; those of a compressed one are address bits. */
const reservedBits = (e: L2Entry, mask: bigint): bigint => (e._tag === 'Compressed' ? 0n : e.reserved & mask)
/** The zero flag where entries have none: under extended L2 it is a reserved bit. */
const zeroBit = maskOf(standardBits.rows.zero)

/** The subclusters whose bits are both set, as bits: none in a sound entry. @see SUB-04 */
export const bothBits = (allocated: number, zeros: number): number => (allocated & zeros) >>> 0

const clashOf = ({ subclusters: map }: L2Entry): number => (map === undefined ? 0 : bothBits(map.allocated, map.zeros))

/** The rules of an L2 entry. @see L2-02, L2-04, L2-05, CMP-01, DATA-05, SUB-04 and SUB-06 */
export const l2Rules = rulesOf<L2Entry, L2Context, L2Key>(l2Fields, [
  {
    field: 'reserved',
    clause: 'L2-02',
    broken: (e) => reservedBits(e, standardBits.reservedMask) !== 0n,
    found: (e) => hex(reservedBits(e, standardBits.reservedMask)),
    expected: 'reserved bits zero'
  },
  {
    field: 'zero',
    clause: 'L2-02',
    source: 'format',
    broken: (e) => reservedBits(e, zeroBit) !== 0n,
    found: set,
    expected: 'clear under extended L2'
  },
  {
    field: 'zero',
    clause: 'L2-05',
    broken: (e, { version }) => version === 2 && (e._tag === 'ZeroPlain' || e._tag === 'ZeroAllocated'),
    found: set,
    expected: 'clear in a version 2 image'
  },
  onField('hostClusterOffset', alignment('L2-02'), (e) => ('hostClusterOffset' in e ? e.hostClusterOffset : 0n)),
  onField(
    'hostOffset',
    {
      clause: 'CMP-01',
      source: 'format',
      broken: (offset) => offset >= hostEnd,
      found: hex,
      expected: 'bits 56 and up clear'
    },
    (e) => (e._tag === 'Compressed' ? e.hostOffset : 0n)
  ),
  {
    field: 'copied',
    clause: 'CMP-01',
    broken: (e) => e.copied && e._tag === 'Compressed',
    found: set,
    expected: 'clear in an entry of this kind'
  },
  {
    field: 'copied',
    clause: 'L2-04',
    source: 'format',
    broken: (e) => e.copied && (e._tag === 'Unallocated' || e._tag === 'ZeroPlain'),
    found: set,
    expected: 'clear in an entry of this kind'
  },
  {
    field: 'compressed',
    clause: 'DATA-05',
    broken: (e, { externalDataFile }) => externalDataFile && e._tag === 'Compressed',
    found: set,
    expected: 'clear with an external data file'
  },
  {
    field: 'subclusters',
    clause: 'SUB-06',
    broken: (e) =>
      e._tag === 'Compressed' && e.subclusters !== undefined && (e.subclusters.allocated | e.subclusters.zeros) !== 0,
    found: () => 'a bitmap that is not zero',
    expected: 'zero in a compressed entry'
  },
  {
    field: 'subclusters',
    clause: 'SUB-04',
    broken: (e) => e._tag !== 'Compressed' && clashOf(e) !== 0,
    found: (e) => `both bits set: ${hex(clashOf(e))}`,
    expected: 'at most one bit a subcluster'
  },
  {
    field: 'subclusters',
    clause: 'SUB-04',
    broken: (e) => e._tag === 'Unallocated' && clashOf(e) === 0 && (e.subclusters?.allocated ?? 0) !== 0,
    found: () => 'allocated subclusters without a host cluster',
    expected: 'none'
  }
])

/**
 * The bits that are clear in the descriptor of a normal cluster that breaks no rule: reserved bits, the compressed and the
 * zero flag, and those of the offset below the cluster size. Law: of an entry with an offset none is set if and only if the
 * entry is `Normal` and `l2Rules` finds nothing in its descriptor.
 */
export const l2Faults = (clusterBits: number): Halves =>
  halves(standardBits.reservedMask | zeroBit | BigInt.asUintN(clusterBits, maskOf(rows.hostClusterOffset)))

/** The bytes of an L2 entry, as {@link l2Entry} encodes it. */
export const encodeL2Entry = (e: L2Entry, ctx: Pick<L2Context, 'clusterBits' | 'extendedL2'>): Uint8Array => {
  const bytes = new Uint8Array(l2EntrySize(ctx))
  const view = viewOf(bytes)
  view.setBigUint64(0, wordOfCluster(e, ctx))
  if (e.subclusters !== undefined) {
    view.setUint32(8, e.subclusters.zeros)
    view.setUint32(12, e.subclusters.allocated)
  }
  return bytes
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
      if (bytes.length < size) return E.left([tooFew(whole('L2 entry', size), bytes.length, 'L2-01')])
      const view = viewOf(bytes)
      const cluster = clusterOfWord(view.getBigUint64(0), ctx)
      return E.right(
        ctx.extendedL2
          ? { ...cluster, subclusters: { allocated: view.getUint32(12), zeros: view.getUint32(8) } }
          : cluster
      )
    },
    write: (e) => encodeL2Entry(e, ctx),
    sizeOf: () => size,
    json: taggedJson('L2 entry', 'type', variantsFor(ctx), is),
    judge: (e) => l2Rules.judge(e, ctx)
  })
}
