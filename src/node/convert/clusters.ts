/** Runs of whole clusters, made from the pieces in which a guest disk is read. */
import { isZeros } from '../files/sparse.js'

/** Guest bytes of one kind: whole clusters of the sink, or the last part of the disk. */
export interface Run {
  readonly at: number
  readonly length: number
  /** The bytes, which may be overwritten once they are put; `undefined` for zeros that need not be written. */
  readonly bytes: Uint8Array | undefined
}

/** Read bytes that are zeros or data together: a cluster, or the largest power of two up to `sparse` where that is more. */
const sparseUnit = (cluster: number, sparse: number): number =>
  Math.max(cluster, 2 ** Math.floor(Math.log2(Math.max(1, sparse))))

/**
 * Makes runs of one kind from pieces that come in order without gaps: bytes, or zeros of any origin. A cluster is left out
 * where none of its pieces is copied.
 */
export class ClusterRuns {
  /** The bytes of a cluster that a piece has begun and not completed. */
  private partial: Uint8Array
  private filled = 0
  private zeros = true
  private copied = false
  private at = 0
  private readonly unit: number

  /**
   * @param size bytes of a cluster
   * @param end bytes of the disk
   * @param sparse clusters of zeros, of at least so many bytes, are runs without bytes; 0: none are
   */
  constructor(
    private readonly size: number,
    private readonly end: number,
    private readonly sparse: number
  ) {
    this.partial = new Uint8Array(size)
    this.unit = sparseUnit(size, sparse)
  }

  /** The runs that the next bytes of the disk complete; `undefined` for zeros. */
  *add(length: number, bytes: Uint8Array | undefined, copied: boolean): Generator<Run> {
    for (let done = 0; done < length;) {
      const left = length - done
      const atEnd = this.at + left >= this.end
      if (this.filled === 0 && (left >= this.size || atEnd)) {
        const whole = atEnd ? left : left - (left % this.size)
        if (copied) yield* this.runs(this.at, whole, bytes?.subarray(done, done + whole))
        this.at += whole
        done += whole
      } else done += yield* this.addPartial(left, bytes?.subarray(done), copied)
    }
  }

  /** Adds bytes to the cluster that has begun; returns how many belong to it. */
  private *addPartial(left: number, bytes: Uint8Array | undefined, copied: boolean): Generator<Run, number> {
    const n = Math.min(left, this.size - this.filled)
    if (bytes === undefined) this.partial.fill(0, this.filled, this.filled + n)
    else this.partial.set(bytes.subarray(0, n), this.filled)
    this.zeros &&= bytes === undefined
    this.copied ||= copied
    this.filled += n
    this.at += n
    if (this.filled < this.size && this.at < this.end) return n
    const length = this.filled
    if (this.copied)
      yield* this.runs(this.at - length, length, this.zeros ? undefined : this.partial.subarray(0, length))
    this.partial = new Uint8Array(this.size)
    this.filled = 0
    this.zeros = true
    this.copied = false
    return n
  }

  /** Clusters as runs of data and of zeros. */
  private *runs(at: number, length: number, bytes: Uint8Array | undefined): Generator<Run> {
    if (bytes !== undefined) {
      yield* this.dataRuns(at, bytes)
      return
    }
    if (this.sparse > 0) {
      yield { at, length, bytes }
      return
    }
    const zeros = new Uint8Array(Math.min(length, Math.max(this.size, 2 ** 20)))
    for (let done = 0; done < length; done += zeros.length) {
      const part = zeros.subarray(0, length - done)
      yield { at: at + done, length: part.length, bytes: part }
    }
  }

  private *dataRuns(at: number, bytes: Uint8Array): Generator<Run> {
    const { length } = bytes
    const endOfUnit = (from: number): number =>
      Math.min(length, (Math.floor((at + from) / this.unit) + 1) * this.unit - at)
    const isZero = (from: number): boolean => this.sparse > 0 && isZeros(bytes, from, endOfUnit(from))
    for (let from = 0, next = 0; from < length; from = next) {
      const zero = isZero(from)
      next = endOfUnit(from)
      while (next < length && isZero(next) === zero) next = endOfUnit(next)
      const isHole = zero && (this.sparse <= this.unit || next - from >= this.sparse)
      yield { at: at + from, length: next - from, bytes: isHole ? undefined : bytes.subarray(from, next) }
    }
  }
}
