/** Lists of host writes as a careless program would have ordered them: what shows whether a flush is needed. */
import type { HostWrite } from '../bytes/host-write.js'

type Writes = readonly HostWrite[]

/** Where the flushes stand in the list. */
export const flushesOf = (writes: Writes): readonly number[] =>
  writes.flatMap(({ _tag }, i) => (_tag === 'Flush' ? [i] : []))

/** The writes with no flush among them. */
export const withoutFlushes = (writes: Writes): Writes => writes.filter(({ _tag }) => _tag !== 'Flush')

/** The writes without the flush at place `at`. */
export const withoutFlush = (writes: Writes, at: number): Writes => writes.toSpliced(at, 1)

/**
 * For each pair of changes of which one comes before the flush at place `at`, the other behind it, and no other flush
 * between the two: the writes in which they have changed places.
 */
export const swappedAcrossFlush = (writes: Writes, at: number): readonly Writes[] => {
  const flushes = flushesOf(writes)
  const from = (flushes.findLast((place) => place < at) ?? -1) + 1
  const to = flushes.find((place) => place > at) ?? writes.length
  return writes
    .slice(from, at)
    .flatMap((a, i) => writes.slice(at + 1, to).map((b, j) => writes.with(from + i, b).with(at + 1 + j, a)))
}
