/** The server of the explorer: the page, and ranges of one image, to the browser of who started it. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { imageFile } from '../../bytes/plan.js'
import { type CommandError, failure, get, reason, task } from '../command-error.js'
import { addSignalListener, type EndingSignal, exitCodeOf, removeSignalListener } from '../files/signals.js'
import { inOwnTime, type Source } from '../files/source.js'
import { askedFor, rangeOf } from './access.js'

/** What is served, and how it is reached. */
export interface Served {
  readonly source: Source
  /** The page as HTML. */
  readonly page: string
  /** What the URL must contain. */
  readonly token: string
}

/** Bytes of an answer that are read at a time. */
const chunk = 2 ** 20

const common = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'content-security-policy': "frame-ancestors 'none'"
}

const refuse = (response: ServerResponse, status: number): void => {
  response.writeHead(status, common).end()
}

/** Writes a piece, and waits while the other side is slower. */
const write = (response: ServerResponse, bytes: Uint8Array): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      response.off('close', done)
      resolve()
    }
    response.once('close', done)
    response.write(bytes, done)
  })

/** Sends a range of the image, or its length for HEAD; status 416 where a GET names no range within it. */
const sendImage = async ({ source }: Served, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { length } = source
  if (request.method === 'HEAD') {
    response.writeHead(200, { ...common, 'accept-ranges': 'bytes', 'content-length': length }).end()
    return
  }
  const range = rangeOf(request.headers.range, length)
  if (range === undefined) {
    response.writeHead(416, { ...common, 'content-range': `bytes */${length}` }).end()
    return
  }
  const { from, last } = range
  const read = inOwnTime(source.world)
  response.writeHead(206, {
    ...common,
    'content-type': 'application/octet-stream',
    'content-range': `bytes ${from}-${last}/${length}`,
    'content-length': last + 1 - from
  })
  for (let at = from; at <= last && !response.destroyed; at += chunk) {
    const bytes = await read({ _tag: 'Read', file: imageFile, at, length: Math.min(chunk, last + 1 - at) })()
    if (E.isLeft(bytes)) {
      response.destroy()
      return
    }
    await write(response, bytes.right)
  }
  response.end()
}

const sendPage = ({ page }: Served, response: ServerResponse): void => {
  response.writeHead(200, { ...common, 'content-type': 'text/html; charset=utf-8' }).end(page)
}

const answer = async (
  served: Served,
  hosts: readonly string[],
  request: IncomingMessage,
  response: ServerResponse
): Promise<void> => {
  const asked = askedFor(request, hosts, served.token)
  if (asked === 'page') sendPage(served, response)
  else if (asked === 'image') await sendImage(served, request, response)
  else refuse(response, asked)
}

const loopback = '127.0.0.1'

const listen = (server: Server, port: number): Promise<E.Either<CommandError, number>> =>
  new Promise((resolve) => {
    const fail = (error: Error): void => {
      resolve(failure(`Could not listen on port ${port} of ${loopback}: ${reason(error)}`))
    }
    server.once('error', fail).listen(port, loopback, () => {
      // A connection that cannot be accepted ends nothing: others are.
      server.off('error', fail).on('error', () => undefined)
      const address = server.address()
      resolve(E.right(typeof address === 'object' && address !== null ? address.port : port))
    })
  })

/**
 * Serves an image until a signal asks for the end: the value is 0 for INT, which is how a person ends it, and 128 and the
 * number of any other signal.
 *
 * @param port 0 for any that is free
 * @param onListening gets the URL of the page
 */
export const servePage = (
  served: Served,
  port: number,
  onListening: (url: string) => E.Either<CommandError, void>
): TaskEither<CommandError, number> =>
  task(async function* () {
    const hosts: string[] = []
    const server = createServer((request, response) => {
      answer(served, hosts, request, response).catch(() => response.destroy())
    })
    let end: (code: number) => void = () => undefined
    const ended = new Promise<number>((resolve) => {
      end = resolve
    })
    const onSignal = (signal: EndingSignal): void => end(signal === 'SIGINT' ? 0 : exitCodeOf(signal))
    addSignalListener(onSignal)
    try {
      const found = yield* get(await listen(server, port))
      hosts.push(`${loopback}:${found}`, `localhost:${found}`)
      yield* get(onListening(`http://${loopback}:${found}/${served.token}/`))
      return await ended
    } finally {
      server.closeAllConnections()
      if (server.listening) await new Promise((resolve) => server.close(resolve))
      removeSignalListener(onSignal)
    }
  })()
