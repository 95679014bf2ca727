/** The messages of the NBD protocol: a table of fields for each gives its decoder and its encoder. Integers are big-endian. */
import { type Leaf, u16, u32, u64 } from '../bytes/leaf.js'
import { Draft, valueAt } from '../bytes/object.js'
import { concat, viewOf } from '../bytes/octets.js'

/** The fields of a message, in order and without gaps. */
type Fields = Readonly<Record<string, Leaf<unknown>>>

/** The values of fields, by their names. */
type Values<F extends Fields> = { readonly [K in keyof F]: F[K] extends Leaf<infer A> ? A : never }

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

/** The values of a message, by the names of its fields. */
type ValuesOf<M> = M extends Message<infer A> ? A : never

interface Placed {
  readonly key: string
  readonly at: number
  readonly leaf: Leaf<unknown>
}

const place = (fields: Fields): readonly Placed[] => {
  let end = 0
  return Object.entries(fields).map(([key, leaf]) => {
    const at = end
    end += leaf.size
    return { key, at, leaf }
  })
}

const message = <F extends Fields>(fields: F): Message<Values<F>> => {
  const placed = place(fields)
  const size = placed.reduce((sum, { leaf }) => sum + leaf.size, 0)
  return {
    size,
    decode: (bytes) => {
      const [view, draft] = [viewOf(bytes), new Draft<Values<F>>()]
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
export const greeting = message({ magic: u64, optionMagic: u64, flags: u16 })

/** The client's answer to the greeting. */
export const clientFlags = message({ flags: u32 })

/** The start of an option; `length` bytes of data follow. */
export const optionHeader = message({ magic: u64, option: u32, length: u32 })
export type OptionHeader = ValuesOf<typeof optionHeader>

/** The start of a reply to an option; `length` bytes of data follow. */
export const optionReply = message({ magic: u64, option: u32, type: u32, length: u32 })

/** The type of information on an export, before a text. */
export const infoText = message({ type: u16 })

const exportFields = {
  /** Bytes. */
  size: u64,
  flags: u16
}

/** The size and the flags of an export. */
export const exportSize = message(exportFields)

/** The same as information. */
export const infoExport = message({ type: u16, ...exportFields })

/** The limits of requests, in bytes. */
export const infoBlockSize = message({ type: u16, minimum: u32, preferred: u32, maximum: u32 })

/** A number of 32 bits: a length, a count, the id of a metadata context. */
export const word = message({ value: u32 })

/** A request; after that of a write its bytes follow. Offsets and lengths are bytes of the export. */
export const request = message({
  magic: u32,
  flags: u16,
  type: u16,
  /** Identifies the request in its reply. */
  cookie: u64,
  offset: u64,
  length: u32
})
export type Request = ValuesOf<typeof request>

/** A simple reply; after that to a successful read its bytes follow. */
export const simpleReply = message({ magic: u32, error: u32, cookie: u64 })

/** The start of a chunk of a structured reply; `length` bytes follow. */
export const chunk = message({ magic: u32, flags: u16, type: u16, cookie: u64, length: u32 })

/** What begins a chunk of data. */
export const dataStart = message({ offset: u64 })

/** A chunk of zeros. */
export const hole = message({ offset: u64, length: u32 })

/** An extent of a metadata context, which begins where the one before it ends. */
export const extent = message({ length: u32, state: u32 })
export type Extent = ValuesOf<typeof extent>

/** What begins a chunk with an error; its message, of `length` bytes, follows. */
export const errorStart = message({ error: u32, length: u16 })
