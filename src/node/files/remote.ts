/**
 * Remote images: a file on a server, read by range requests. Nothing is retried, and what changes while it is read is not
 * read on.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { FileRange } from '../../bytes/plan.js'
import { readInWindowsAsync, type WindowSize } from '../../bytes/window.js'
import { type CommandError, type Failed, failure, get, reason, systemTask, task, wait } from '../command-error.js'
import type { Source } from './source.js'

const window: WindowSize = { size: 2 ** 18, kept: 16 }

/** Longest wait for an answer, in milliseconds. */
const patience = 60_000

/** A file on a server, and what is done with it. */
interface Remote {
  readonly name: string
  /** Where it is, after redirections that are known. */
  readonly url: string
  readonly what: 'open' | 'read'
}

const refuse = ({ name, what }: Remote, why: string): E.Either<CommandError, never> =>
  failure(`Could not ${what} '${name}': ${why}`, { file: name })

/** The body of an answer, which must be of this length: no more than that is ever held. */
const bodyOf =
  (remote: Remote, response: Response, length: number): TaskEither<CommandError, Uint8Array> =>
  async () => {
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
      return refuse(remote, `the answer breaks off after ${done} of ${length} bytes: ${reason(error)}`)
    }
    if (done > length) return refuse(remote, `the answer goes on after ${length} bytes`)
    return done < length ? refuse(remote, `the answer ends after ${done} of ${length} bytes`) : E.right(out)
  }

/** A part of a file, and what distinguishes this state of the file from another. */
interface Part {
  /** Bytes of the whole file. */
  readonly total: number
  readonly state: string
  readonly bytes: Uint8Array
  /** Where the answer came from, after all redirections. */
  readonly url: string
}

/** What the headers of an answer say of a part. */
interface Announced extends Omit<Part, 'bytes'> {
  readonly length: number
}

/** The numbers of a Content-Range header: first byte, last byte, length of the file. */
const contentRange = (response: Response): readonly number[] =>
  /^bytes (\d+)-(\d+)\/(\d+)$/i
    .exec(response.headers.get('content-range') ?? '')
    ?.slice(1)
    .map(Number) ?? []

const changed = 'the file has changed on the server while it was read'

/** The part that an answer announces: what was asked for, in the state that is known of the file. */
const announced = (
  remote: Remote,
  response: Response,
  { at, length }: FileRange,
  known: string | undefined
): E.Either<CommandError, Announced> => {
  const { status, statusText, headers, url } = response
  if (status === 416 && known !== undefined) return refuse(remote, changed)
  if (status === 416 && headers.get('content-range') === 'bytes */0')
    return E.right({ total: 0, state: '', length: 0, url })
  if (status === 200) return refuse(remote, 'the server does not serve ranges of the file')
  if (status !== 206) return refuse(remote, `the server answers ${status} ${statusText}`)
  const [from, last, total] = contentRange(response)
  if (from === undefined || last === undefined || total === undefined || !Number.isSafeInteger(total))
    return refuse(remote, 'the server sends no Content-Range')
  const state = JSON.stringify([total, headers.get('etag'), headers.get('last-modified')])
  if (known !== undefined && state !== known) return refuse(remote, changed)
  if (from !== at || last !== Math.min(at + length, total) - 1)
    return refuse(remote, `the server sends bytes ${from} to ${last}, not those asked for`)
  return E.right({ total, state, length: last - from + 1, url })
}

/** Asks for a range of a file, in the state that is known of it; fewer bytes come where the file ends before the range. */
const ask = task(async function* (remote: Remote, range: FileRange, known?: string) {
  const { name, url, what } = remote
  const headers = { range: `bytes=${range.at}-${range.at + range.length - 1}`, 'accept-encoding': 'identity' }
  const signal = AbortSignal.timeout(patience)
  const response = yield* wait(systemTask(what, name, () => fetch(url, { headers, signal })))
  const part = announced(remote, response, range, known)
  if (E.isLeft(part) || part.right.length === 0) await response.body?.cancel()
  const { length, ...of } = yield* get(part)
  return { ...of, bytes: length === 0 ? new Uint8Array(0) : yield* wait(bodyOf(remote, response, length)) }
})

/** Opens an image on a server that serves ranges. */
export const openRemote = task(async function* (name: string): AsyncGenerator<Failed, Source> {
  const first = yield* wait(ask({ name, url: name, what: 'open' }, { at: 0, length: window.size }))
  /** A range of the file, which must not have changed since. */
  const answer = task(async function* (range: FileRange) {
    const end = range.at + range.length
    if (end <= first.bytes.length) return first.bytes.subarray(range.at, end)
    return (yield* wait(ask({ name, url: first.url, what: 'read' }, range, first.state))).bytes
  })
  return {
    name,
    length: first.total,
    world: { _tag: 'Async', read: readInWindowsAsync(first.total, window, answer) },
    close: () => undefined
  }
})
