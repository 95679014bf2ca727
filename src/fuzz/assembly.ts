/** The bytes of a sketch. */
import { empty, fromText, viewOf } from '../bytes/octets.js'
import { deflate } from '../compression/deflate.js'
import { zstdRuns } from '../compression/zstd-runs.js'
import { bitmapEntry } from '../format/bitmap-directory.js'
import { extensionTypes } from '../format/extension-kinds.js'
import { autoclearFeatures, compatibleFeatures, incompatibleFeatures } from '../format/feature.js'
import { clusterSize, l2EntrySize } from '../format/geometry.js'
import { header, magic, v2Defaults } from '../format/header.js'
import { wordOfCluster } from '../format/l2.js'
import { setRefcount } from '../format/refcount.js'
import { snapshotEntry } from '../format/snapshot.js'
import { hostOf, isPlaced, l1Cluster, type Layout, payloadRange, refcountsOf } from './layout.js'
import { noise } from './noise.js'
import type { Sketch, Slot } from './sketch.js'

/** The backing file and the data file that images name, beside which they are read. */
export const companions: ReadonlyMap<string, Uint8Array> = new Map([
  ['base.raw', noise(1, 20_000)],
  ['data.raw', noise(2, 2 ** 16)]
])

/** Makes a value once for each key. */
const memoized = <A>(make: (a: number, b: number) => A): ((a: number, b: number) => A) => {
  const known = new Map<number, A>()
  return (a, b) => {
    const key = a * 2 ** 22 + b
    const made = known.get(key) ?? make(a, b)
    known.set(key, made)
    return made
  }
}

const dataBytes = memoized((i, size) => noise(i + 3, size))
const cluster = (i: number, size: number): Uint8Array => new Uint8Array(size).fill(i + 1)
const deflated = memoized((i, size) => deflate(cluster(i, size)))
const zstd = memoized((i, size) => zstdRuns(cluster(i, size)))

const copied = 1n << 63n

/** The payload of a compressed entry: a cluster of one byte. */
const payloadOf = (s: Sketch, { data }: Slot): Uint8Array => (s.zstd ? zstd : deflated)(data % 8, clusterSize(s.g))

/** The 64 bits of an entry. */
const descriptor = (s: Sketch, layout: Layout, table: number, slot: Slot): bigint => {
  const host = hostOf(s, layout, table, slot)
  if (slot.kind === 'compressed')
    return wordOfCluster({ _tag: 'Compressed', ...payloadRange(host, payloadOf(s, slot).length), copied: false }, s.g)
  const zero = slot.kind !== 'normal' && !s.g.extendedL2 ? 1n : 0n
  if (!isPlaced(s, slot)) return zero
  return BigInt(host) | (s.snapshots === 0 ? copied : 0n) | zero
}

const l2Bytes = (s: Sketch, layout: Layout, table: number, into: Uint8Array): void => {
  const view = viewOf(into)
  for (const slot of s.tables[table] ?? []) {
    const at = slot.index * l2EntrySize(s.g)
    view.setBigUint64(at, descriptor(s, layout, table, slot))
    if (!s.g.extendedL2 || slot.kind === 'compressed') continue
    view.setUint32(at + 8, slot.zeros)
    view.setUint32(at + 12, slot.kind === 'normal' ? slot.allocated : 0)
  }
}

const l1Bytes = (s: Sketch, layout: Layout, flag: bigint, into: Uint8Array): void => {
  const view = viewOf(into)
  s.l1.forEach((table, i) => {
    if (table !== undefined) view.setBigUint64(8 * i, BigInt((layout.tables + table) * layout.size) | flag)
  })
}

const snapshotBytes = (s: Sketch, layout: Layout, into: Uint8Array): void => {
  let at = 0
  for (let i = 0; i < s.snapshots; i++) {
    const bytes = snapshotEntry.encode({
      l1TableOffset: BigInt((layout.snapshots + 1 + i) * layout.size),
      l1Size: s.l1.length,
      dateSec: 0,
      dateNsec: 0,
      vmClockNsec: 0n,
      vmStateSize: 0,
      extra: { vmStateSize: 0n, diskSize: BigInt(s.size), icount: 0n, rest: empty },
      id: fromText(String(i + 1)),
      name: fromText(`s${i}`),
      padding: empty
    })
    into.set(bytes, at)
    at += Math.ceil(bytes.length / 8) * 8
  }
}

