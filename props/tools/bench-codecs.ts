/** Benchmarks of the codecs and views in memory. */
import * as E from 'fp-ts/lib/Either.js'
import { type Header, header, v2Defaults } from '../../src/format/header.js'
import { clusterKind, clusterKinds, L2View } from '../../src/format/views.js'
import { equal, type Sides } from './bench-processes.js'
import { readHeader, type Tally, tallyL2, writeHeader } from './rivals.js'

const headers = Array.from({ length: 8 }, (_, i): Header => ({
  magic: 0x5146_49fb,
  version: 3,
  backingFileOffset: i === 1 ? 0x198n : 0n,
  backingFileSize: i === 1 ? 9 : 0,
  clusterBits: 16,
  size: BigInt(i + 1) << 30n,
  cryptMethod: 0,
  l1Size: 2 * (i + 1),
  l1TableOffset: 0x3_0000n,
  refcountTableOffset: 0x1_0000n,
  refcountTableClusters: 1,
  nbSnapshots: i,
  snapshotsOffset: BigInt(i) << 20n,
  incompatibleFeatures: { ...v2Defaults.incompatibleFeatures, dirty: i === 2, extendedL2: i === 3 },
  compatibleFeatures: { ...v2Defaults.compatibleFeatures, lazyRefcounts: i === 2 },
  autoclearFeatures: v2Defaults.autoclearFeatures,
  refcountOrder: 4,
  headerLength: i === 4 ? 120 : 112,
  additional: { compressionType: 0, padding: new Uint8Array(7), rest: new Uint8Array(i === 4 ? 8 : 0) }
}))

/** Both sides decode the same headers. */
export const decoding = (): Sides => {
  const all = headers.map(writeHeader)
  return equal({ ours: () => all.map((bytes) => E.toUnion(header.decode(bytes))), theirs: () => all.map(readHeader) })
}

/** Each side encodes the headers that it has decoded itself. */
export const encoding = (): Sides => {
  const all = headers.map(writeHeader)
  const ours = all.flatMap((bytes) =>
    E.match(
      () => [],
      (h: Header) => [h]
    )(header.decode(bytes))
  )
  const theirs = all.flatMap((bytes) => readHeader(bytes) ?? [])
  return equal({ ours: () => ours.map(header.encode), theirs: () => theirs.map(writeHeader) })
}

/** An L2 table with entries of every kind, by a linear congruential generator. */
const mixedTable = (entries: number): Uint8Array => {
  const bytes = new Uint8Array(8 * entries)
  const view = new DataView(bytes.buffer)
  for (let i = 0, n = 1; i < entries; i++) {
    n = (Math.imul(n, 1_664_525) + 1_013_904_223) >>> 0
    const cluster = BigInt(i + 1) << 16n
    const kinds = [0n, 1n, cluster | 1n, (1n << 62n) | (3n << 54n) | BigInt(n)]
    view.setBigUint64(8 * i, kinds[n >>> 29] ?? cluster | (1n << 63n))
  }
  return bytes
}

const tallyByView = (view: L2View): Tally => {
  const kinds = clusterKinds.map(() => 0)
  let offsets = 0
  for (let i = 0; i < view.length; i++) {
    const kind = view.kind(i)
    kinds[kind] = (kinds[kind] ?? 0) + 1
    offsets += kind === clusterKind.Compressed ? view.hostOffset(i) : view.hostClusterOffset(i)
  }
  return { kinds, offsets }
}

/** Both sides scan an L2 table of 64 MiB. */
export const scanning = (): Sides => {
  const bytes = mixedTable(2 ** 23)
  const view = new L2View(bytes, { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false })
  return equal({ ours: () => tallyByView(view), theirs: () => tallyL2(bytes) })
}
