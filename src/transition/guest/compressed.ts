/** Compressed writes: payloads packed one behind the other, for clusters that hold nothing yet. */
import type { Plan } from '../../bytes/plan.js'
import { additionalSectors, offsetBits } from '../../format/compressed.js'
import { clusterSize } from '../../format/geometry.js'
import type { L2Entry } from '../../format/l2.js'
import { maxRefcount } from '../../format/refcount.js'
import { allocate } from '../engine/allocate.js'
import { refuse, type Work } from '../engine/work.js'
import { addToCounts, countOf } from '../engine/refcounts.js'
import { entryOf } from '../engine/l2-tables.js'
import { mayWrite, write } from './write.js'

/** Host bytes end here for payloads, where their descriptors do. @see CMP-01 and CW-02 */
const payloadEnd = (w: Work): number => 2 ** offsetBits(w.g.clusterBits)

/** Where the last payload ends, if its cluster may be counted once more; else 0. */
function* cursor(w: Work): Plan<number> {
  if (w.compressedCursor === 0) return 0
  const count = yield* countOf(w, Math.floor(w.compressedCursor / clusterSize(w.g)))
  return count < maxRefcount(w.g.refcountOrder) ? w.compressedCursor : 0
}

/** A place for a payload: where the last one ends if there is room, or if the free cluster that is taken follows; else that cluster. */
function* placeFor(w: Work, length: number): Plan<number> {
  const size = clusterSize(w.g)
  const p = yield* cursor(w)
  const cluster = Math.floor(p / size)
  if (p !== 0 && (cluster + 1) * size - p >= length) {
    yield* addToCounts(w, cluster, 1, 1, 'prepare')
    return p
  }
  const taken = yield* allocate(w, 1)
  if (p === 0 || taken.cluster !== cluster + 1) return taken.cluster * size
  yield* addToCounts(w, cluster, 1, 1, 'prepare')
  return p
}

/** Takes room for a payload. Each host cluster that it touches is counted once more. @see CW-02 and CMP-06 */
function* appendPayload(w: Work, length: number): Plan<number> {
  const at = yield* placeFor(w, length)
  const end = at + length
  if (end > payloadEnd(w))
    return yield* refuse<number>('CW-02', `a payload up to host byte ${end}`, `one below ${payloadEnd(w)}`, {
      phase: 'limit'
    })
  w.compressedCursor = end % clusterSize(w.g) === 0 ? 0 : end
  return at
}

/** One cluster; the last one of the disk is padded with zeros. @see CMP-11 and CMP-12 */
function* writeCluster(w: Work, guest: number, bytes: Uint8Array): Plan<void> {
  const cluster = new Uint8Array(clusterSize(w.g))
  cluster.set(bytes)
  const { deflate, zstd } = w.opened.compressor
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
 * written as it is. Refused with an external data file, and where a cluster that shrinks is allocated already.
 *
 * @see CW-01, DATA-10 and CMP-11
 */
export function* writeCompressed(w: Work, at: number, bytes: Uint8Array): Plan<void> {
  yield* mayWrite(w, at, bytes.length)
  if (w.g.externalDataFile) return yield* refuse('DATA-10', 'a compressed write', 'none with an external data file')
  const size = clusterSize(w.g)
  const end = at + bytes.length
  const isEdge = (x: number): boolean => x % size === 0 || x === w.disk.size
  if (!isEdge(at) || !isEdge(end))
    return yield* refuse('CW-01', `guest bytes ${at} to ${end}`, 'whole clusters, or the last part of the disk')
  for (let guest = at; guest < end; guest += size)
    yield* writeCluster(w, guest, bytes.subarray(guest - at, guest - at + size))
}
