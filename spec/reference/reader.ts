/** The reference reader: the guest bytes of a disk, cluster by cluster. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../clauses/index.js'
import { bytesAt, type Disk, entryOf, type Image, isReadable, isSet, offsetIn, type Table, word } from './image.js'

/** A value, or the clause by which it is refused. */
export type Read<A> = E.Either<ClauseId, A>

/** Decompresses the payload at the start of the bytes to exactly `size` bytes. */
export type Decompress = (bytes: Uint8Array, size: number) => E.Either<unknown, Uint8Array>

export interface Decompressors {
  readonly inflate: Decompress
  readonly zstd: Decompress
}

/** Guest bytes of one kind: a cluster or, with extended L2 entries, a subcluster. */
interface Part {
  readonly start: number
  readonly length: number
  readonly kind: 'data' | 'compressed' | 'zero' | 'unallocated'
  /** Where its cluster or payload is, if it has one. */
  readonly host?: number
  readonly available?: number
}

const subclusters = Array.from({ length: 32 }, (_, i) => i)

/** What a guest cluster is, from its start to its end. @see L2-03 and SUB-03 */
export const partsOf = (image: Image, l1: Table, cluster: number): Read<readonly Part[]> => {
  const { file, version, clusterSize, extendedL2, hasDataFile } = image
  const perTable = clusterSize / (extendedL2 ? 16 : 8)
  const index = Math.floor(cluster / perTable)
  const whole = { start: cluster * clusterSize, length: clusterSize }
  if (!l1.isAligned) return E.left('SNAP-01')
  if (l1.entries > 2 ** 22 || !isReadable(l1)) return E.left('SNAP-07')
  const table = index < l1.entries ? offsetIn(word(file, l1.offset + 8 * index)) : 0
  if (table === 0) return E.right([{ ...whole, kind: 'unallocated' }])
  if (table % clusterSize !== 0) return E.left('L1-05')

  const entry = entryOf(image, table, cluster % perTable)
  const { host, available, bitmap, hasZeroFlag, hasCluster } = entry
  if (entry.isCompressed)
    return hasDataFile ? E.left('DATA-05') : E.right([{ ...whole, kind: 'compressed', host, available }])
  if (hasZeroFlag && version === 2) return E.left('L2-05')
  if (host % clusterSize !== 0) return E.left('L2-02')
  if (hasCluster && hasDataFile && host !== whole.start) return E.left('DATA-04')

  if (entry.bits === 0n && bitmap === 0n) return E.right([{ ...whole, kind: 'unallocated' }])
  const indices = extendedL2 ? subclusters : [0]
  const length = clusterSize / indices.length
  const isZero = (i: number): boolean => (extendedL2 ? isSet(bitmap, 32 + i) : hasZeroFlag)
  const isData = (i: number): boolean => (extendedL2 ? isSet(bitmap, i) : hasCluster && !hasZeroFlag)
  if (indices.some((i) => isData(i) && (isZero(i) || !hasCluster))) return E.left('SUB-04')
  return E.right(
    indices.map((i) => ({
      start: whole.start + i * length,
      length,
      kind: isZero(i) ? 'zero' : isData(i) ? 'data' : 'unallocated',
      ...(hasCluster ? { host: host + i * length } : {})
    }))
  )
}

/** No bytes, where those that are not there are zeros. */
const zeros = new Uint8Array()

const readPart = (image: Image, part: Part, tools: Decompressors): Read<Uint8Array> => {
  const { file, dataFile, backing, clusterSize, cryptMethod } = image
  const { start, length, host = 0, available = 0 } = part
  switch (part.kind) {
    case 'zero':
      return E.right(zeros)
    case 'unallocated':
      return backing === undefined ? E.right(zeros) : readGuest(backing, start, length, tools)
    case 'data':
      return cryptMethod === 0 ? E.right(bytesAt(dataFile, host, length)) : E.left('LUKS-08')
    case 'compressed': {
      const payload = bytesAt(file, host, available)
      return image.isZstd
        ? E.mapLeft(() => 'CMP-10' as const)(tools.zstd(payload, clusterSize))
        : E.mapLeft(() => 'CMP-09' as const)(tools.inflate(payload, clusterSize))
    }
  }
}

/** Guest bytes of the active disk, or of the snapshot whose L1 this is; past the end of the disk they are zeros. @see RD-07 */
export const readGuest = (
  disk: Disk,
  from: number,
  length: number,
  tools: Decompressors,
  snapshot?: Table
): Read<Uint8Array> => {
  if (!('file' in disk)) return E.right(bytesAt(disk, from, length))
  const out = new Uint8Array(length)
  const to = Math.min(from + length, disk.size)
  for (let cluster = Math.floor(from / disk.clusterSize); cluster * disk.clusterSize < to; cluster++) {
    const parts = partsOf(disk, snapshot ?? disk.l1, cluster)
    if (E.isLeft(parts)) return parts
    for (const part of parts.right) {
      const start = Math.max(from, part.start)
      const end = Math.min(to, part.start + part.length)
      if (start >= end) continue
      const bytes = readPart(disk, part, tools)
      if (E.isLeft(bytes)) return bytes
      out.set(bytes.right.subarray(start - part.start, end - part.start), start - from)
    }
  }
  return E.right(out)
}
