/** Sources: an image in a file that was given to the page, or on a server, as ranges of bytes. */
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { fromBlob } from '../../bytes/blob.js'
import type { FileRange } from '../../bytes/plan.js'
import type { Unanswered } from '../../bytes/run-async.js'
import { readInWindowsAsync, type WindowSize } from '../../bytes/window.js'
import type { ImageSource } from './protocol.js'

/** An image that is open. */
export interface OpenImage {
  readonly name: string
  /** Bytes. */
  readonly length: number
  readonly read: (range: FileRange) => TaskEither<Unanswered, Uint8Array>
  /** The file itself, where the page was given one. */
  readonly blob?: Blob
}

const unanswered = (reason: string): E.Either<Unanswered, never> => E.left({ _tag: 'Unanswered', reason })

const window: WindowSize = { size: 2 ** 16, kept: 64 }

const why = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const headersFor = ({ at, length }: FileRange): HeadersInit => ({ range: `bytes=${at}-${at + length - 1}` })

/** The request, or why there is no answer: a browser hides from a page what is wrong on another host. */
const ask = async (url: string, init: RequestInit): Promise<E.Either<Unanswered, Response>> => {
  try {
    return E.right(await fetch(url, { ...init, cache: 'no-store' }))
  } catch (error) {
    const isOther = new URL(url, location.href).origin !== location.origin
    const cors = isOther ? ' It must allow other pages to read it (Access-Control-Allow-Origin: *).' : ''
    return unanswered(`The server cannot be reached: ${why(error)}.${cors}`)
  }
}

/** The length of the file, from the answer to a range, or from a request of the headers alone where that is hidden. */
const lengthOf = async (url: string, response: Response): Promise<E.Either<Unanswered, number>> => {
  const total = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '')?.[1]
  if (total !== undefined) return E.right(Number(total))
  const head = await ask(url, { method: 'HEAD' })
  if (E.isLeft(head)) return head
  const length = head.right.headers.get('content-length')
  return length === null ? unanswered('The server does not say how long the file is.') : E.right(Number(length))
}

/** The bytes of an answer of exactly this length. */
const bytesOf = async (response: Response, length: number): Promise<E.Either<Unanswered, Uint8Array>> => {
  if (response.status === 200) {
    await response.body?.cancel()
    return unanswered('The server does not serve ranges of the file.')
  }
  if (response.status !== 206) return unanswered(`The server answers ${response.status} ${response.statusText}`)
  try {
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (bytes.length === length) return E.right(bytes)
    return unanswered(`The server sends ${bytes.length} bytes for ${length}`)
  } catch (error) {
    return unanswered(`The answer breaks off: ${why(error)}`)
  }
}

const openUrl = async (name: string, url: string): Promise<E.Either<Unanswered, OpenImage>> => {
  const first = await ask(url, { headers: headersFor({ at: 0, length: 1 }) })
  if (E.isLeft(first)) return first
  const { status, statusText } = first.right
  if (status === 416) return E.right({ name, length: 0, read: () => () => Promise.resolve(E.right(new Uint8Array(0))) })
  if (status !== 206) {
    await first.right.body?.cancel()
    return unanswered(
      status === 200 ? 'The server does not serve ranges of the file.' : `The server answers ${status} ${statusText}`
    )
  }
  const length = await lengthOf(url, first.right)
  if (E.isLeft(length)) return length
  const etag = first.right.headers.get('etag')
  const read = readInWindowsAsync(length.right, window, (range) => async () => {
    const response = await ask(url, { headers: headersFor(range) })
    if (E.isLeft(response)) return response
    if (response.right.headers.get('etag') !== etag) return unanswered('The file has changed on the server.')
    return await bytesOf(response.right, range.length)
  })
  return E.right({ name, length: length.right, read })
}

/** Opens an image. */
export const openImage = async (source: ImageSource): Promise<E.Either<Unanswered, OpenImage>> => {
  if (source._tag === 'Url') return await openUrl(source.name, source.url)
  const { name, blob } = source
  return E.right({ name, length: blob.size, read: fromBlob(blob, window), blob })
}