const bitmapBytes = (layout: Layout, image: Uint8Array): number => {
  const { size, bitmap } = layout
  const bytes = bitmapEntry.encode({
    bitmapTableOffset: BigInt((bitmap + 1) * size),
    bitmapTableSize: 1,
    flags: { inUse: false, auto: true, extraDataCompatible: false, reserved: 0n },
    type: 1,
    granularityBits: 16,
    extra: empty,
    name: fromText('b'),
    padding: new Uint8Array(7)
  })
  image.set(bytes, bitmap * size)
  viewOf(image).setBigUint64((bitmap + 1) * size, BigInt((bitmap + 2) * size))
  image[(bitmap + 2) * size] = 1
  return bytes.length
}

const backingName = fromText('base.raw')

const headerBytes = (s: Sketch, layout: Layout): Uint8Array => {
  const { size } = layout
  const features = {
    incompatibleFeatures: {
      ...incompatibleFeatures.ofWord(0n),
      externalDataFile: s.g.externalDataFile,
      compressionType: s.zstd,
      extendedL2: s.g.extendedL2
    },
    compatibleFeatures: compatibleFeatures.ofWord(0n),
    autoclearFeatures: { ...autoclearFeatures.ofWord(0n), bitmaps: s.hasBitmap },
    refcountOrder: s.g.refcountOrder,
    headerLength: s.zstd ? 112 : 104
  }
  return header.encode({
    magic,
    version: s.g.version,
    backingFileOffset: BigInt(s.hasBacking ? size - backingName.length : 0),
    backingFileSize: s.hasBacking ? backingName.length : 0,
    clusterBits: s.g.clusterBits,
    size: BigInt(s.size),
    cryptMethod: 0,
    l1Size: s.l1.length,
    l1TableOffset: BigInt(l1Cluster * size),
    refcountTableOffset: BigInt(size),
    refcountTableClusters: 1,
    nbSnapshots: s.snapshots,
    snapshotsOffset: BigInt(s.snapshots === 0 ? 0 : layout.snapshots * size),
    ...(s.g.version === 2 ? v2Defaults : features),
    additional: s.zstd ? { compressionType: 1, rest: new Uint8Array(7) } : { rest: empty }
  })
}

const extensions = (s: Sketch, layout: Layout, directorySize: number): readonly (readonly [number, Uint8Array])[] => {
  const bitmaps = new Uint8Array(24)
  viewOf(bitmaps).setUint32(0, 1)
  viewOf(bitmaps).setBigUint64(8, BigInt(directorySize))
  viewOf(bitmaps).setBigUint64(16, BigInt(layout.bitmap * layout.size))
  return [
    ...(s.hasBacking ? [[extensionTypes.BackingFormat, fromText('raw')] as const] : []),
    ...(s.g.externalDataFile ? [[extensionTypes.DataFile, fromText('data.raw')] as const] : []),
    ...(s.hasBitmap ? [[extensionTypes.Bitmaps, bitmaps] as const] : [])
  ]
}

/** The file of a sketch. */
export const assembledImage = (s: Sketch, layout: Layout): Uint8Array => {
  const { size } = layout
  const image = new Uint8Array(layout.length * size)
  const view = viewOf(image)
  const at = (i: number): Uint8Array => image.subarray(i * size, (i + 1) * size)
  const head = headerBytes(s, layout)
  image.set(head)
  const directorySize = s.hasBitmap ? bitmapBytes(layout, image) : 0
  let end = head.length
  for (const [type, data] of extensions(s, layout, directorySize)) {
    view.setUint32(end, type)
    view.setUint32(end + 4, data.length)
    image.set(data, end + 8)
    end += 8 + Math.ceil(data.length / 8) * 8
  }
  if (s.hasBacking) image.set(backingName, size - backingName.length)
  view.setBigUint64(size, BigInt(2 * size))
  refcountsOf(s, layout).forEach((n, i) => setRefcount(viewOf(at(2)), s.g.refcountOrder, i, BigInt(n)))
  l1Bytes(s, layout, s.snapshots === 0 ? copied : 0n, at(l1Cluster))
  if (s.snapshots > 0) snapshotBytes(s, layout, at(layout.snapshots))
  for (let i = 0; i < s.snapshots; i++) l1Bytes(s, layout, 0n, at(layout.snapshots + 1 + i))
  s.tables.forEach((table, i) => {
    l2Bytes(s, layout, i, at(layout.tables + i))
    if (s.g.externalDataFile) return
    for (const slot of table) {
      if (slot.kind === 'compressed') image.set(payloadOf(s, slot), (layout.data + slot.data) * size + slot.offset)
      else if (isPlaced(s, slot)) image.set(dataBytes(slot.data % 8, size), (layout.data + slot.data) * size)
    }
  })
  return image
}
