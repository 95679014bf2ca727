/** Clusters of a guest disk, put together from the pieces that it comes in. */
import { isZeros } from '../files/sparse.js'

/** Whole clusters, or the last part of the disk. */
export interface Stretch {
  readonly at: number
  readonly length: number
  /** Those of the piece that they came in, as long as that stays as it is, or its own; `undefined` for zeros. */
  readonly bytes: Uint8Array | undefined
}

/** Bytes that are looked at together: a cluster, or as many as are to be zeros before they are left out. */
export const sparseUnit = (cluster: number, sparse: number): number =>
  Math.max(cluster, 2 ** Math.floor(Math.log2(Math.max(1, sparse))))

/**
 * Makes stretches of one kind out of pieces that come in order without gaps: bytes, or zeros of any origin. Clusters of
 * which every piece is not the disk's own are left out.
 */
export class Clusters {
  /** The cluster that a piece has begun, as far as it is known. */
  private begun: Uint8Array
  private filled = 0
  private blank = true
  private own = false
  private at = 0

  /**
   * @param size bytes of a cluster
   * @param end bytes of the disk
   * @param sparse zeros of at least so many bytes, and of a cluster, are told as zeros; 0: none
   */
  constructor(
    private readonly size: number,
    private readonly end: number,
    private readonly sparse: number
  ) {
    this.begun = new Uint8Array(size)
  }

  /** The next bytes of the disk; `undefined` for zeros. */
  *add(length: number, bytes: Uint8Array | undefined, own: boolean): Generator<Stretch> {
    for (let done = 0; done < length;) {
      const left = length - done
      const atEnd = this.at + left >= this.end
      if (this.filled === 0 && (left >= this.size || atEnd)) {
        const whole = atEnd ? left : left - (left % this.size)
        if (own) yield* this.parts(this.at, whole, bytes?.subarray(done, done + whole))
        this.at += whole
        done += whole
      } else done += yield* this.begin(left, bytes?.subarray(done), own)
    }
  }

  /** Takes what belongs to the cluster that has begun. */
  private *begin(left: number, bytes: Uint8Array | undefined, own: boolean): Generator<Stretch, number> {
    const n = Math.min(left, this.size - this.filled)
    if (bytes === undefined) this.begun.fill(0, this.filled, this.filled + n)
    else this.begun.set(bytes.subarray(0, n), this.filled)
    this.blank &&= bytes === undefined
    this.own ||= own
    this.filled += n
    this.at += n
    if (this.filled < this.size && this.at < this.end) return n
    const length = this.filled
    if (this.own) yield* this.parts(this.at - length, length, this.blank ? undefined : this.begun.subarray(0, length))
    this.begun = new Uint8Array(this.size)
    this.filled = 0
    this.blank = true
    this.own = false
    return n
  }

  /** Bytes as stretches of data and of zeros. */
  private *parts(at: number, length: number, bytes: Uint8Array | undefined): Generator<Stretch> {
    if (bytes !== undefined) {
      yield* this.runs(at, bytes)
      return
    }
    if (this.sparse > 0) {
      yield { at, length, bytes }
      return
    }
    const some = new Uint8Array(Math.min(length, Math.max(this.size, 2 ** 20)))
    for (let done = 0; done < length; done += some.length) {
      const part = some.subarray(0, length - done)
      yield { at: at + done, length: part.length, bytes: part }
    }
  }

  private *runs(at: number, bytes: Uint8Array): Generator<Stretch> {
    const { length } = bytes
    const blank = (from: number): boolean => this.sparse > 0 && isZeros(bytes, from, Math.min(from + this.size, length))
    for (let from = 0, next = 0; from < length; from = next) {
      const zero = blank(from)
      next = from + this.size
      while (next < length && blank(next) === zero) next += this.size
      next = Math.min(next, length)
      const left = zero && (this.sparse <= this.size || next - from >= this.sparse)
      yield { at: at + from, length: next - from, bytes: left ? undefined : bytes.subarray(from, next) }
    }
  }
}
