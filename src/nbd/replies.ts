/** The replies of NBD, as parts that are sent one after the other. */
import { fromText } from '../bytes/octets.js'
import { chunk, dataStart, errorStart, type Extent, extent, hole, simpleReply, word } from './messages.js'
import { chunks, magics, maxString } from './numbers.js'
import type { Refusal } from './requests.js'

/** Bytes one after the other. */
export type Parts = readonly Uint8Array[]

/** A range of the export that was read, in order and without gaps. */
export interface ReadRange {
  /** Offset in bytes. */
  readonly at: number
  readonly length: number
  /** Its bytes; `undefined` for zeros. */
  readonly parts: Parts | undefined
}

const lengthOf = (parts: Parts): number => parts.reduce((sum, part) => sum + part.length, 0)

const simple = (cookie: bigint, error: number): Uint8Array =>
  simpleReply.encode({ magic: magics.simpleReply, error, cookie })

/** A chunk, the last of its reply or not. */
const chunkOf = (cookie: bigint, type: number, isLast: boolean, parts: Parts): Parts => [
  chunk.encode({ magic: magics.chunk, flags: isLast ? chunks.done : 0, type, cookie, length: lengthOf(parts) }),
  ...parts
]

/** The reply to a request that has succeeded, and that returns nothing. */
export const successReply = (cookie: bigint): Parts => [simple(cookie, 0)]

/** The reply to a request that has failed; a structured one says why. */
export const errorReply = (cookie: bigint, { error, message }: Refusal, structured: boolean): Parts => {
  if (!structured) return [simple(cookie, error)]
  const text = fromText(message).subarray(0, maxString)
  return chunkOf(cookie, chunks.error, true, [errorStart.encode({ error, length: text.length }, text)])
}

const bytesOf = ({ length, parts }: ReadRange): Parts => parts ?? [new Uint8Array(length)]

/** The reply to a read: simple, or structured with a chunk for each range. */
export const readReply = (cookie: bigint, ranges: readonly ReadRange[], structured: boolean): Parts => {
  if (!structured) return [simple(cookie, 0), ...ranges.flatMap(bytesOf)]
  if (ranges.length === 0) return chunkOf(cookie, chunks.none, true, [])
  return ranges.flatMap(({ at, length, parts }, i) => {
    const isLast = i === ranges.length - 1
    const offset = BigInt(at)
    return parts === undefined
      ? chunkOf(cookie, chunks.hole, isLast, [hole.encode({ offset, length })])
      : chunkOf(cookie, chunks.data, isLast, [dataStart.encode({ offset }), ...parts])
  })
}

/** The ranges as one, for a client that wants no more than one chunk. */
export const asOne = (ranges: readonly ReadRange[]): readonly ReadRange[] => {
  const [first] = ranges
  if (first === undefined || ranges.length === 1) return ranges
  const length = ranges.reduce((sum, range) => sum + range.length, 0)
  return [{ at: first.at, length, parts: ranges.flatMap(bytesOf) }]
}

/** The extents of a metadata context, from the offset of the request on. */
export interface ContextStatus {
  readonly id: number
  readonly extents: readonly Extent[]
}

/** The reply to a request for the status of blocks: a chunk for each metadata context. */
export const statusReply = (cookie: bigint, contexts: readonly ContextStatus[]): Parts =>
  contexts.flatMap(({ id, extents }, i) =>
    chunkOf(cookie, chunks.blockStatus, i === contexts.length - 1, [
      word.encode({ value: id }, ...extents.map((each) => extent.encode(each)))
    ])
  )
