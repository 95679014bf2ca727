/** Compressed writes: payloads appended to each other, for clusters that are not allocated. */
import { padded } from '../../bytes/octets.js'
import type { Plan } from '../../bytes/plan.js'
import { additionalSectors } from '../../format/compressed.js'
import { clusterSize, offsetBits } from '../../format/geometry.js'
import type { L2Entry } from '../../format/l2.js'
import { maxRefcount } from '../../format/refcount.js'
import { entryOf } from '../engine/active-tree.js'
import { allocate } from '../engine/allocate.js'
import type { CommandState } from '../engine/command-state.js'
import { mayStoreData, refuse } from '../engine/refuse.js'
import { addToRefcounts, refcountOf } from '../engine/refcounts.js'
import { mayWrite, write } from './write.js'

/** The first host byte that a compressed cluster descriptor cannot name. @see CMP-01 and CW-02 */
const payloadEnd = (w: CommandState): number => 2 ** offsetBits(w.g.clusterBits)

/** The compressed cursor, unless the refcount of its cluster is at its maximum; else 0. */
function* usableCursor(w: CommandState): Plan<number> {
  if (w.compressedCursor === 0) return 0
  const refcount = yield* refcountOf(w, Math.floor(w.compressedCursor / clusterSize(w.g)))
  return refcount < maxRefcount(w.g.refcountOrder) ? w.compressedCursor : 0
}

/** The host offset for a payload: the cursor where there is room, or where the next cluster is free; else a new cluster. */
function* placeFor(w: CommandState, length: number): Plan<number> {
  const size = clusterSize(w.g)
  const cursor = yield* usableCursor(w)
  const cluster = Math.floor(cursor / size)
  if (cursor !== 0 && (cluster + 1) * size - cursor >= length) {
    yield* addToRefcounts(w, cluster, 1, 1, 'prepare')
    return cursor
  }
  const run = yield* allocate(w, 1)
  if (cursor === 0 || run.cluster !== cluster + 1) return run.cluster * size
  yield* addToRefcounts(w, cluster, 1, 1, 'prepare')
  return cursor
}

/** Allocates a payload. The refcount of each host cluster that it touches rises by one. @see CW-02 and CMP-06 */
function* appendPayload(w: CommandState, length: number): Plan<number> {
  const at = yield* placeFor(w, length)
  const end = at + length
  if (end > payloadEnd(w))
    return yield* refuse<number>('CW-02', `a payload up to host byte ${end}`, `one below ${payloadEnd(w)}`, {
      phase: 'limit'
    })
  w.compressedCursor = end % clusterSize(w.g) === 0 ? 0 : end
  return at
}

/** Writes one cluster; the last one of the disk is padded with zeros. @see CMP-11 and CMP-12 */
function* writeCluster(w: CommandState, guest: number, bytes: Uint8Array): Plan<void> {
  const cluster = padded(bytes, clusterSize(w.g))
  const { deflate, zstd } = w.image.compressor
  const payload = (w.disk.compressionType === 1 ? zstd : deflate)(cluster)
  if (payload === undefined) return yield* write(w, guest, bytes)
  const { table, entry } = yield* entryOf(w, guest)
  if (entry._tag !== 'Unallocated' && entry._tag !== 'ZeroPlain')
    return yield* refuse('CW-01', `a cluster at guest byte ${guest} that is allocated`, 'one that is not', {
      structure: 'L2 entry'
    })
  yield* table.writable()
  const host = BigInt(yield* appendPayload(w, payload.length))
  w.tx.write('guest data', 'prepare', Number(host), payload)
  const compressed: L2Entry = {
    _tag: 'Compressed',
    hostOffset: host,
    additionalSectors: additionalSectors(host, payload.length),
    copied: false,
    ...(w.g.extendedL2 ? { subclusters: { allocated: 0, zeros: 0 } } : {})
  }
  yield* table.put(guest, [entry], [compressed])
}

/**
 * Writes whole clusters, or the last part of the disk, compressed, each by itself. A cluster that does not shrink is
 * written as it is. Refused with an external data file, and where a cluster that shrinks is allocated.
 *
 * @see CW-01, DATA-10 and CMP-11
 */
export function* writeCompressed(w: CommandState, at: number, bytes: Uint8Array): Plan<void> {
  yield* mayWrite(w, at, bytes.length)
  yield* mayStoreData(w.g)
  const size = clusterSize(w.g)
  const end = at + bytes.length
  const isEdge = (x: number): boolean => x % size === 0 || x === w.disk.size
  if (!isEdge(at) || !isEdge(end))
    return yield* refuse('CW-01', `guest bytes ${at} to ${end}`, 'whole clusters, or the last part of the disk')
  for (let guest = at; guest < end; guest += size)
    yield* writeCluster(w, guest, bytes.subarray(guest - at, guest - at + size))
}
