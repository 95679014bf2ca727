/** Windows: small requests served from stretches that are read ahead, so that a file is asked seldom and for much. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { concat, empty } from './octets.js'
import { fromMemory, type FileRange } from './plan.js'

/** How much is read ahead and kept. */
export interface WindowSize {
  /** Bytes of a window; requests of as many bytes are passed on as they are. */
  readonly size: number
  /** Most stretches that are kept, the ones used last. */
  readonly kept: number
}

/** What becomes of a request: it is answered from what is kept, or the file is asked, and `take` makes the answer of it. */
type Next =
  | { readonly _tag: 'Kept'; readonly bytes: Uint8Array }
  | { readonly _tag: 'Ask'; readonly range: FileRange; readonly take: (bytes: Uint8Array) => Uint8Array }

interface Stretch {
  readonly at: number
  readonly bytes: Uint8Array
}

const endOf = (s: Stretch): number => s.at + s.bytes.length

const within = (range: FileRange, s: Stretch): boolean => range.at >= s.at && range.at + range.length <= endOf(s)

/** Whole windows around a small range; a large one itself. At most to the end of the file. */
const toAsk = ({ at, length }: FileRange, size: number, fileLength: number): FileRange => {
  const from = length < size ? Math.floor(at / size) * size : at
  const to = length < size ? Math.ceil((at + length) / size) * size : at + length
  return { at: from, length: Math.min(to, fileLength) - from }
}

/**
 * The windows of one file of `fileLength` bytes, which does not change while it is read. A request is answered with
 * exactly its length, zeros past the end of the file, which are never asked for.
 *
 * Law: whatever the requests, each answer is that of `fromMemory` on the file.
 */
const windows = (fileLength: number, { size, kept }: WindowSize): ((range: FileRange) => Next) => {
  let stretches: readonly Stretch[] = []
  const keep = (s: Stretch): void => {
    stretches = [s, ...stretches.filter((other) => other.at !== s.at).slice(0, kept - 1)]
  }
  return (range) => {
    const { at, length } = range
    if (at >= fileLength || length === 0) return { _tag: 'Kept', bytes: fromMemory(empty)(range) }
    const from = (bytes: Uint8Array, start: number) => fromMemory(bytes)({ at: at - start, length })
    const found = stretches.find((s) => within({ at, length: Math.min(length, fileLength - at) }, s))
    if (found !== undefined) {
      keep(found)
      return { _tag: 'Kept', bytes: from(found.bytes, found.at) }
    }
    // What a small range begins with may be kept: then the file is asked for the windows after it.
    const first = length < size ? stretches.find((s) => at >= s.at && at < endOf(s)) : undefined
    const there = first === undefined ? empty : first.bytes.subarray(at - first.at)
    const ask = toAsk({ at: at + there.length, length: length - there.length }, size, fileLength)
    return {
      _tag: 'Ask',
      range: ask,
      take: (bytes) => {
        if (length < size) keep({ at: ask.at, bytes })
        return there.length === 0 ? from(bytes, ask.at) : fromMemory(concat([there, bytes]))({ at: 0, length })
      }
    }
  }
}

/**
 * A file that answers at once, read in windows. `ask` gets ranges within the file, and answers with their length, or with
 * the reason why it cannot.
 */
export const readInWindows = <L = never>(
  fileLength: number,
  window: WindowSize,
  ask: (range: FileRange) => Uint8Array | L
): ((range: FileRange) => Uint8Array | L) => {
  const next = windows(fileLength, window)
  return (range) => {
    const step = next(range)
    if (step._tag === 'Kept') return step.bytes
    const bytes = ask(step.range)
    return bytes instanceof Uint8Array ? step.take(bytes) : bytes
  }
}

/** A file that answers in its own time, read in windows. `ask` gets ranges within the file, and answers with their length. */
export const readInWindowsAsync = <L>(
  fileLength: number,
  window: WindowSize,
  ask: (range: FileRange) => TaskEither<L, Uint8Array>
): ((range: FileRange) => TaskEither<L, Uint8Array>) => {
  const next = windows(fileLength, window)
  return (range) => async () => {
    const step = next(range)
    return step._tag === 'Kept' ? E.right(step.bytes) : E.map(step.take)(await ask(step.range)())
  }
}
