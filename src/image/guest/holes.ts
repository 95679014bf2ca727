/** Holes: bytes of a file that its system does not store, and that read as zeros. */
import { allStored, emit, type FileRef, type Plan, readAt, type StoredRange } from '../../bytes/plan.js'
import { blockEntries, clusterSize, type Geometry } from '../../format/geometry.js'
import { RefcountTableView, RefcountView } from '../../format/views.js'
import type { Metadata } from '../metadata.js'

/** Bytes of a file that are all stored, or all in a hole. */
export interface FilePart {
  readonly at: number
  readonly length: number
  readonly hole: boolean
}

/** Asks where bytes are stored, from byte `at` of a file on. */
function* seekData(at: number, file: FileRef): Plan<StoredRange> {
  const answer = yield { _tag: 'SeekData', file, at }
  return answer instanceof Uint8Array ? allStored({ at }) : answer
}

/** Emits the stored parts and the holes of bytes `[from, to)` of a file, in order and without gaps. */
export function* fileParts(file: FileRef, from: number, to: number): Plan<void, FilePart> {
  for (let at = from; at < to;) {
    const stored = yield* seekData(at, file)
    const start = Math.min(to, Math.max(at, stored.from))
    const end = stored.to > start ? Math.min(to, stored.to) : to
    if (start > at) yield* emit<FilePart>({ at, length: start - at, hole: true })
    if (end > start) yield* emit<FilePart>({ at: start, length: end - start, hole: false })
    at = end
  }
}

/** The length of a file, and the space that it takes on its disk, in bytes. */
export interface FileSpace {
  readonly length: number
  readonly actualSize: number
}

/**
 * Whether an image is taken for one with preallocated clusters, whose holes are looked for: at least a ninth more of its
 * clusters are in use, and two at least, than have a place on the disk.
 *
 * @see RD-09
 */
export function* hasPreallocatedClusters(
  m: Pick<Metadata, 'header'>,
  g: Geometry,
  { length, actualSize }: FileSpace
): Plan<boolean> {
  const stored = Math.floor(actualSize / clusterSize(g))
  const least = Math.max(Math.floor((stored * 10) / 9), stored + 2)
  const clusters = Math.ceil(length / clusterSize(g))
  if (clusters < least) return false
  const perBlock = blockEntries(g)
  const { refcountTableOffset, refcountTableClusters } = m.header
  const entries = Math.min((refcountTableClusters * clusterSize(g)) / 8, Math.ceil(clusters / perBlock))
  const table = new RefcountTableView(yield* readAt(Number(refcountTableOffset), 8 * entries))
  /** The clusters in use by whole blocks: each block is read once, however many entries lead to it. */
  const known = new Map<number, number>()
  let used = 0
  for (let i = 0; i < entries && used < least; i++) {
    const offset = table.refcountBlockOffset(i)
    if (offset === 0) continue
    if (offset % clusterSize(g) !== 0) return false
    const n = Math.min(perBlock, clusters - i * perBlock)
    const inBlock =
      known.get(offset) ?? usedIn(new RefcountView(yield* readAt(offset, clusterSize(g)), g.refcountOrder), n)
    if (n === perBlock) known.set(offset, inBlock)
    used += inBlock
  }
  return used >= least
}

/** How many of the first `n` refcounts of a block are not 0. */
const usedIn = (block: RefcountView, n: number): number => {
  let used = 0
  for (let i = 0; i < n; i++) if (block.count(i) !== 0) used++
  return used
}
