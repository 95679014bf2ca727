/**
 * Remote images: a file on a server, read by range requests. No request is retried, and a file that changes while it is read
 * is an error.
 */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import type { FileRange } from '../../bytes/plan.js'
import { readInWindowsAsync, type WindowSize } from '../../bytes/window.js'
import { type CommandError, type Failed, failure, get, system, task, wait } from '../command-error.js'
import { requestReason, statusReason } from './remote-reason.js'
import { isUrl, type RemoteOptions, type RemotePlace, type Source } from './source.js'
import { publicUrl } from './url.js'

const window: WindowSize = { size: 2 ** 18, kept: 16 }

/** Longest wait for an answer in seconds, where none is given. */
const patience = 60

/** Most redirections of one request. */
const mostRedirects = 10

/** How the server is asked. */
type RequestOptions = Pick<RemoteOptions, 'headers' | 'timeout' | 'allowRedirect'>

/** A file on a server, and what is done with it. */
interface Remote {
  readonly name: string
  /** Where it is, after redirections that are known. */
  readonly url: string
  readonly what: 'open' | 'read'
  readonly options: RequestOptions
  /** Longest wait for an answer in seconds; 0 for as long as it takes. */
  readonly answerTime: number
  /** The value of the `Authorization` header, which goes to the host of the name alone. */
  readonly authorization: string | undefined
  /** Aborts when reading the file has taken too long in all. */
  readonly total: AbortSignal | undefined
}

const refuse = ({ name, what }: Pick<Remote, 'name' | 'what'>, why: string): E.Either<CommandError, never> =>
  failure(`Could not ${what} '${name}': ${why}`, { file: name })

const redirectStatuses: readonly number[] = [301, 302, 303, 307, 308]

/** The same result; where the time is over, that is the failure. */
const inTime =
  (remote: Remote) =>
  <A>(result: E.Either<CommandError, A>): E.Either<CommandError, A> =>
    E.isLeft(result) && remote.total?.aborted === true
      ? refuse(remote, `it takes more than the ${remote.options.timeout ?? 0} seconds of --timeout`)
      : result

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
      return refuse(
        remote,
        `the answer breaks off after ${done} of ${length} bytes: ${requestReason(error, remote.answerTime)}`
      )
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
  const { status, headers, url } = response
  if (status === 416 && known !== undefined) return refuse(remote, changed)
  if (status === 416 && headers.get('content-range') === 'bytes */0')
    return E.right({ total: 0, state: '', length: 0, url })
  if (status === 200) return refuse(remote, 'the server does not serve ranges of the file')
  if (status !== 206) return refuse(remote, statusReason(response))
  const [from, last, total] = contentRange(response)
  if (from === undefined || last === undefined || total === undefined || !Number.isSafeInteger(total))
    return refuse(remote, 'the server sends no Content-Range')
  const state = JSON.stringify([total, headers.get('etag'), headers.get('last-modified')])
  if (known !== undefined && state !== known) return refuse(remote, changed)
  if (from !== at || last !== Math.min(at + length, total) - 1)
    return refuse(remote, `the server sends bytes ${from} to ${last}, not those asked for`)
  return E.right({ total, state, length: last - from + 1, url })
}

/** Whether a URL is on the host of the file's name, and no less secure. */
const isSameHost = ({ name }: Remote, url: URL): boolean => {
  const own = new URL(name)
  return url.host === own.host && (url.protocol === own.protocol || url.protocol === 'https:')
}

/** The headers of a request. Those that are given go to no other host: they may be secrets. */
const headersFor = (remote: Remote, url: URL, { at, length }: FileRange): Headers => {
  const headers = new Headers()
  const isOwn = isSameHost(remote, url)
  for (const line of isOwn ? remote.options.headers : []) {
    const [name = ''] = line.split(':', 1)
    headers.append(name, line.slice(name.length + 1).trim())
  }
  if (isOwn && remote.authorization !== undefined && !headers.has('authorization'))
    headers.set('authorization', remote.authorization)
  headers.set('range', `bytes=${at}-${at + length - 1}`)
  headers.set('accept-encoding', 'identity')
  return headers
}

/** The answer to a request. */
const fetched =
  (remote: Remote, url: URL, init: RequestInit): TaskEither<CommandError, Response> =>
  async () => {
    try {
      return E.right(await fetch(url, init))
    } catch (error) {
      return refuse(remote, requestReason(error, remote.answerTime))
    }
  }

/** Asks for a range, and follows redirections as far as they are allowed. */
const answerOf = task(async function* (remote: Remote, range: FileRange): AsyncGenerator<Failed, Response> {
  const { name, what, options, total, answerTime } = remote
  let url = yield* get(system(what, name, () => new URL(remote.url)))
  for (let redirects = 0; redirects <= mostRedirects; redirects++) {
    const patient = answerTime === 0 ? undefined : AbortSignal.timeout(answerTime * 1000)
    const init: RequestInit = {
      headers: headersFor(remote, url, range),
      signal: AbortSignal.any([total, patient].filter((signal) => signal !== undefined)),
      redirect: 'manual'
    }
    const response = yield* get(inTime(remote)(await fetched(remote, url, init)()))
    const location = response.headers.get('location')
    if (location === null || !redirectStatuses.includes(response.status)) return response
    await response.body?.cancel()
    url = yield* get(system(what, name, () => publicUrl(new URL(location, url))))
    if (!isSameHost(remote, url) && !options.allowRedirect)
      yield* get(refuse(remote, `the server redirects to another host: --allow-redirect follows it to '${url.href}'`))
    if (!isUrl(url.href)) yield* get(refuse(remote, `the server redirects to '${url.href}'`))
  }
  return yield* get(refuse(remote, `the server redirects more than ${mostRedirects} times`))
})

/** Asks for a range of a file, in the state that is known of it; fewer bytes come where the file ends before the range. */
const ask = task(async function* (remote: Remote, range: FileRange, known?: string) {
  const response = yield* wait(answerOf(remote, range))
  const part = announced(remote, response, range, known)
  if (E.isLeft(part) || part.right.length === 0) await response.body?.cancel()
  const { length, ...of } = yield* get(part)
  return {
    ...of,
    bytes: length === 0 ? new Uint8Array(0) : yield* get(inTime(remote)(await bodyOf(remote, response, length)()))
  }
})

/** Opens an image on a server that serves ranges. */
export const openRemote = task(async function* (
  { name, authorization, answerTime = patience }: RemotePlace,
  options: RequestOptions = {
    headers: [],
    timeout: undefined,
    allowRedirect: false
  }
): AsyncGenerator<Failed, Source> {
  const { timeout } = options
  const total = timeout === undefined ? undefined : AbortSignal.timeout(Math.ceil(timeout * 1000))
  const remote = { name, options, authorization, answerTime, total }
  const first = yield* wait(ask({ ...remote, url: name, what: 'open' }, { at: 0, length: window.size }))
  /** A range of the file, which must not have changed since. */
  const answer = task(async function* (range: FileRange) {
    const end = range.at + range.length
    if (end <= first.bytes.length) return first.bytes.subarray(range.at, end)
    return (yield* wait(ask({ ...remote, url: first.url, what: 'read' }, range, first.state))).bytes
  })
  return {
    name,
    length: first.total,
    world: { _tag: 'Async', read: readInWindowsAsync(first.total, window, answer) },
    close: () => undefined
  }
})
