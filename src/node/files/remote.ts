/**
 * Remote images: a file on a server, read by range requests. Nothing is retried, and what changes while it is read is not
 * read on.
 */
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { Range } from '../../bytes/plan.js'
import type { Unanswered } from '../../bytes/run-async.js'
import { readInWindowsAsync, type WindowSize } from '../../bytes/window.js'
import type { Source } from './source.js'

const window: WindowSize = { size: 2 ** 18, kept: 16 }

/** Longest wait for an answer, in milliseconds. */
const patience = 60_000

/** What went wrong: where `fetch` fails, its cause says why. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message
}

/** The body of an answer, which must be of this length: no more than that is ever held. */
const bodyOf = async (response: Response, length: number): Promise<Uint8Array> => {
  const chunks: AsyncIterable<Uint8Array> | readonly Uint8Array[] = response.body ?? []
  const out = new Uint8Array(length)
  let done = 0
  try {
    for await (const chunk of chunks) {
      out.set(chunk.subarray(0, length - done), done)
      done += chunk.length
      if (done > length) break
    }
  } catch (error) {
    throw new Error(`the answer breaks off after ${done} of ${length} bytes: ${reasonOf(error)}`)
  }
  if (done > length) throw new Error(`the answer goes on after ${length} bytes`)
  if (done < length) throw new Error(`the answer ends after ${done} of ${length} bytes`)
  return out
}

/** A part of a file, and what tells this state of the file from another. */
interface Part {
  /** Bytes of the whole file. */
  readonly total: number
  readonly state: string
  readonly bytes: Uint8Array
  /** Where the answer came from, after all redirections. */
  readonly url: string
}

/** The numbers of a Content-Range header: first byte, last byte, length of the file. */
const contentRange = (response: Response): readonly number[] =>
  /^bytes (\d+)-(\d+)\/(\d+)$/i
    .exec(response.headers.get('content-range') ?? '')
    ?.slice(1)
    .map(Number) ?? []

const changed = 'the file has changed on the server while it was read'

const refuse = async (response: Response, why: string): Promise<never> => {
  await response.body?.cancel()
  throw new Error(why)
}

/** Asks for a range of a file, in the state that is known of it; fewer bytes come where the file ends before the range. */
const ask = async (url: string, { at, length }: Range, known?: string): Promise<Part> => {
  const response = await fetch(url, {
    headers: { range: `bytes=${at}-${at + length - 1}`, 'accept-encoding': 'identity' },
    signal: AbortSignal.timeout(patience)
  })
  const validators = ['etag', 'last-modified'].map((name) => response.headers.get(name))
  if (response.status === 416 && known !== undefined) return refuse(response, changed)
  if (response.status === 416 && response.headers.get('content-range') === 'bytes */0') {
    await response.body?.cancel()
    return { total: 0, state: '', bytes: new Uint8Array(0), url: response.url }
  }
  if (response.status === 200) return refuse(response, 'the server does not serve ranges of the file')
  if (response.status !== 206) return refuse(response, `the server answers ${response.status} ${response.statusText}`)
  const [from, last, total] = contentRange(response)
  if (from === undefined || last === undefined || total === undefined || !Number.isSafeInteger(total))
    return refuse(response, 'the server does not tell which bytes it sends')
  const state = JSON.stringify([total, ...validators])
  if (known !== undefined && state !== known) return refuse(response, changed)
  if (from !== at || last !== Math.min(at + length, total) - 1)
    return refuse(response, `the server sends bytes ${from} to ${last}, not those asked for`)
  return {
    total,
    state,
    bytes: await bodyOf(response, last - from + 1),
    url: response.url
  }
}

/** Asks for a range of a file of which the first part is known; it must not have changed since. */
const next = async (first: Part, { at, length }: Range): Promise<Uint8Array> => {
  if (at + length <= first.bytes.length) return first.bytes.subarray(at, at + length)
  return (await ask(first.url, { at, length }, first.state)).bytes
}

/** Opens an image on a server that serves ranges; the reason when it cannot be. */
export const openRemote = async (url: string): Promise<E.Either<string, Source>> => {
  const opened = await TE.tryCatch(() => ask(url, { at: 0, length: window.size }), reasonOf)()
  if (E.isLeft(opened)) return E.left(`Could not open '${url}': ${opened.left}`)
  const first = opened.right
  const unanswered = (error: unknown): Unanswered => ({ _tag: 'Unanswered', reason: reasonOf(error) })
  const answer = (range: Range) => TE.tryCatch(() => next(first, range), unanswered)
  return E.right({
    name: url,
    length: first.total,
    world: { _tag: 'Async', read: readInWindowsAsync(first.total, window, answer) },
    close: () => undefined
  })
}
