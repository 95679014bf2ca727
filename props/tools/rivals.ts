/** The rivals of the codecs: the same work written by hand for one structure. */
import type { Header } from '../../src/format/header.js'

/** Decodes a version 3 header whose header_length is at least 112; undefined for any other. */
export const readHeader = (bytes: Uint8Array): Header | undefined => {
  if (bytes.length < 112) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerLength = view.getUint32(100)
  if (view.getUint32(0) !== 0x5146_49fb || view.getUint32(4) !== 3) return undefined
  if (headerLength < 112 || headerLength > bytes.length) return undefined
  const incompatible = view.getUint32(76)
  const compatible = view.getUint32(84)
  const autoclear = view.getUint32(92)
  return {
    magic: view.getUint32(0),
    version: view.getUint32(4),
    backingFileOffset: view.getBigUint64(8),
    backingFileSize: view.getUint32(16),
    clusterBits: view.getUint32(20),
    size: view.getBigUint64(24),
    cryptMethod: view.getUint32(32),
    l1Size: view.getUint32(36),
    l1TableOffset: view.getBigUint64(40),
    refcountTableOffset: view.getBigUint64(48),
    refcountTableClusters: view.getUint32(56),
    nbSnapshots: view.getUint32(60),
    snapshotsOffset: view.getBigUint64(64),
    incompatibleFeatures: {
      dirty: (incompatible & 1) !== 0,
      corrupt: (incompatible & 2) !== 0,
      externalDataFile: (incompatible & 4) !== 0,
      compressionType: (incompatible & 8) !== 0,
      extendedL2: (incompatible & 16) !== 0,
      reserved: view.getBigUint64(72) & ~31n
    },
    compatibleFeatures: { lazyRefcounts: (compatible & 1) !== 0, reserved: view.getBigUint64(80) & ~1n },
    autoclearFeatures: {
      bitmaps: (autoclear & 1) !== 0,
      rawExternalData: (autoclear & 2) !== 0,
      reserved: view.getBigUint64(88) & ~3n
    },
    refcountOrder: view.getUint32(96),
    headerLength,
    additional: {
      compressionType: view.getUint8(104),
      padding: new Uint8Array(bytes.subarray(105, 112)),
      rest: new Uint8Array(bytes.subarray(112, headerLength))
    }
  }
}

/** Encodes a header that {@link readHeader} returned. */
export const writeHeader = (h: Header): Uint8Array => {
  const { incompatibleFeatures: incompatible, compatibleFeatures: compatible, autoclearFeatures: autoclear } = h
  const bytes = new Uint8Array(112 + h.additional.rest.length)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, h.magic)
  view.setUint32(4, h.version)
  view.setBigUint64(8, h.backingFileOffset)
  view.setUint32(16, h.backingFileSize)
  view.setUint32(20, h.clusterBits)
  view.setBigUint64(24, h.size)
  view.setUint32(32, h.cryptMethod)
  view.setUint32(36, h.l1Size)
  view.setBigUint64(40, h.l1TableOffset)
  view.setBigUint64(48, h.refcountTableOffset)
  view.setUint32(56, h.refcountTableClusters)
  view.setUint32(60, h.nbSnapshots)
  view.setBigUint64(64, h.snapshotsOffset)
  const lowFive =
    (incompatible.dirty ? 1 : 0) |
    (incompatible.corrupt ? 2 : 0) |
    (incompatible.externalDataFile ? 4 : 0) |
    (incompatible.compressionType ? 8 : 0) |
    (incompatible.extendedL2 ? 16 : 0)
  view.setBigUint64(72, incompatible.reserved | BigInt(lowFive))
  view.setBigUint64(80, compatible.reserved | (compatible.lazyRefcounts ? 1n : 0n))
  view.setBigUint64(88, autoclear.reserved | BigInt((autoclear.bitmaps ? 1 : 0) | (autoclear.rawExternalData ? 2 : 0)))
  view.setUint32(96, h.refcountOrder)
  view.setUint32(100, h.headerLength)
  view.setUint8(104, h.additional.compressionType ?? 0)
  if (h.additional.padding !== undefined) bytes.set(h.additional.padding, 105)
  bytes.set(h.additional.rest, 112)
  return bytes
}

/** The number of clusters of each kind in an L2 table, and the sum of their host offsets. */
export interface Tally {
  /** Unallocated, normal, zero plain, zero allocated, compressed. */
  readonly kinds: readonly number[]
  readonly offsets: number
}

/** The tally of an L2 table of 64-bit entries with clusters of 64 KiB. */
export const tallyL2 = (bytes: Uint8Array): Tally => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let [unallocated, normal, zeroPlain, zeroAllocated, compressed, offsets] = [0, 0, 0, 0, 0, 0]
  for (let at = 0; at < bytes.length; at += 8) {
    const hi = view.getUint32(at)
    const lo = view.getUint32(at + 4)
    if ((hi & 0x4000_0000) !== 0) {
      compressed++
      offsets += (hi & 0x003f_ffff) * 0x1_0000_0000 + lo
    } else {
      const offset = (hi & 0x00ff_ffff) * 0x1_0000_0000 + ((lo & 0xffff_fe00) >>> 0)
      offsets += offset
      if ((lo & 1) !== 0) {
        if (offset === 0) zeroPlain++
        else zeroAllocated++
      } else if (offset === 0) unallocated++
      else normal++
    }
  }
  return { kinds: [unallocated, normal, zeroPlain, zeroAllocated, compressed], offsets }
}
