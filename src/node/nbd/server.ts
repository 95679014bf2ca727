/** The server: it listens, serves as many clients as may be connected at once, and ends with the last client or a signal. */
import { statSync, unlinkSync } from 'node:fs'
import { createServer, connect, type Server, type Socket } from 'node:net'
import * as E from 'fp-ts/lib/Either.js'
import type { TaskEither } from 'fp-ts/lib/TaskEither.js'
import { type CommandError, failure, get, hasCode, reason, system, task, wait } from '../command-error.js'
import { ok } from '../files/output.js'
import { addSignalListener, type EndingSignal, exitCodeOf, removeSignalListener } from '../files/signals.js'
import { carryOutRequests, negotiate } from './connection.js'
import type { Export } from './export.js'
import { Peer } from './peer.js'

/** Where a server listens. */
export type Address = { readonly path: string } | { readonly host: string; readonly port: number }

/** How clients are served. */
export interface ServerOptions {
  /** Most clients at once; others wait for their turn. */
  readonly mostClients: number
  /** Whether it goes on when the last client has left. */
  readonly isPersistent: boolean
}

/** Most clients that wait for their turn; further ones are disconnected. */
const mostWaiting = 64
/** Milliseconds that the negotiation with a client may take. */
const handshakeTime = 10_000

const shown = (address: Address): string => ('path' in address ? address.path : `${address.host}:${address.port}`)

/** What is at the path of a socket: one of a server that listens or is gone, or something else. */
const occupantOf = (path: string): Promise<'server' | 'nobody' | 'file'> =>
  new Promise((resolve) => {
    const probe = connect(path)
    probe.on('connect', () => {
      probe.destroy()
      resolve('server')
    })
    probe.on('error', (error) => {
      const isSocket = statSync(path, { throwIfNoEntry: false })?.isSocket() ?? true
      if (isSocket) resolve(hasCode(error, 'ECONNREFUSED') ? 'nobody' : 'server')
      else resolve('file')
    })
  })

const listenOnce = (server: Server, address: Address): Promise<Error | undefined> =>
  new Promise((resolve) => {
    server.once('error', resolve).listen(address, () => {
      // A connection that cannot be accepted ends nothing: others are.
      server.off('error', resolve).on('error', () => undefined)
      resolve(undefined)
    })
  })

/** Lets a server listen on a Unix socket; that of a server that is gone is replaced. */
const listenOn = task(async function* (server: Server, path: string) {
  let error = await listenOnce(server, { path })
  const occupant = hasCode(error, 'EADDRINUSE') ? await occupantOf(path) : undefined
  if (occupant === 'file') yield* get(failure(`Could not listen on '${path}': the file exists, and is not a socket`))
  if (occupant === 'nobody') {
    yield* get(system('remove', path, () => unlinkSync(path)))
    error = await listenOnce(server, { path })
  }
  return error
})

/** Lets a server listen. */
const listen = task(async function* (server: Server, address: Address) {
  const error = 'path' in address ? yield* wait(listenOn(server, address.path)) : await listenOnce(server, address)
  if (error === undefined) return
  const why = hasCode(error, 'EADDRINUSE') ? 'another server listens there' : reason(error)
  yield* get(failure(`Could not listen on '${shown(address)}': ${why}`))
})

/** The clients of a server, and what may end it. */
class Clients {
  private readonly connected = new Set<Socket>()
  private readonly sessions = new Set<Promise<void>>()
  private readonly waiting: Socket[] = []
  private served = 0

  constructor(
    private readonly exported: Export,
    private readonly options: ServerOptions,
    private readonly end: (result: E.Either<CommandError, number>) => void
  ) {}

  /** Takes a new client in, which may have to wait. */
  readonly admit = (socket: Socket): void => {
    if (this.waiting.length >= mostWaiting) {
      socket.destroy()
      return
    }
    this.connected.add(socket)
    socket
      .setNoDelay(true)
      .on('error', () => undefined)
      .on('close', () => this.connected.delete(socket))
    this.waiting.push(socket)
    this.serveNext()
  }

  /** Disconnects all; after that no request is carried out. */
  async disconnect(): Promise<void> {
    this.waiting.length = 0
    for (const socket of this.connected) socket.destroy()
    await Promise.all(this.sessions)
  }

  private serveNext(): void {
    if (this.served >= this.options.mostClients) return
    const socket = this.waiting.shift()
    if (socket === undefined) return
    this.served += 1
    const session = this.serve(socket).then((wasClient) => {
      this.sessions.delete(session)
      this.served -= 1
      if (wasClient && this.served === 0 && !this.options.isPersistent) this.end(E.right(ok))
      else this.serveNext()
    })
    this.sessions.add(session)
  }

  /** Serves a client until it leaves; whether it was one, and did not only knock. */
  private async serve(socket: Socket): Promise<boolean> {
    const peer = new Peer(socket)
    const timer = setTimeout(() => socket.destroy(), handshakeTime)
    const agreed = await negotiate(peer, this.exported.info)
    clearTimeout(timer)
    const done = agreed === undefined ? E.right(undefined) : await carryOutRequests(peer, this.exported, agreed)
    if (E.isLeft(done)) this.end(done)
    peer.end()
    return agreed !== undefined
  }
}

/**
 * Serves an export until its last client has left, unless it is persistent, or until a signal asks for its end. The value is
 * the exit code, for a signal 128 and its number. The export stays open; nothing is written to it any more.
 *
 * @param onListening is called once clients can connect
 */
export const serve = (
  exported: Export,
  address: Address,
  options: ServerOptions,
  onListening: () => E.Either<CommandError, void>
): TaskEither<CommandError, number> =>
  task(async function* () {
    const server = createServer({ allowHalfOpen: true })
    let end: (result: E.Either<CommandError, number>) => void = () => undefined
    const ended = new Promise<E.Either<CommandError, number>>((resolve) => {
      end = resolve
    })
    const clients = new Clients(exported, options, end)
    const onSignal = (signal: EndingSignal): void => end(E.right(exitCodeOf(signal)))
    server.on('connection', clients.admit)
    addSignalListener(onSignal)
    try {
      yield* get(await listen(server, address)())
      yield* get(onListening())
      return yield* get(await ended)
    } finally {
      const closed = server.listening ? new Promise((resolve) => server.close(resolve)) : undefined
      await clients.disconnect()
      await closed
      removeSignalListener(onSignal)
    }
  })()
