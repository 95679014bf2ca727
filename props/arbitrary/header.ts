/** Headers of both versions, with header_length and additional fields at every edge. */
import fc from 'fast-check'
import type { HeaderFields } from '../../src/format/header-values.js'
import { additionalFields, type Header, headerFields, magic, v2Defaults } from '../../src/format/header.js'
import { neededL1Entries } from '../../src/format/geometry.js'
import {
  maxBackingName,
  maxClusterBits,
  maxL1Entries,
  maxReadable,
  maxRefcountTable,
  minExtendedClusterBits
} from '../../src/format/limits.js'
import { type Mode, recordOf } from './leaf.js'
import { headerFields as fielded } from '../../src/fuzz/structures.js'
import { growingValue, rowValues, structure, type Structure } from './structure.js'

/** The longest header drawn that has additional fields. */
const longest = 4097

/** Bytes of additional fields: what header_length covers, if it lies within the first cluster. */
const additionalSize = (h: Pick<Header, 'version' | 'clusterBits' | 'headerLength'>): number =>
  h.version === 3 && h.clusterBits <= maxClusterBits && h.headerLength <= 2 ** h.clusterBits
    ? Math.max(0, h.headerLength - headerFields.size)
    : 0

/** Lengths that a header may claim: at each edge, or longer than any cluster; in between they would only be slow. */
const headerLengths = fc.oneof(
  fc.constantFrom(104, 105, 111, 112, 120),
  fc.integer({ min: 0, max: 136 }),
  fc.constantFrom(511, 512, 513, 1024, 4095, 4096, longest),
  fc.constantFrom(2 ** (maxClusterBits + 1), 0x7fff_ffff, 0xffff_ffff)
)

const fixedFields = (mode: Mode): fc.Arbitrary<HeaderFields> => {
  const values = { ...rowValues(headerFields.rows, mode), magic: fc.constant(magic), version: fc.constantFrom(2, 3) }
  return recordOf(values).filter((u): u is HeaderFields => headerFields.is(u))
}

/** The fields with the version's own meaning, and additional fields as far as the length covers them. */
const whole = (h: HeaderFields, mode: Mode): fc.Arbitrary<Header> =>
  growingValue(additionalFields, additionalSize(h), mode).map((additional) => ({
    ...h,
    ...(h.version === 2 ? v2Defaults : {}),
    additional
  }))

const anyHeader: fc.Arbitrary<Header> = fc
  .tuple(fixedFields('any'), headerLengths)
  .chain(([h, headerLength]) => whole({ ...h, headerLength }, 'any'))

/** The greatest multiple of the cluster size up to `offset` from which QEMU can read `length` bytes. */
const aligned = (h: HeaderFields, offset: bigint, length: bigint): bigint => {
  const highest = maxReadable - length
  const cluster = 1n << BigInt(h.clusterBits)
  const within = offset > highest ? highest : offset
  return within - (within % cluster)
}

const lesser = (a: bigint, b: bigint): bigint => (a < b ? a : b)

/** The fields brought in line with each other: alignment, room, and the features that depend on one another. */
const fitted = (h: HeaderFields, headerLength: number, zstd: boolean): HeaderFields => {
  const v3 = h.version === 3
  const external = v3 && h.incompatibleFeatures.externalDataFile
  const raw = external && h.autoclearFeatures.rawExternalData
  const extendedL2 = v3 && h.incompatibleFeatures.extendedL2 && h.clusterBits >= minExtendedClusterBits
  const cluster = 2 ** h.clusterBits
  const coverage = neededL1Entries({ clusterBits: h.clusterBits, extendedL2 }, h.size)
  const fits = coverage <= BigInt(maxL1Entries)
  const size = fits ? h.size : h.size % (BigInt(cluster) * BigInt(maxL1Entries))
  const l1Size = Number(
    lesser(
      BigInt(maxL1Entries),
      neededL1Entries({ clusterBits: h.clusterBits, extendedL2 }, size) + BigInt(h.l1Size % 4)
    )
  )
  const refcountTableClusters = Math.min(h.refcountTableClusters, maxRefcountTable / cluster)
  const backingFileOffset = raw ? 0n : lesser(h.backingFileOffset, BigInt(cluster))
  return {
    ...h,
    size,
    l1Size,
    refcountTableClusters,
    backingFileOffset,
    backingFileSize: Math.min(h.backingFileSize, maxBackingName, cluster - Number(backingFileOffset)),
    nbSnapshots: external ? 0 : h.nbSnapshots,
    l1TableOffset: aligned(h, h.l1TableOffset, BigInt(8 * l1Size)),
    refcountTableOffset: aligned(h, h.refcountTableOffset, BigInt(refcountTableClusters * cluster)),
    snapshotsOffset: aligned(h, h.snapshotsOffset, BigInt(1024 * h.nbSnapshots)),
    incompatibleFeatures: {
      ...h.incompatibleFeatures,
      extendedL2,
      compressionType: zstd && headerLength > headerFields.size
    },
    autoclearFeatures: { ...h.autoclearFeatures, rawExternalData: raw },
    headerLength
  }
}

const wellFormedHeader: fc.Arbitrary<Header> = fc
  .tuple(fixedFields('wellFormed'), fc.constantFrom(104, 112, 120, 512), fc.boolean())
  .chain(([drawn, headerLength, zstd]) => {
    const h = fitted(drawn, headerLength, zstd)
    return whole(h, 'wellFormed').map((a) =>
      a.additional.compressionType === undefined
        ? a
        : { ...a, additional: { ...a.additional, compressionType: h.incompatibleFeatures.compressionType ? 1 : 0 } }
    )
  })

/** Headers. The well-formed ones break no rule across fields either. */
export const headers: Structure<Header> = structure('header', fielded, (mode) =>
  mode === 'any' ? anyHeader : wellFormedHeader
)
