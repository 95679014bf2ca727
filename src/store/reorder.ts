/** Host writes in the order of a careless program: they show whether a flush is needed. */
import type { HostWrite } from '../bytes/host-write.js'

type Writes = readonly HostWrite[]

/**
 * The indices of the flushes.
 *
 * @example
 * import { flushesOf } from 'qcow2-spec/store'
 * import { flush } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const cut = { _tag: 'Truncate', file: { part: 'image', depth: 0 }, length: 0 } as const
 * assert.deepEqual(flushesOf([cut, flush, cut, flush]), [1, 3])
 */
export const flushesOf = (writes: Writes): readonly number[] =>
  writes.flatMap(({ _tag }, i) => (_tag === 'Flush' ? [i] : []))

/**
 * The writes without any flush.
 *
 * @example
 * import { withoutFlushes } from 'qcow2-spec/store'
 * import { flush } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const cut = { _tag: 'Truncate', file: { part: 'image', depth: 0 }, length: 0 } as const
 * assert.deepEqual(withoutFlushes([cut, flush, cut, flush]), [cut, cut])
 */
export const withoutFlushes = (writes: Writes): Writes => writes.filter(({ _tag }) => _tag !== 'Flush')

/**
 * The writes without the flush at index `at`.
 *
 * @example
 * import { withoutFlush } from 'qcow2-spec/store'
 * import { flush } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const cut = { _tag: 'Truncate', file: { part: 'image', depth: 0 }, length: 0 } as const
 * assert.deepEqual(withoutFlush([cut, flush, cut, flush], 1), [cut, cut, flush])
 */
export const withoutFlush = (writes: Writes, at: number): Writes => writes.toSpliced(at, 1)

/**
 * For each pair of changes before and after the flush at index `at`, with no other flush between them: the writes with the two
 * exchanged.
 *
 * @example
 * import { swappedAcrossFlush } from 'qcow2-spec/store'
 * import { flush } from 'qcow2-spec/transition'
 * import * as assert from 'node:assert/strict'
 *
 * const cutAt = (length: number) => ({ _tag: 'Truncate', file: { part: 'image', depth: 0 }, length }) as const
 * assert.deepEqual(swappedAcrossFlush([cutAt(1), flush, cutAt(2)], 1), [[cutAt(2), flush, cutAt(1)]])
 */
export const swappedAcrossFlush = (writes: Writes, at: number): readonly Writes[] => {
  const flushes = flushesOf(writes)
  const from = (flushes.findLast((place) => place < at) ?? -1) + 1
  const to = flushes.find((place) => place > at) ?? writes.length
  return writes
    .slice(from, at)
    .flatMap((a, i) => writes.slice(at + 1, to).map((b, j) => writes.with(from + i, b).with(at + 1 + j, a)))
}
