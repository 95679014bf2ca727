/** The messages of the NBD protocol: a table of fields for each gives its decoder and its encoder. Integers are big-endian. */
import { type Leaf, u16, u32, u64 } from '../bytes/leaf.js'
import { Draft, valueAt } from '../bytes/object.js'
import { concat, viewOf } from '../bytes/octets.js'

/** The fields of a message, in order and without gaps. */
type Fields<A> = { readonly [K in keyof A]-?: Leaf<A[K]> }

/**
 * A message, or the part of one that has a fixed length.
 *
 * Laws: `decode(encode(a))` is `a`; `encode(decode(bytes))` is `bytes`, of which there are `size`.
 */
export interface Message<A> {
  /** Bytes. */
  readonly size: number
  /** The fields in the first `size` bytes, which are there. */
  decode(bytes: Uint8Array): A
  /** The bytes of the fields, with these after them. */
  encode(a: A, ...following: readonly Uint8Array[]): Uint8Array
}

interface Placed {
  readonly key: string
  readonly at: number
  readonly leaf: Leaf<unknown>
}

const place = (fields: Readonly<Record<string, Leaf<unknown>>>): readonly Placed[] => {
  let end = 0
  return Object.entries(fields).map(([key, leaf]) => {
    const at = end
    end += leaf.size
    return { key, at, leaf }
  })
}

const message = <A>(fields: Fields<A>): Message<A> => {
  const placed = place(fields)
  const size = placed.reduce((sum, { leaf }) => sum + leaf.size, 0)
  return {
    size,
    decode: (bytes) => {
      const [view, draft] = [viewOf(bytes), new Draft<A>()]
      for (const { key, at, leaf } of placed) draft.set(key, leaf.get(view, at))
      return draft.done()
    },
    encode: (a, ...following) => {
      const bytes = new Uint8Array(size)
      const view = viewOf(bytes)
      for (const { key, at, leaf } of placed) leaf.set(view, at, valueAt(a, key))
      return following.length === 0 ? bytes : concat([bytes, ...following])
    }
  }
}

/** The first message, from the server. */
export interface Greeting {
  readonly magic: bigint
  readonly optionMagic: bigint
  readonly flags: number
}
export const greeting: Message<Greeting> = message({ magic: u64, optionMagic: u64, flags: u16 })

/** The client's answer to the greeting. */
export interface ClientFlags {
  readonly flags: number
}
export const clientFlags: Message<ClientFlags> = message({ flags: u32 })

/** The start of an option; `length` bytes of data follow. */
export interface OptionHeader {
  readonly magic: bigint
  readonly option: number
  readonly length: number
}
export const optionHeader: Message<OptionHeader> = message({ magic: u64, option: u32, length: u32 })

/** The start of a reply to an option; `length` bytes of data follow. */
export interface OptionReply {
  readonly magic: bigint
  readonly option: number
  readonly type: number
  readonly length: number
}
export const optionReply: Message<OptionReply> = message({ magic: u64, option: u32, type: u32, length: u32 })

/** The type of information on an export, before a text. */
export interface InfoText {
  readonly type: number
}
export const infoText: Message<InfoText> = message({ type: u16 })

/** The size and the flags of an export. */
export interface ExportSize {
  readonly size: bigint
  readonly flags: number
}
export const exportSize: Message<ExportSize> = message({ size: u64, flags: u16 })

/** The same as information. */
export interface InfoExport extends ExportSize {
  readonly type: number
}
export const infoExport: Message<InfoExport> = message({ type: u16, size: u64, flags: u16 })

/** The limits of requests, in bytes. */
export interface InfoBlockSize {
  readonly type: number
  readonly minimum: number
  readonly preferred: number
  readonly maximum: number
}
export const infoBlockSize: Message<InfoBlockSize> = message({ type: u16, minimum: u32, preferred: u32, maximum: u32 })

/** A number of 32 bits: a length, a count, the id of a metadata context. */
export interface Word {
  readonly value: number
}
export const word: Message<Word> = message({ value: u32 })

/** A request; after that of a write its bytes follow. Offsets and lengths are bytes of the export. */
export interface Request {
  readonly magic: number
  readonly flags: number
  readonly type: number
  /** What the client knows its reply by. */
  readonly cookie: bigint
  readonly offset: bigint
  readonly length: number
}
export const request: Message<Request> = message({
  magic: u32,
  flags: u16,
  type: u16,
  cookie: u64,
  offset: u64,
  length: u32
})

/** A simple reply; after that to a successful read its bytes follow. */
export interface SimpleReply {
  readonly magic: number
  readonly error: number
  readonly cookie: bigint
}
export const simpleReply: Message<SimpleReply> = message({ magic: u32, error: u32, cookie: u64 })

/** The start of a chunk of a structured reply; `length` bytes follow. */
export interface Chunk {
  readonly magic: number
  readonly flags: number
  readonly type: number
  readonly cookie: bigint
  readonly length: number
}
export const chunk: Message<Chunk> = message({ magic: u32, flags: u16, type: u16, cookie: u64, length: u32 })

/** What begins a chunk of data. */
export interface DataStart {
  readonly offset: bigint
}
export const dataStart: Message<DataStart> = message({ offset: u64 })

/** A chunk of zeros. */
export interface Hole {
  readonly offset: bigint
  readonly length: number
}
export const hole: Message<Hole> = message({ offset: u64, length: u32 })

/** An extent of a metadata context, which begins where the one before it ends. */
export interface Extent {
  readonly length: number
  readonly state: number
}
export const extent: Message<Extent> = message({ length: u32, state: u32 })

/** What begins a chunk with an error; its message follows. */
export interface ErrorStart {
  readonly error: number
  /** Bytes of the message. */
  readonly length: number
}
export const errorStart: Message<ErrorStart> = message({ error: u32, length: u16 })
