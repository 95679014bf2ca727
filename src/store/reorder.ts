/** Host writes in the order of a careless program: they show whether a flush is needed. */
import type { HostWrite } from '../bytes/host-write.js'

type Writes = readonly HostWrite[]

/** The indices of the flushes. */
export const flushesOf = (writes: Writes): readonly number[] =>
  writes.flatMap(({ _tag }, i) => (_tag === 'Flush' ? [i] : []))

/** The writes without any flush. */
export const withoutFlushes = (writes: Writes): Writes => writes.filter(({ _tag }) => _tag !== 'Flush')

/** The writes without the flush at index `at`. */
export const withoutFlush = (writes: Writes, at: number): Writes => writes.toSpliced(at, 1)

/**
 * For each pair of changes before and after the flush at index `at`, with no other flush between them: the writes with the two
 * exchanged.
 */
export const swappedAcrossFlush = (writes: Writes, at: number): readonly Writes[] => {
  const flushes = flushesOf(writes)
  const from = (flushes.findLast((place) => place < at) ?? -1) + 1
  const to = flushes.find((place) => place > at) ?? writes.length
  return writes
    .slice(from, at)
    .flatMap((a, i) => writes.slice(at + 1, to).map((b, j) => writes.with(from + i, b).with(at + 1 + j, a)))
}
