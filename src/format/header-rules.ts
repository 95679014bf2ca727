/** Header rules across fields: what a header's fields say together, under the format's text and under QEMU's behaviour. */
import type { ClauseId } from '../../spec/clauses/index.js'
import type { Issue } from '../bytes/issue.js'
import { type FieldRule, onField, RuleTable } from '../bytes/judgement.js'
import { type Aligning, alignment, isAligned, readable } from './alignment.js'
import { backingRules } from './backing.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from './feature.js'
import { neededL1Entries } from './geometry.js'
import { compressionType, fitsCluster, type Header, header, headerPlaces, type HeaderKey } from './header.js'
import {
  maxClusterBits,
  maxCountableL1,
  maxOffset,
  maxReadable,
  maxRefcountTable,
  minClusterBits,
  minExtendedClusterBits,
  sectorSize
} from './limits.js'
import { snapshotFixed } from './snapshot.js'

type HeaderRule = FieldRule<Header, Aligning, HeaderKey>

const compressionBit = (h: Header): boolean => h.incompatibleFeatures.compressionType

/** The rules of the compression type and its feature bit. @see HDR-04 */
const compression: readonly HeaderRule[] = [
  {
    field: 'compressionType',
    clause: 'HDR-04',
    refusal: 'OPEN-07',
    broken: (h) => compressionType(h) > 1,
    found: (h) => String(compressionType(h)),
    expected: '0 or 1'
  },
  {
    field: 'incompatibleFeatures',
    clause: 'HDR-04',
    refusal: 'OPEN-08',
    broken: (h) => compressionType(h) === 0 && compressionBit(h),
    found: () => 'compression type bit set, type 0',
    expected: 'the compression type bit clear for type 0',
    specific: () => 'bit clear'
  },
  {
    field: 'compressionType',
    clause: 'HDR-04',
    refusal: 'OPEN-08',
    broken: (h) => compressionType(h) === 1 && !compressionBit(h),
    found: () => 'type 1, compression type bit clear',
    expected: 'the compression type bit set for type 1',
    specific: () => 'bit set'
  }
]

const features: readonly HeaderRule[] = [
  {
    field: 'clusterBits',
    clause: 'SUB-01',
    refusal: 'OPEN-11',
    broken: (h) => h.incompatibleFeatures.extendedL2 && h.clusterBits < minExtendedClusterBits,
    expected: `at least ${minExtendedClusterBits} with extended L2 entries`
  },
  {
    field: 'autoclearFeatures',
    clause: 'FEAT-06',
    refusal: 'OPEN-26',
    broken: (h) => h.autoclearFeatures.rawExternalData && !h.incompatibleFeatures.externalDataFile,
    found: () => 'raw external data without an external data file',
    expected: 'the external data file bit'
  },
  {
    field: 'nbSnapshots',
    clause: 'DATA-01',
    broken: (h) => h.incompatibleFeatures.externalDataFile && h.nbSnapshots > 0,
    expected: '0 with an external data file'
  },
  {
    field: 'backingFileOffset',
    clause: 'BACK-07',
    source: 'format',
    broken: (h) =>
      h.autoclearFeatures.rawExternalData && h.incompatibleFeatures.externalDataFile && h.backingFileOffset !== 0n,
    found: () => 'a backing file',
    expected: 'none beside raw external data'
  }
]

/** The end of the host bytes that a table of `length` bytes may reach. */
const reach = (length: bigint): bigint => (length === 0n ? maxOffset : maxReadable)

/** The rules of a table of so many bytes at a host offset: cluster aligned, and within QEMU's reach. */
const table = (
  field: 'l1TableOffset' | 'refcountTableOffset' | 'snapshotsOffset',
  clause: ClauseId,
  bytesOf: (h: Header) => bigint
): readonly HeaderRule[] => [
  onField(field, alignment(clause, { found: String }), (h) => h[field]),
  readable(field, clause, (h) => h[field] + bytesOf(h), {
    broken: (h) => isAligned(h[field], h) && h[field] + bytesOf(h) > reach(bytesOf(h)),
    specific: (h) => `at most ${reach(bytesOf(h)) - bytesOf(h)}`
  })
]

const refcountTableBytes = (h: Header): bigint => BigInt(h.refcountTableClusters) << BigInt(h.clusterBits)

