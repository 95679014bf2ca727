/** Mending L2 entries: bits that mean nothing are cleared where that leaves what a reader makes of the entry. */
import { clusterOfWord, type L2Context, wordOfCluster } from '../../format/l2.js'

/**
 * The word of an L2 entry without its reserved bits, and without a copied flag where none can be. An allocated cluster of
 * zeros whose place is not aligned keeps its zeros and loses its place.
 *
 * @see L1-04, CMP-01 and CHK-08
 */
export const mendedWord = (word: bigint, ctx: L2Context): bigint => {
  const c = clusterOfWord(word, ctx)
  if (c._tag === 'Compressed') return wordOfCluster({ ...c, copied: false }, ctx)
  if (c._tag === 'ZeroAllocated' && c.hostClusterOffset % (1n << BigInt(ctx.clusterBits)) !== 0n)
    return wordOfCluster({ _tag: 'ZeroPlain', copied: false, reserved: 0n }, ctx)
  const copied = c.copied && (c._tag === 'Normal' || c._tag === 'ZeroAllocated')
  return wordOfCluster({ ...c, copied, reserved: 0n }, ctx)
}
