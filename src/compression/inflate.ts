/**
 * Raw deflate (RFC 1951), decoded to exactly one cluster. The stream is fed in small pieces, so that a payload which
 * would yield more costs no more than a cluster.
 *
 * @see CMP-07 and CMP-09
 */
import { Inflate } from 'fflate'
import * as E from 'fp-ts/lib/Either.js'

/** Bytes of a payload handed over at a time: they yield at most some hundred kilobytes. */
const piece = 512
/** Output as it comes, up to its size; what is beyond is counted and dropped. */
class Sink {
  readonly out: Uint8Array
  /** Bytes that came, also those that had no room. */
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

/** What a stream yields up to its end, its first fault or more than fits, and where the fault was met. */
interface Fed {
  readonly sink: Sink
  /** Where the piece starts that holds the fault. */
  readonly fault: number | undefined
}

/** Feeds a payload in pieces, and byte by byte from `fine` on: what a piece yields before its fault is lost with it. */
const feed = (payload: Uint8Array, size: number, fine = payload.length): Fed => {
  const sink = new Sink(size)
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
 * The `size` bytes at the start of the stream in `payload`; what follows the stream is not looked at. A stream that yields
 * more is cut, one that yields less is refused.
 */
export const inflate = (payload: Uint8Array, size: number): E.Either<string, Uint8Array> => {
  const coarse = feed(payload, size)
  const { sink, fault } = coarse.fault === undefined ? coarse : feed(payload, size, coarse.fault)
  if (sink.length > size) return E.right(sink.out)
  if (fault !== undefined) return E.left('a deflate stream that is broken')
  return sink.length === size ? E.right(sink.out) : E.left(`a deflate stream of ${sink.length} bytes`)
}
