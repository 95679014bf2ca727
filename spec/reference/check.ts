/** The reference checker: QEMU's counts, from a map of how often each host cluster is referred to. @see CHK-01 */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../clauses/index.js'
import {
  entriesOf,
  type Entry,
  entryOf,
  extensionOf,
  type Image,
  inSectors,
  isReadable,
  isSet,
  number,
  offsetIn,
  readEnd,
  snapshotsOf,
  type Table,
  tableAt,
  word
} from './image.js'

/** The refcount of a host cluster as it is stored; `undefined` where it cannot be read. @see REF-03 and REF-05 */
const refcountOf = ({ file, clusterSize, refcountBits, refcountTable }: Image, cluster: number): number | undefined => {
  const perBlock = (clusterSize * 8) / refcountBits
  const index = Math.floor(cluster / perBlock)
  const entry = index < refcountTable.entries ? word(file, refcountTable.offset + 8 * index) : 0n
  const block = entry - (entry % 512n)
  if (block === 0n) return 0
  if (block % BigInt(clusterSize) !== 0n || block >= readEnd) return undefined
  const bit = (cluster % perBlock) * refcountBits
  const at = Number(block) + Math.floor(bit / 8)
  return refcountBits >= 8
    ? number(file, at, refcountBits / 8)
    : (number(file, at, 1) >> (bit % 8)) & (2 ** refcountBits - 1)
}

/** The entries of the L2 table at this offset, without those past the end of the file, which are zeros. */
const l2Entries = (image: Image, table: number): readonly Entry[] => {
  const size = image.extendedL2 ? 16 : 8
  const within = Math.max(0, Math.min(image.clusterSize, image.file.length - table))
  return Array.from({ length: Math.ceil(within / size) }, (_, index) => entryOf(image, table, index))
}

/** What a check finds. @see CHK-12 */
export interface Counts {
  corruptions: number
  leaks: number
  checkErrors: number
  readonly totalClusters: number
  allocatedClusters: number
  fragmentedClusters: number
  compressedClusters: number
  imageEndOffset: number
}

/** @see CHK-07 */
export const exitCode = ({ corruptions, leaks, checkErrors }: Counts): number =>
  checkErrors > 0 ? 1 : corruptions > 0 ? 2 : leaks > 0 ? 3 : 0

