/** A growing set of whole numbers, kept as bits: which clusters a walk has seen. */

/** Numbers of a chunk. */
const chunkSize = 32768

/** Whole numbers seen so far. One walk owns it; memory grows with the ranges that are touched. */
export class ClusterSet {
  private readonly chunks = new Map<number, Uint32Array>()
  /** The chunk of the last number, which is likely to be that of the next. */
  private key = -1
  private chunk: Uint32Array | undefined

  /** Adds a number; returns whether it is new. */
  add(n: number): boolean {
    const within = this.lookAt(n)
    const chunk = this.chunk ?? new Uint32Array(chunkSize / 32)
    if (this.chunk === undefined) this.chunks.set(this.key, chunk)
    this.chunk = chunk
    const word = chunk[within >>> 5] ?? 0
    const bit = 1 << (within & 31)
    chunk[within >>> 5] = word | bit
    return (word & bit) === 0
  }

  has(n: number): boolean {
    const within = this.lookAt(n)
    return (((this.chunk?.[within >>> 5] ?? 0) >>> (within & 31)) & 1) === 1
  }

  /** Selects the chunk of a number; returns the index of the number in it. */
  private lookAt(n: number): number {
    const key = Math.floor(n / chunkSize)
    if (key !== this.key) {
      this.key = key
      this.chunk = this.chunks.get(key)
    }
    return n - key * chunkSize
  }
}
