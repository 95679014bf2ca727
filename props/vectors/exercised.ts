/** Which clauses a reader needs for an image: what the image makes use of. */
import type { ClauseId } from '../../spec/clauses/index.js'
import { clusterSize, type Geometry, neededL1Entries } from '../../src/format/geometry.js'
import { extensionTypes } from '../../src/format/extension-kinds.js'
import { availableBytes } from '../../src/format/compressed.js'
import { clusterKind, L2View } from '../../src/format/views.js'
import type { Region } from '../../src/image/dump/regions.js'
import type { Metadata } from '../../src/image/metadata.js'
import { unknownBits } from '../../src/image/verdict.js'

/** What the L2 tables of an image hold. */
interface Clusters {
  readonly kinds: ReadonlySet<number>
  /** Whether a payload lies in two host clusters. */
  readonly crossing: boolean
  /** Whether a payload begins at an odd byte, so that bit 0 of its entry is set. */
  readonly odd: boolean
}

/** An image as its tables show it. */
export interface Shown {
  readonly metadata: Metadata
  readonly g: Geometry
  readonly regions: readonly Region[]
  readonly fileLength: number
  /** Bytes of the backing file's disk. */
  readonly backing?: number
}

const clustersOf = ({ g, regions }: Shown): Clusters => {
  const kinds = new Set<number>()
  let crossing = false
  let odd = false
  for (const region of regions) {
    if (region.structure !== 'L2 table') continue
    const view = new L2View(region.bytes, g)
    for (let i = 0; i < view.length; i++) {
      kinds.add(view.kind(i))
      if (view.kind(i) !== clusterKind.Compressed) continue
      const additionalSectors = view.additionalSectors(i)
      const at = view.hostOffset(i) % clusterSize(g)
      odd ||= at % 2 === 1
      crossing ||= at + availableBytes({ hostOffset: BigInt(at), additionalSectors }) > clusterSize(g)
    }
  }
  return { kinds, crossing, odd }
}

/** Each clause, and when an image makes use of it. */
const uses: readonly (readonly [ClauseId, (s: Shown, c: Clusters) => boolean])[] = [
  ['HDR-01', ({ g }) => g.version === 2],
  ['HDR-02', ({ g }) => g.version === 3],
  ['HDR-03', ({ metadata: { header } }) => header.headerLength > 112],
  ['HDR-08', ({ metadata: { header } }) => header.size % 512n !== 0n],
  ['HDR-09', ({ g, metadata: { header } }) => header.l1Size > Number(neededL1Entries(g, header.size))],
  ['GEN-01', ({ g }) => g.clusterBits !== 16],
  ['OPEN-03', ({ g }) => g.clusterBits === 21],
  ['REF-02', ({ g }) => g.refcountOrder !== 4],
  ['FEAT-02', ({ metadata }) => unknownBits(metadata.header, 'compatible').length > 0],
  ['FEAT-03', ({ metadata }) => unknownBits(metadata.header, 'autoclear').length > 0],
  ['FEAT-04', ({ metadata: { header } }) => header.incompatibleFeatures.dirty],
  ['FEAT-05', ({ metadata: { header } }) => header.incompatibleFeatures.corrupt],
  [
    'EXT-01',
    ({ metadata: { extensions } }) =>
      (extensions?.extensions ?? []).some((e) => e._tag === 'BackingFormat' || e._tag === 'DataFile')
  ],
  ['EXT-07', ({ metadata: { extensions } }) => (extensions?.extensions ?? []).some((e) => e._tag === 'FeatureNames')],
  [
    'EXT-12',
    ({ metadata: { extensions } }) =>
      (extensions?.extensions ?? []).some(
        (e) => e._tag === 'Other' && !Object.values<number>(extensionTypes).includes(e.type)
      )
  ],
  ['BACK-06', ({ backing }) => backing !== undefined],
  ['RD-07', ({ backing, metadata: { header } }) => backing !== undefined && BigInt(backing) < header.size],
  ['BACK-08', ({ backing, metadata: { header } }) => backing !== undefined && BigInt(backing) > header.size],
  ['DATA-01', ({ g }) => g.externalDataFile],
  ['RD-03', (_, { kinds }) => kinds.has(clusterKind.Normal)],
  ['RD-05', (_, { kinds }) => kinds.has(clusterKind.Unallocated)],
  ['L2-03', (_, { kinds }) => kinds.has(clusterKind.ZeroPlain) || kinds.has(clusterKind.ZeroAllocated)],
  ['SUB-01', ({ g }) => g.extendedL2],
  ['SUB-02', ({ g }) => g.extendedL2],
  ['SUB-03', ({ g }) => g.extendedL2],
  [
    'CMP-07',
    ({ metadata: { header } }, { kinds }) =>
      kinds.has(clusterKind.Compressed) && header.additional.compressionType !== 1
  ],
  [
    'CMP-10',
    ({ metadata: { header } }, { kinds }) =>
      kinds.has(clusterKind.Compressed) && header.additional.compressionType === 1
  ],
  ['CMP-02', (_, { kinds }) => kinds.has(clusterKind.Compressed)],
  ['CMP-01', ({ g }, { odd }) => odd && !g.extendedL2],
  ['CMP-05', (_, { crossing }) => crossing],
  ['RD-08', ({ g, metadata: { header } }) => header.size % BigInt(clusterSize(g)) !== 0n],
  ['L1-02', ({ regions }) => regions.filter((r) => r.structure === 'L2 table' && r.of === 'active').length > 1],
  ['GEN-03', ({ fileLength, g }) => fileLength % clusterSize(g) !== 0],
  ['SNAP-01', ({ metadata: { snapshots } }) => snapshots.length > 0],
  [
    'SNAP-02',
    ({ metadata: { snapshots } }) =>
      snapshots.some((s) => s.extra.diskSize === undefined || s.extra.icount === undefined)
  ],
  ['BMP-01', ({ metadata: { bitmaps } }) => bitmaps.length > 0],
  ['LUKS-01', ({ metadata: { header } }) => header.cryptMethod !== 0],
  ['LUKS-08', ({ metadata: { header } }) => header.cryptMethod !== 0]
]

/** The clauses that an image makes use of. */
export const exercised = (shown: Shown): readonly ClauseId[] => {
  const clusters = clustersOf(shown)
  return uses.filter(([, holds]) => holds(shown, clusters)).map(([clause]) => clause)
}
