/** The other end of a connection: bytes are taken from it as they are needed, and it must take what it is sent. */
import type { Socket } from 'node:net'
import { empty } from '../../bytes/octets.js'
import { unclean } from '../files/file.js'

/** Most milliseconds until a peer has taken the last bytes for it. */
const patience = 10_000

/** A connected client. Nothing more is read from it than what has been asked for and one piece of the socket. */
export class Peer {
  private readonly pieces: AsyncIterator<Uint8Array>
  /** Bytes that have come and are not taken. */
  private rest: Uint8Array = empty

  constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined)
    this.pieces = socket[Symbol.asyncIterator]()
  }

  /** The next bytes, in memory of their own; `undefined` where the peer has ended before. */
  async take(length: number): Promise<Uint8Array | undefined> {
    const out = unclean(length)
    for (let done = 0; done < length;) {
      if (this.socket.destroyed || (this.rest.length === 0 && !(await this.receive()))) return undefined
      const part = this.rest.subarray(0, length - done)
      out.set(part, done)
      this.rest = this.rest.subarray(part.length)
      done += part.length
    }
    return out
  }

  /** Sends parts, and waits while the peer takes them more slowly; whether it is still there. */
  async send(parts: readonly Uint8Array[]): Promise<boolean> {
    const { socket } = this
    if (!socket.writable) return false
    socket.cork()
    for (const part of parts) if (part.length > 0) socket.write(part)
    socket.uncork()
    if (socket.writableNeedDrain)
      await new Promise<void>((resolve) => {
        const go = (): void => {
          socket.off('drain', go).off('close', go)
          resolve()
        }
        socket.on('drain', go).on('close', go)
      })
    return socket.writable
  }

  /** Ends the connection once the peer has what it was sent. */
  end(): void {
    this.socket.setTimeout(patience, () => this.socket.destroy()).end(() => this.socket.destroy())
  }

  private async receive(): Promise<boolean> {
    const next = await this.pieces.next().catch(() => undefined)
    if (next === undefined || next.done === true) return false
    this.rest = next.value
    return true
  }
}
