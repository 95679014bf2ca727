/** Preallocation: host clusters for guest clusters that nothing has been written to. */
import type { Preallocation } from '../../../spec/disk.js'
import type { FileRef, Plan } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import type { L2Entry } from '../../format/l2.js'
import { sectorSize } from '../../format/limits.js'
import { allSubclusters } from '../../format/subcluster.js'
import { allocate } from '../engine/allocate.js'
import { fill } from './guest-range.js'
import type { Work } from '../engine/work.js'
import { eachTable } from '../engine/l2-tables.js'

const image: FileRef = { part: 'image', depth: 0 }
const data: FileRef = { part: 'data', depth: 0 }

/** Whether host clusters of the image itself are written with zeros. */
export const writesZeros = (w: Work, mode: Preallocation): boolean =>
  (mode === 'falloc' || mode === 'full') && !w.g.externalDataFile

/** Bytes of zeros in one write. */
const piece = new Uint8Array(2 ** 21)

/** Makes bytes of a file that nothing points to read as zeros, whatever they were, and the file reach as far. */
const clear = (w: Work, mode: Preallocation, file: FileRef, at: number, length: number): void => {
  if (mode === 'metadata') {
    w.tx.schedule('prepare', { _tag: 'Punch', file, at, length })
    w.tx.write('guest data', 'prepare', at + length - sectorSize, piece.subarray(0, sectorSize), file)
  } else
    for (let done = 0; done < length; done += piece.length)
      w.tx.write('guest data', 'prepare', at + done, piece.subarray(0, length - done), file)
}

/** What a cluster says against the backing file that would show through: that it is zeros, that it holds them, or nothing. */
type Shown = 'zeros' | 'data' | 'nothing'

/** The entry of a cluster of which no guest byte is written, with a host cluster or without. */
const entryOf = (w: Work, host: number | undefined, shown: Shown): L2Entry => {
  const bitmap = { allocated: shown === 'data' ? allSubclusters : 0, zeros: shown === 'zeros' ? allSubclusters : 0 }
  const subclusters = w.g.extendedL2 ? { subclusters: bitmap } : {}
  const flagged = shown === 'zeros' && !w.g.extendedL2
  return host === undefined
    ? { _tag: flagged ? 'ZeroPlain' : 'Unallocated', copied: false, reserved: 0n, ...subclusters }
    : {
        _tag: flagged ? 'ZeroAllocated' : 'Normal',
        hostClusterOffset: BigInt(host),
        copied: true,
        reserved: 0n,
        ...subclusters
      }
}

/**
 * Gives guest clusters `[from, to)`, which are unallocated, what the mode says. With `hidden`, where a backing file would
 * show through, they hold the zeros that are written, or are zero clusters; else what they read as zeros is left to their
 * host clusters, or to there being none.
 *
 * @see RS-03, RS-07, SW-06 and DATA-06
 */
export function* preallocate(w: Work, from: number, to: number, mode: Preallocation, hidden: boolean): Plan<void> {
  if (mode === 'off' && !hidden) return
  const shown = !hidden ? 'nothing' : writesZeros(w, mode) ? 'data' : 'zeros'
  const size = clusterSize(w.g)
  yield* eachTable(w, from * size, to * size, function* (table, guest, end): Plan<void> {
    yield* table.writable(w.g.extendedL2)
    if (mode === 'off' || w.g.externalDataFile)
      return yield* fill(w, table, guest, end, entryOf(w, mode === 'off' ? undefined : guest, shown))
    for (let next = guest; guest < end; guest = next) {
      const run = yield* allocate(w, 1, (end - guest) / size)
      next = guest + run.n * size
      clear(w, mode, image, run.cluster * size, run.n * size)
      yield* fill(w, table, guest, next, entryOf(w, run.cluster * size, shown))
    }
  })
}

/**
 * Gives the external data file the size of the disk, and what it gains the zeros that the mode asks for: before anything
 * points to them, or with the size where nothing does. @see DATA-08
 */
export const growDataFile = (w: Work, old: number, size: number, mode: Preallocation): void => {
  const stage = mode === 'off' ? 'expose' : 'prepare'
  w.tx.schedule(stage, { _tag: 'Truncate', file: data, length: old })
  w.tx.schedule(stage, { _tag: 'Truncate', file: data, length: size })
  if (mode === 'falloc' || mode === 'full') clear(w, mode, data, old, size - old)
}
