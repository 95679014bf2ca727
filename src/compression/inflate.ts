/**
 * Raw deflate (RFC 1951), decoded to exactly one cluster. Of a stream that yields more the decoder gets small pieces, so that
 * it costs no more than a cluster.
 *
 * @see CMP-07 and CMP-09
 */
import { Inflate, inflateSync } from 'fflate'
import * as E from 'fp-ts/lib/Either.js'
import { deflateFacts } from './deflate-facts.js'

/** Bytes of the payload in a piece: they yield at most some hundred kilobytes. */
const piece = 512

const broken = 'a deflate stream that is broken'

/** The output up to a size; the rest is counted and dropped. */
class ClusterSink {
  readonly out: Uint8Array
  /** Bytes of output, among them those that were dropped. */
  length = 0

  constructor(size: number) {
    this.out = new Uint8Array(size)
  }

  take(chunk: Uint8Array): void {
    const room = Math.max(0, this.out.length - this.length)
    this.out.set(chunk.subarray(0, room), Math.min(this.length, this.out.length))
    this.length += chunk.length
  }
}

/** The output of a stream up to its end, its first error, or more than the size; and where the error is. */
interface Inflated {
  readonly sink: ClusterSink
  /** The start of the piece with the error. */
  readonly fault: number | undefined
}

/** Decodes a payload in pieces, and byte by byte from `fine` on: a piece with an error yields nothing. */
const feed = (payload: Uint8Array, size: number, fine = payload.length): Inflated => {
  const sink = new ClusterSink(size)
  const stream = new Inflate((chunk) => {
    sink.take(chunk)
  })
  let at = 0
  const done = E.tryCatch(
    () => {
      for (let next = 0; at < payload.length && sink.length <= size; at = next) {
        next = at < fine ? at + piece : at + 1
        stream.push(payload.subarray(at, next))
      }
    },
    () => at
  )
  return { sink, fault: E.isLeft(done) ? at : undefined }
}

/**
 * The first `size` bytes of the stream in `payload`. What follows the stream is not read. A stream that yields more, or that
 * the payload cuts there, is a cluster; one that yields less is an error, and so is what zlib refuses.
 */
export const inflate = (payload: Uint8Array, size: number): E.Either<string, Uint8Array> => {
  const { length, finished, cut } = deflateFacts(payload, size)
  if (finished && length < size) return E.left(`a deflate stream of ${length} bytes`)
  if (length < size || (length === size && !finished && !cut)) return E.left(broken)
  if (finished && length === size)
    return E.tryCatch(
      () => inflateSync(payload, { out: new Uint8Array(size) }),
      () => broken
    )
  const coarse = feed(payload, size)
  const { sink } = coarse.fault === undefined ? coarse : feed(payload, size, coarse.fault)
  return sink.length < size ? E.left(broken) : E.right(sink.out)
}
