/** The active L1 table: growing it. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { clusterSize } from '../../format/geometry.js'
import { maxL1Entries } from '../../format/limits.js'
import { allocateBytes } from './allocate.js'
import { refuse, type Work } from './work.js'

/** Marks the clusters of a table for release. */
export const releaseTable = (w: Work, at: number, bytes: number): void => {
  const size = clusterSize(w.g)
  for (let i = 0; i < Math.ceil(bytes / size); i++) w.released.push(at / size + i)
}

/**
 * Moves the active L1 table to a place where it has at least `entries` entries. It begins with the same entries, so that
 * the header may name its place first and its length afterwards. @see RS-02
 */
export function* growL1(w: Work, entries: number): Plan<void> {
  const { at, entries: had } = w.l1
  if (entries <= had) return
  if (entries > maxL1Entries)
    return yield* refuse('L1-03', `${entries} L1 entries`, `at most ${maxL1Entries}`, { phase: 'limit' })
  const table = yield* allocateBytes(w, 8 * entries)
  const bytes = new Uint8Array(8 * entries)
  if (had > 0) bytes.set(yield* readAt(at, 8 * had))
  yield* w.tx.put('active L1 table', 'prepare', table, bytes)
  yield* w.changeHeader('expose', { l1TableOffset: BigInt(table) })
  yield* w.changeHeader('settle', { l1Size: entries })
  releaseTable(w, at, 8 * had)
}
