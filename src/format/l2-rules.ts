/** The rules of L2 entries, and the mask of the entries that break none. */
import { type BitRow, faultMask, maskOf } from '../bytes/bits.js'
import { onField, RuleTable, rulesOf, type Structure } from '../bytes/judgement.js'
import { hex } from '../bytes/octets.js'
import type { Halves } from '../bytes/words.js'
import { alignment, isAligned } from './alignment.js'
import { compressedBits } from './compressed.js'
import { standardBits, type L2Entry, type L2Context } from './l2.js'
import { maxClusterBits, hostEnd } from './limits.js'
import type { CompressedBits, StandardBits } from './table-values.js'
import type { L2View } from './views.js'

const set = (): string => 'set'

/** The fields that a rule of an L2 entry may name: those of either descriptor, and the bitmap. */
type L2Key = keyof StandardBits | keyof CompressedBits | 'subclusters'

const fieldRows: Readonly<Record<string, BitRow>> = { ...standardBits.rows, ...compressedBits(maxClusterBits).rows }

const l2Fields: Structure<unknown> = {
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
const bothBits = (allocated: number, zeros: number): number => (allocated & zeros) >>> 0

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
    expected: 'no allocated subcluster without a host cluster',
    specific: () => 'none'
  }
])

/**
 * Whether an entry has a host cluster that is not aligned and holds no data: a zero cluster, and under extended L2 any
 * without an allocated subcluster.
 *
 * @see CHK-08
 */
export const isUnalignedReserve = (e: L2Entry, ctx: L2Context): boolean =>
  'hostClusterOffset' in e &&
  !isAligned(e.hostClusterOffset, ctx) &&
  (e.subclusters === undefined ? e._tag === 'ZeroAllocated' : e.subclusters.allocated === 0)

/** The rules of an L2 entry whose cluster is read: of whatever breaks another rule QEMU's reader takes no notice. */
export const l2ReadRules = new RuleTable<L2Entry, L2Context>(
  l2Fields,
  l2Rules.rules.filter(
    ({ clause, field }) => field === 'hostClusterOffset' || ['L2-05', 'DATA-05', 'SUB-04'].includes(clause)
  )
)

/** A host cluster in an external data file; all numbers are bytes. */
export interface DataFileCluster {
  readonly host: number
  readonly guest: number
  /** Length of the data file, where it is known and the cluster holds data. */
  readonly fileLength?: number | undefined
}

/** The rules of an L2 entry with a host cluster in an external data file. @see DATA-01 and DATA-04 */
export const dataFileRules = new RuleTable<DataFileCluster>(l2Fields, [
  {
    field: 'hostClusterOffset',
    clause: 'DATA-04',
    phase: 'inconsistent',
    broken: ({ host, guest }) => host !== guest,
    found: ({ host }) => hex(host),
    expected: 'the guest offset',
    specific: ({ guest }) => `the guest offset, ${hex(guest)}`
  },
  {
    field: 'hostClusterOffset',
    clause: 'DATA-01',
    phase: 'inconsistent',
    source: 'format',
    broken: ({ host, fileLength }) => fileLength !== undefined && host >= fileLength,
    found: ({ host }) => hex(host),
    expected: 'data within the data file',
    specific: ({ fileLength }) => `data within the ${fileLength} bytes of the data file`
  }
])

/**
 * The bits that are clear in the descriptor of a normal cluster that breaks no rule: reserved bits, the compressed and the
 * zero flag, and those of the offset below the cluster size. Law: of an entry with an offset none is set if and only if the
 * entry is `Normal` and `l2Rules` finds nothing in its descriptor.
 */
export const l2Faults = (clusterBits: number): Halves =>
  faultMask({ reservedMask: standardBits.reservedMask | zeroBit }, standardBits.rows.hostClusterOffset, clusterBits)

/**
 * Whether an entry of a table is that of a normal cluster and breaks no rule by itself: `l2Rules` for hot loops, which
 * decodes nothing. Law: true if and only if the entry is `Normal` with an offset, and `l2Rules` allows it.
 */
export const l2Sound = (ctx: L2Context): ((view: L2View, i: number) => boolean) => {
  const faults = l2Faults(ctx.clusterBits)
  return (view, i) =>
    !view.hasAny(i, faults) &&
    view.hostClusterOffset(i) !== 0 &&
    (!ctx.extendedL2 || bothBits(view.allocated(i), view.zeros(i)) === 0)
}
