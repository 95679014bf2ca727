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
/** What fflate says of a stream that goes on behind the payload. */
const endedEarly = 0

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)

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

const feed = (payload: Uint8Array, sink: Sink): E.Either<unknown, void> =>
  E.tryCatch(
    () => {
      const stream = new Inflate((chunk) => {
        sink.take(chunk)
      })
      for (let at = 0; at < payload.length && sink.length <= sink.out.length; at += piece)
        stream.push(payload.subarray(at, at + piece), at + piece >= payload.length)
    },
    (error) => error
  )

/**
 * The `size` bytes at the start of the stream in `payload`; what follows the stream is not looked at. A stream that yields
 * more is cut, one that yields less is refused.
 */
export const inflate = (payload: Uint8Array, size: number): E.Either<string, Uint8Array> => {
  const sink = new Sink(size)
  const done = feed(payload, sink)
  if (sink.length > size) return E.right(sink.out)
  if (E.isLeft(done) && codeOf(done.left) !== endedEarly) return E.left('a deflate stream that is broken')
  return sink.length === size ? E.right(sink.out) : E.left(`a deflate stream of ${sink.length} bytes`)
}
