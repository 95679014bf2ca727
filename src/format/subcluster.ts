/** Subclusters: what each 32nd part of a cluster is under extended L2. */
import type { L2Entry } from './l2.js'

/**
 * What a subcluster is.
 *
 * - `compressed`: part of a compressed cluster
 * - `data`: at its place in the host cluster
 * - `zero-allocated`, `zero-plain`: reads as zeros, with or without space in a host cluster
 * - `unallocated-allocated`, `unallocated-plain`: reads from the backing file or as zeros, with or without space in a host cluster
 * - `invalid`: both bits set, or allocated without a host cluster
 */
export type Subcluster =
  'compressed' | 'data' | 'zero-allocated' | 'zero-plain' | 'unallocated-allocated' | 'unallocated-plain' | 'invalid'

/** All subclusters of a cluster, a bit each. @see SUB-02 */
export const allSubclusters = 0xffff_ffff

/**
 * What a subcluster is by its two bits, and by whether its cluster has a host cluster; its entry is not compressed.
 *
 * @see SUB-03
 * @example
 * import { subclusterOf } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * assert.equal(subclusterOf(true, true, false), 'data')
 * assert.equal(subclusterOf(false, true, false), 'invalid')
 */
export const subclusterOf = (
  placed: boolean,
  allocated: boolean,
  zeros: boolean
): Exclude<Subcluster, 'compressed'> => {
  if (allocated) return zeros || !placed ? 'invalid' : 'data'
  if (zeros) return placed ? 'zero-allocated' : 'zero-plain'
  return placed ? 'unallocated-allocated' : 'unallocated-plain'
}

/**
 * What subcluster `x` (0 to 31) of an extended L2 entry is.
 *
 * @see SUB-03
 * @example
 * import { type L2Entry, subclusterAt } from 'qcow2-spec/format'
 * import * as assert from 'node:assert/strict'
 *
 * const subclusters = { allocated: 0b01, zeros: 0b10 }
 * const entry: L2Entry = { _tag: 'Normal', hostClusterOffset: 0x5_0000n, copied: true, reserved: 0n, subclusters }
 * assert.deepEqual(
 *   [0, 1, 2].map((x) => subclusterAt(entry, x)),
 *   ['data', 'zero-allocated', 'unallocated-allocated']
 * )
 */
export const subclusterAt = (e: L2Entry, x: number): Subcluster => {
  if (e._tag === 'Compressed') return 'compressed'
  const allocated = (((e.subclusters?.allocated ?? 0) >>> x) & 1) === 1
  const zeros = (((e.subclusters?.zeros ?? 0) >>> x) & 1) === 1
  return subclusterOf(e._tag === 'Normal' || e._tag === 'ZeroAllocated', allocated, zeros)
}