const neededL1 = (h: Header): bigint =>
  neededL1Entries({ clusterBits: h.clusterBits, extendedL2: h.incompatibleFeatures.extendedL2 }, h.size)

const sizes: readonly HeaderRule[] = [
  {
    field: 'headerLength',
    clause: 'HDR-02',
    refusal: 'OPEN-05',
    broken: (h) => h.version === 3 && !fitsCluster(h),
    expected: 'at most the cluster size',
    specific: (h) => `at most the cluster size, ${2 ** h.clusterBits}`
  },
  {
    field: 'refcountTableClusters',
    clause: 'REF-06',
    refusal: 'OPEN-15',
    phase: 'limit',
    source: 'qemu',
    broken: (h) => refcountTableBytes(h) > BigInt(maxRefcountTable),
    found: (h) => `${refcountTableBytes(h)} bytes`,
    expected: `at most ${maxRefcountTable} bytes`
  },
  {
    field: 'size',
    clause: 'OPEN-21',
    phase: 'limit',
    source: 'qemu',
    broken: (h) => neededL1(h) > maxCountableL1,
    expected: 'a size whose L1 table QEMU can count'
  },
  {
    field: 'l1Size',
    clause: 'HDR-09',
    refusal: 'OPEN-22',
    broken: (h) => neededL1(h) <= maxCountableL1 && BigInt(h.l1Size) < neededL1(h),
    expected: 'at least the entries that the size needs',
    specific: (h) => `at least ${neededL1(h)} for ${h.size} bytes`
  }
]

/** The rules of a header's fields together, judged with the header itself. */
export const headerRules = new RuleTable<Header, Aligning>(headerPlaces, [
  ...compression,
  ...features,
  ...table('refcountTableOffset', 'OPEN-16', refcountTableBytes),
  ...table('snapshotsOffset', 'OPEN-18', (h) => BigInt(h.nbSnapshots * snapshotFixed.size)),
  ...table('l1TableOffset', 'OPEN-20', (h) => BigInt(h.l1Size) * 8n),
  ...sizes,
  ...backingRules.rules
])

/** Those of them that no cluster size enters. */
const unclusteredRules = new RuleTable<Header, Aligning>(headerPlaces, compression)

/**
 * Everything a header breaks: each field by itself, and the fields together. Issues carry byte offsets in the file.
 * The fields that other structures give a meaning to are judged beside those structures.
 *
 * @see OPEN-01 and HDR-02
 *
 * @example
 * import fc from 'fast-check'
 * import { headers } from 'qcow2-spec/arbitraries'
 * import { judgeHeader } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(headers.wellFormed, (h) => judgeHeader(h).length === 0))
 * fc.assert(
 *   fc.property(headers.wellFormed, (h) => judgeHeader({ ...h, clusterBits: 22 }).some((i) => i.clause === 'OPEN-03'))
 * )
 */
export const judgeHeader = (h: Header): readonly Issue[] => {
  const clustered = h.clusterBits >= minClusterBits && h.clusterBits <= maxClusterBits
  return [...header.judge(h), ...(clustered ? headerRules : unclusteredRules).judge(h, h)]
}

/** The rules of a header whose image a writer may change as it is: those of its feature bits. @see FEAT-04, FEAT-05 and OPEN-10 */
export const writableRules = new RuleTable<Header>(headerPlaces, [
  ...incompatibleFeatures.writable.map((rule) =>
    onField('incompatibleFeatures', rule, (h: Header) => h.incompatibleFeatures)
  ),
  ...compatibleFeatures.writable.map((rule) =>
    onField('compatibleFeatures', rule, (h: Header) => h.compatibleFeatures)
  ),
  ...autoclearFeatures.writable.map((rule) => onField('autoclearFeatures', rule, (h: Header) => h.autoclearFeatures))
])

/**
 * Size of the guest disk as QEMU presents it: whole sectors.
 *
 * @see HDR-08
 * @example
 * import fc from 'fast-check'
 * import { headers } from 'qcow2-spec/arbitraries'
 * import { presentedSize } from 'qcow2-spec/format'
 *
 * fc.assert(fc.property(headers.wellFormed, (h) => presentedSize({ ...h, size: 1000n }) === 512n))
 */
export const presentedSize = (h: Header): bigint => h.size - (h.size % BigInt(sectorSize))
