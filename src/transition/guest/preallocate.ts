/** Preallocation: host clusters for guest clusters that are not written. */
import type { Preallocation } from '../../../spec/disk.js'
import { dataFile, type FileRef, imageFile, type Plan } from '../../bytes/plan.js'
import { clusterSize, l2Entries, l2EntrySize } from '../../format/geometry.js'
import type { L2Entry } from '../../format/l2.js'
import { sectorSize } from '../../format/limits.js'
import { allSubclusters } from '../../format/subcluster.js'
import { eachL2Table, encodeRun, type WritableL2Table } from '../engine/active-tree.js'
import { allocate } from '../engine/allocate.js'
import type { CommandState } from '../engine/command-state.js'

/** Whether host clusters of the image file are written with zeros. */
export const writesZeros = (w: CommandState, mode: Preallocation): boolean =>
  (mode === 'falloc' || mode === 'full') && !w.g.externalDataFile

/** Bytes of zeros in one write. */
const piece = new Uint8Array(2 ** 21)

/** Makes bytes of a file that nothing points to read as zeros, and the file reach as far as they do. */
const clear = (w: CommandState, mode: Preallocation, file: FileRef, at: number, length: number): void => {
  if (mode === 'metadata') {
    w.tx.schedule('prepare', { _tag: 'Punch', file, at, length })
    w.tx.write('guest data', 'prepare', at + length - sectorSize, piece.subarray(0, sectorSize), file)
  } else
    for (let done = 0; done < length; done += piece.length)
      w.tx.write('guest data', 'prepare', at + done, piece.subarray(0, length - done), file)
}

/** What a guest cluster has in place of the backing file's bytes: zeros by its entry, zeros as data, or nothing. */
type Content = 'zeros' | 'data' | 'none'

/** The entry of a guest cluster that is not written, with a host cluster or without. */
const entryOf = (w: CommandState, host: number | undefined, content: Content): L2Entry => {
  const bitmap = {
    allocated: content === 'data' ? allSubclusters : 0,
    zeros: content === 'zeros' ? allSubclusters : 0
  }
  const common = { reserved: 0n, ...(w.g.extendedL2 ? { subclusters: bitmap } : {}) }
  const zero = content === 'zeros' && !w.g.extendedL2
  return host === undefined
    ? { _tag: zero ? 'ZeroPlain' : 'Unallocated', copied: false, ...common }
    : { _tag: zero ? 'ZeroAllocated' : 'Normal', copied: true, hostClusterOffset: BigInt(host), ...common }
}

/**
 * Fills the entries of the guest clusters in `[guest, end)`, which one L2 table covers and which are unallocated: the first
 * is `entry`, and each host cluster follows the one before.
 *
 * @see RS-03 and RS-07
 */
function* fill(w: CommandState, table: WritableL2Table, guest: number, end: number, entry: L2Entry): Plan<void> {
  const size = clusterSize(w.g)
  const at = yield* table.writable(w.g.extendedL2)
  const start = at + ((guest / size) % l2Entries(w.g)) * l2EntrySize(w.g)
  yield* w.tx.put('active L2 table', 'expose', start, encodeRun(entry, (end - guest) / size, w.g))
}

/**
 * Preallocates guest clusters `[from, to)`, which are unallocated. With `hidden`, where bytes of the backing file would be
 * read, they read as zeros: those written to their host clusters, or those of their entries. Otherwise they read as their
 * host clusters do, or as unallocated clusters.
 *
 * @see RS-03, RS-07, SW-06 and DATA-06
 */
export function* preallocate(
  w: CommandState,
  from: number,
  to: number,
  mode: Preallocation,
  hidden: boolean
): Plan<void> {
  if (mode === 'off' && !hidden) return
  const content = !hidden ? 'none' : writesZeros(w, mode) ? 'data' : 'zeros'
  const size = clusterSize(w.g)
  yield* eachL2Table(w, from * size, to * size, function* (table, guest, end): Plan<void> {
    yield* table.writable(w.g.extendedL2)
    if (mode === 'off' || w.g.externalDataFile)
      return yield* fill(w, table, guest, end, entryOf(w, mode === 'off' ? undefined : guest, content))
    for (let next = guest; guest < end; guest = next) {
      const run = yield* allocate(w, 1, (end - guest) / size)
      next = guest + run.n * size
      clear(w, mode, imageFile, run.cluster * size, run.n * size)
      yield* fill(w, table, guest, next, entryOf(w, run.cluster * size, content))
    }
  })
}

/** Preallocates the first `n` guest clusters, which are unallocated, at the host clusters from `first` on. @see RS-07 */
export function* preallocateAt(w: CommandState, first: number, n: number, mode: Preallocation): Plan<void> {
  const size = clusterSize(w.g)
  clear(w, mode, imageFile, first * size, n * size)
  yield* eachL2Table(w, 0, n * size, (table, guest, end) =>
    fill(w, table, guest, end, entryOf(w, first * size + guest, 'none'))
  )
}

/**
 * Gives the external data file the size of the disk, and the bytes it gains the zeros that the mode asks for: before
 * anything points to them, or together with the size where nothing does. A raw disk keeps what its file has past that size.
 *
 * @see DATA-08
 */
export const growDataFile = (w: CommandState, old: number, size: number, mode: Preallocation): void => {
  if (w.header.autoclearFeatures.rawExternalData) {
    clear(w, mode, dataFile, old, size - old)
    return
  }
  const stage = mode === 'off' ? 'expose' : 'prepare'
  w.tx.schedule(stage, { _tag: 'Truncate', file: dataFile, length: old })
  w.tx.schedule(stage, { _tag: 'Truncate', file: dataFile, length: size })
  if (mode === 'falloc' || mode === 'full') clear(w, mode, dataFile, old, size - old)
}
