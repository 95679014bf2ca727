/** A growing set of whole numbers, kept as bits: which clusters a walk has seen. */

const chunkBits = 15

/** Whole numbers seen so far. One walk owns it; memory grows with the ranges that are touched. */
export class ClusterSet {
  private readonly chunks = new Map<number, Uint32Array>()

  /** Puts a number in; tells whether it was new. */
  add(n: number): boolean {
    const key = Math.floor(n / 2 ** chunkBits)
    const within = n - key * 2 ** chunkBits
    const chunk = this.chunks.get(key) ?? new Uint32Array(2 ** (chunkBits - 5))
    this.chunks.set(key, chunk)
    const word = chunk[within >>> 5] ?? 0
    const bit = 1 << (within & 31)
    chunk[within >>> 5] = word | bit
    return (word & bit) === 0
  }

  has(n: number): boolean {
    const key = Math.floor(n / 2 ** chunkBits)
    const within = n - key * 2 ** chunkBits
    return (((this.chunks.get(key)?.[within >>> 5] ?? 0) >>> (within & 31)) & 1) === 1
  }
}
