/** Header rules across fields: what a header's fields say together, under the format's text and under QEMU's behaviour. */
import type { ClauseId, Source } from '../../spec/clauses/index.js'
import type { Complaint, Issue, Phase } from '../bytes/issue.js'
import { issue } from '../bytes/issue.js'
import { judgeBackingName } from './backing.js'
import { neededL1Entries } from './geometry.js'
import { compressionType, type Header, header, headerFields } from './header.js'
import {
  maxClusterBits,
  maxOffset,
  maxReadable,
  maxRefcountTable,
  minClusterBits,
  minExtendedClusterBits,
  sectorSize
} from './limits.js'

interface Spot {
  readonly field: string
  readonly at: number
  readonly size: number
}

/** Place of a field of the fixed header, by the name its value has here. */
const spot = (key: keyof Header): Spot => {
  const p = headerFields.rows.find((r) => r.key === key)
  return { field: p?.row.name ?? '', at: p?.at ?? 0, size: p?.row.as.size ?? 0 }
}

const compressionSpot: Spot = { field: 'compression_type', at: 104, size: 1 }

const when = (
  broken: boolean,
  where: Spot,
  clause: ClauseId,
  found: string,
  expected: string,
  more: { readonly source?: Source; readonly phase?: Phase; readonly refusal?: ClauseId } = {}
): readonly Complaint[] =>
  broken
    ? [
        {
          structure: 'header',
          clause,
          source: more.source ?? 'both',
          phase: more.phase ?? 'invalid',
          ...where,
          found,
          expected,
          ...(more.refusal === undefined ? {} : { refusal: more.refusal })
        }
      ]
    : []

const compression = (h: Header): readonly Complaint[] => {
  const type = compressionType(h)
  const bit = h.incompatibleFeatures.compressionType
  return [
    ...when(type > 1, compressionSpot, 'HDR-04', String(type), '0 or 1', { refusal: 'OPEN-07' }),
    ...when(
      type === 0 && bit,
      spot('incompatibleFeatures'),
      'HDR-04',
      'compression type bit set, type 0',
      'bit clear',
      {
        refusal: 'OPEN-08'
      }
    ),
    ...when(type === 1 && !bit, compressionSpot, 'HDR-04', 'type 1, compression type bit clear', 'bit set', {
      refusal: 'OPEN-08'
    })
  ]
}

/** A table of at least `length` bytes at a host offset: cluster aligned, and within QEMU's reach. */
const table = (
  h: Header,
  key: 'l1TableOffset' | 'refcountTableOffset' | 'snapshotsOffset',
  length: bigint,
  clause: ClauseId
) => {
  const mask = (1n << BigInt(h.clusterBits)) - 1n
  const offset = h[key]
  const end = length === 0n ? maxOffset : maxReadable
  return [
    ...when((offset & mask) !== 0n, spot(key), clause, String(offset), `a multiple of the cluster size, ${mask + 1n}`),
    ...when(
      (offset & mask) === 0n && offset + length > end,
      spot(key),
      clause,
      String(offset),
      `at most ${end - length}`,
      {
        phase: 'limit',
        source: 'qemu'
      }
    )
  ]
}

const features = (h: Header): readonly Complaint[] => [
  ...when(
    h.incompatibleFeatures.extendedL2 && h.clusterBits < minExtendedClusterBits,
    spot('clusterBits'),
    'SUB-01',
    String(h.clusterBits),
    `at least ${minExtendedClusterBits} with extended L2 entries`,
    { refusal: 'OPEN-11' }
  ),
  ...when(
    h.autoclearFeatures.rawExternalData && !h.incompatibleFeatures.externalDataFile,
    spot('autoclearFeatures'),
    'FEAT-06',
    'raw external data without an external data file',
    'the external data file bit',
    { refusal: 'OPEN-26' }
  ),
  ...when(
    h.incompatibleFeatures.externalDataFile && h.nbSnapshots > 0,
    spot('nbSnapshots'),
    'DATA-01',
    String(h.nbSnapshots),
    '0 with an external data file'
  ),
  ...when(
    h.autoclearFeatures.rawExternalData && h.incompatibleFeatures.externalDataFile && h.backingFileOffset !== 0n,
    spot('backingFileOffset'),
    'BACK-07',
    'a backing file',
    'none beside raw external data',
    { source: 'format' }
  )
]

const sizes = (h: Header): readonly Complaint[] => {
  const needed = neededL1Entries({ clusterBits: h.clusterBits, extendedL2: h.incompatibleFeatures.extendedL2 }, h.size)
  const tableBytes = BigInt(h.refcountTableClusters) << BigInt(h.clusterBits)
  return [
    ...when(
      h.version === 3 && h.headerLength > 2 ** h.clusterBits,
      spot('headerLength'),
      'HDR-02',
      String(h.headerLength),
      `at most the cluster size, ${2 ** h.clusterBits}`,
      { refusal: 'OPEN-05' }
    ),
    ...when(
      tableBytes > BigInt(maxRefcountTable),
      spot('refcountTableClusters'),
      'REF-06',
      `${tableBytes} bytes`,
      `at most ${maxRefcountTable} bytes`,
      { phase: 'limit', source: 'qemu', refusal: 'OPEN-15' }
    ),
    ...when(needed > 0x7fff_ffffn, spot('size'), 'OPEN-21', String(h.size), 'a size whose L1 table QEMU can count', {
      phase: 'limit',
      source: 'qemu'
    }),
    ...when(
      needed <= 0x7fff_ffffn && BigInt(h.l1Size) < needed,
      spot('l1Size'),
      'HDR-09',
      String(h.l1Size),
      `at least ${needed} for ${h.size} bytes`,
      { refusal: 'OPEN-22' }
    )
  ]
}

/**
 * Everything a header breaks: each field by itself, and the fields together. Issues carry byte offsets in the file.
 * The fields that other structures give a meaning to are judged beside those structures.
 *
 * @see OPEN-01 and HDR-02
 */
export const judgeHeader = (h: Header): readonly Issue[] => {
  const alone = header.judge(h)
  const clustered = h.clusterBits >= minClusterBits && h.clusterBits <= maxClusterBits
  const together = clustered
    ? [
        ...compression(h),
        ...features(h),
        ...table(h, 'refcountTableOffset', BigInt(h.refcountTableClusters) << BigInt(h.clusterBits), 'OPEN-16'),
        ...table(h, 'snapshotsOffset', BigInt(h.nbSnapshots) * 40n, 'OPEN-18'),
        ...table(h, 'l1TableOffset', BigInt(h.l1Size) * 8n, 'OPEN-20'),
        ...sizes(h),
        ...judgeBackingName(h)
      ]
    : [...compression(h)]
  return [...alone, ...together.map((c) => issue(c, h))]
}

/** Size of the guest disk as QEMU presents it: whole sectors. @see HDR-08 */
export const presentedSize = (h: Header): bigint => h.size - (h.size % BigInt(sectorSize))
