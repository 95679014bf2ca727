/** A client of NBD that sends whatever a test wants, written from the protocol's text and not from src/nbd. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

const [optionMagic, requestMagic] = [0x49484156454f5054n, 0x25609513]

/** A connection. */
export class Client {
  private received = Buffer.alloc(0)
  private ended = false
  private wake: () => void = () => undefined

  private constructor(readonly socket: Socket) {
    const end = (): void => {
      this.ended = true
      this.wake()
    }
    socket.on('error', end).on('close', end).on('end', end)
    socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, Buffer.from(bytes)])
      this.wake()
    })
  }

  static async open(path: string): Promise<Client> {
    const socket = connect({ path, allowHalfOpen: false })
    await once(socket, 'connect')
    return new Client(socket)
  }

  /** The next bytes; fewer where the server ends the connection. */
  async take(length: number): Promise<Buffer> {
    while (this.received.length < length && !this.ended)
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    const out = this.received.subarray(0, length)
    this.received = this.received.subarray(length)
    return out
  }

  /** Whether the server ends the connection, and sends no more. */
  async isClosed(): Promise<boolean> {
    return (await this.take(1)).length === 0
  }

  /** Whether bytes have come that are not taken. */
  get hasMore(): boolean {
    return this.received.length > 0
  }

  /** Takes the greeting, and sends the flags of a client. */
  async greet(flags = 3): Promise<void> {
    await this.take(18)
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(flags)
    this.socket.write(bytes)
  }

  /** Sends an option, with a length of data that need not be true. */
  option(number: number, data: Buffer = Buffer.alloc(0), length = data.length, magic = optionMagic): void {
    const start = Buffer.alloc(16)
    start.writeBigUInt64BE(magic)
    start.writeUInt32BE(number, 8)
    start.writeUInt32BE(length, 12)
    this.socket.write(Buffer.concat([start, data]))
  }

  /** The type of the next reply to an option; -1 where the connection ends. */
  async optionReply(): Promise<number> {
    const start = await this.take(20)
    if (start.length < 20) return -1
    await this.take(start.readUInt32BE(16))
    return start.readUInt32BE(12)
  }

  /** Negotiates by the oldest option. */
  async enter(): Promise<this> {
    await this.greet()
    this.option(1)
    await this.take(10)
    return this
  }

  request(type: number, offset: number | bigint, length: number, payload: Buffer = Buffer.alloc(0), flags = 0): void {
    const start = Buffer.alloc(28)
    start.writeUInt32BE(requestMagic)
    start.writeUInt16BE(flags, 4)
    start.writeUInt16BE(type, 6)
    start.writeBigUInt64BE(BigInt(offset), 16)
    start.writeUInt32BE(length, 24)
    this.socket.write(payload.length === 0 ? start : Buffer.concat([start, payload]))
  }

  /** The error of the next simple reply; -1 where the connection ends. */
  async reply(): Promise<number> {
    const start = await this.take(16)
    return start.length < 16 ? -1 : start.readUInt32BE(4)
  }

  /** Sends a request; the error of its reply. */
  async ask(type: number, offset: number | bigint, length: number, payload?: Buffer, flags?: number): Promise<number> {
    this.request(type, offset, length, payload, flags)
    return this.reply()
  }

  leave(): void {
    this.socket.destroy()
  }
}