/** Checks an image; refused where QEMU gives up without a count. */
export const check = (image: Image): E.Either<ClauseId, Counts> => {
  const { file, clusterSize, hasDataFile, refcountTable } = image
  const fileLength = inSectors(file.length)
  const references = new Map<number, number>()
  let clusters = Math.ceil(fileLength / clusterSize)
  const counts: Counts = {
    corruptions: 0,
    leaks: 0,
    checkErrors: 0,
    totalClusters: Math.ceil(image.size / clusterSize),
    allocatedClusters: 0,
    fragmentedClusters: 0,
    compressedClusters: 0,
    imageEndOffset: clusterSize
  }
  /** Counts a corruption if there is one. */
  const corrupt = (isCorrupt: boolean): boolean => {
    counts.corruptions += Number(isCorrupt)
    return isCorrupt
  }

  /** Counts a reference to every cluster of a range. @see CHK-02 and CHK-03 */
  const refer = (offset: number, size: number): void => {
    if (size === 0 || corrupt(offset + size - fileLength >= clusterSize)) return
    for (let cluster = Math.floor(offset / clusterSize); cluster * clusterSize < offset + size; cluster++) {
      clusters = Math.max(clusters, cluster + 1)
      const before = references.get(cluster) ?? 0
      if (!corrupt(before === 2 ** image.refcountBits - 1)) references.set(cluster, before + 1)
    }
  }

  /** Checks an L2 entry; `next` is the end of the cluster before it. Tells the end of its own cluster. */
  const checkEntry = (entry: Entry, next: number, isActive: boolean): number => {
    const { bits, bitmap, host, available } = entry
    if (bits === 0n && bitmap === 0n) return next
    if (entry.isCompressed) {
      corrupt(isSet(bits, 63))
      if (corrupt(hasDataFile) || corrupt(bitmap !== 0n)) return next
      refer(host, available)
    } else {
      corrupt((bits & 0x3f00_0000_0000_01fen) !== 0n)
      corrupt(entry.hasCluster ? ((bitmap >> 32n) & bitmap) !== 0n : BigInt.asUintN(32, bitmap) !== 0n)
      corrupt(host % clusterSize !== 0)
      if (!entry.hasCluster) return next
      if (!hasDataFile) refer(host, clusterSize)
    }
    if (isActive) {
      counts.allocatedClusters += 1
      counts.compressedClusters += Number(entry.isCompressed)
      counts.fragmentedClusters += Number(entry.isCompressed || (next !== 0 && host !== next))
    }
    return entry.isCompressed ? next : host + clusterSize
  }

  const checkL1 = (l1: Table, isActive: boolean): void => {
    refer(l1.offset, 8 * l1.entries)
    for (const entry of entriesOf(file, l1).filter((each) => each !== 0n)) {
      const table = offsetIn(entry)
      corrupt((entry & 0x7f00_0000_0000_01ffn) !== 0n)
      corrupt(table % clusterSize !== 0)
      refer(table, clusterSize)
      l2Entries(image, table).reduce((next, each) => checkEntry(each, next, isActive), 0)
    }
  }

  const checkBitmaps = (extension: number): void => {
    const [size, directory] = [number(file, extension + 8, 8), number(file, extension + 16, 8)]
    refer(directory, size)
    for (let at = directory; at < Math.min(directory + size, file.length);) {
      const table = tableAt(file, at, number(file, at + 8, 4), clusterSize)
      refer(table.offset, 8 * table.entries)
      for (const entry of entriesOf(file, table)) {
        const host = offsetIn(entry)
        const isReserved = (entry & 0xff00_0000_0000_01fen) !== 0n || (host !== 0 && isSet(entry, 0))
        if (!corrupt(isReserved || host % clusterSize !== 0) && host !== 0) refer(host, clusterSize)
      }
      at += Math.ceil((24 + number(file, at + 18, 2) + number(file, at + 20, 4)) / 8) * 8
    }
  }

  const checkRefcountBlock = (entry: bigint): void => {
    if (corrupt(entry % 512n !== 0n) || corrupt(entry % BigInt(clusterSize) !== 0n)) return
    const cluster = Number(entry) / clusterSize
    if (corrupt(cluster >= clusters) || cluster === 0) return
    refer(Number(entry), clusterSize)
    corrupt(references.get(cluster) !== 1)
  }

  const checkRefcount = (cluster: number): void => {
    const stored = refcountOf(image, cluster)
    const expected = references.get(cluster) ?? 0
    if (stored === undefined) counts.checkErrors += 1
    else if (!corrupt(stored < expected) && stored > expected) counts.leaks += 1
    if (stored !== undefined && stored + expected > 0) counts.imageEndOffset = (cluster + 1) * clusterSize
  }

  refer(0, clusterSize)
  checkL1(image.l1, true)
  const snapshots = snapshotsOf(image)
  corrupt(hasDataFile && snapshots.length > 0)
  for (const { l1, extraSize } of snapshots) {
    corrupt(image.version === 3 && extraSize < 16)
    if (corrupt(!l1.isAligned) || corrupt(l1.entries > 2 ** 22)) continue
    if (!isReadable(l1)) return E.left('CHK-06')
    checkL1(l1, false)
  }
  refer(number(file, 64, 8), snapshots.at(-1)?.end ?? 0)
  refer(refcountTable.offset, 8 * refcountTable.entries)
  const [luks, bitmaps] = [extensionOf(image, 0x0537_be77), extensionOf(image, 0x2385_2875)]
  if (image.cryptMethod === 2 && luks !== undefined) refer(number(file, luks, 8), number(file, luks + 8, 8))
  if (image.hasBitmaps && bitmaps !== undefined) checkBitmaps(bitmaps)
  for (const entry of entriesOf(file, refcountTable)) if (entry !== 0n) checkRefcountBlock(entry)
  for (let cluster = 0; cluster < clusters; cluster++) checkRefcount(cluster)

  // COPIED says that the refcount is one. Where it cannot be read, nothing is said of the entry, nor of its table.
  const refcountAt = (host: number): number | undefined => refcountOf(image, Math.floor(host / clusterSize))
  for (const bits of entriesOf(file, image.l1).filter((each) => offsetIn(each) !== 0)) {
    const refcount = refcountAt(offsetIn(bits))
    if (refcount === undefined) continue
    corrupt((refcount === 1) !== isSet(bits, 63))
    for (const entry of l2Entries(image, offsetIn(bits)).filter(({ hasCluster }) => hasCluster)) {
      const ofCluster = hasDataFile ? 1 : refcountAt(entry.host)
      corrupt(ofCluster !== undefined && (ofCluster === 1) !== isSet(entry.bits, 63))
    }
  }
  return E.right(counts)
}
