/** The negotiation of an NBD server with one export: the answer to each option, and what is agreed on after it. */
import { concat, empty, fromText, toText, viewOf } from '../bytes/octets.js'
import {
  exportSize,
  greeting,
  infoBlockSize,
  infoExport,
  infoText,
  type OptionHeader,
  optionReply,
  word
} from './messages.js'
import {
  exportFlags,
  handshakeFlags,
  infos,
  magics,
  maxOption,
  maxPayload,
  maxString,
  options,
  replies
} from './numbers.js'

/** What a client learns of the export. */
export interface ExportInfo {
  readonly name: string
  readonly description: string
  /** Bytes. */
  readonly size: number
  /** Its flags, but for that of structured reads. */
  readonly flags: number
  /** The names of its metadata contexts, whose ids are their places. */
  readonly contexts: readonly string[]
}

/** What the server and a client have agreed on. */
export interface Agreement {
  /** Whether the client knows errors of options, and more options than the name of an export. */
  readonly fixedNewstyle: boolean
  /** Whether the padding after the oldest option is left out. */
  readonly noZeroes: boolean
  /** Whether replies to reads are structured. */
  readonly structured: boolean
  /** The ids of the metadata contexts that are reported. */
  readonly contexts: readonly number[]
}

/** The answer to an option: what is sent, what is agreed on after it, and what comes next. */
export interface Answer {
  readonly reply: Uint8Array
  readonly agreed: Agreement
  readonly next: 'option' | 'requests' | 'close'
}

/** The server's first message. */
export const hello: Uint8Array = greeting.encode({
  magic: magics.greeting,
  optionMagic: magics.option,
  flags: handshakeFlags.fixedNewstyle | handshakeFlags.noZeroes
})

/** What is agreed on with a client of these flags; `undefined` if it has one that is not known. */
export const agreementOf = (flags: number): Agreement | undefined =>
  flags > (handshakeFlags.fixedNewstyle | handshakeFlags.noZeroes)
    ? undefined
    : {
        fixedNewstyle: (flags & handshakeFlags.fixedNewstyle) !== 0,
        noZeroes: (flags & handshakeFlags.noZeroes) !== 0,
        structured: false,
        contexts: []
      }

/** Whether the server goes on after the start of an option: it has the right magic, and data of a length that is taken. */
export const acceptsOption = ({ magic, option, length }: OptionHeader, { fixedNewstyle }: Agreement): boolean =>
  magic === magics.option && length <= maxOption && (fixedNewstyle || option === options.exportName)

/** Takes the data of an option apart; what is missing, or no text, makes all of it malformed. */
class Data {
  private at = 0
  private malformed = false

  constructor(private readonly bytes: Uint8Array) {}

  number(size: 2 | 4): number {
    const view = viewOf(this.take(size))
    if (this.malformed) return 0
    return size === 2 ? view.getUint16(0) : view.getUint32(0)
  }

  /** A text after its length. */
  text(): string {
    const length = this.number(4)
    const text = length > maxString ? undefined : toText(this.take(length))
    if (text === undefined) this.malformed = true
    return text ?? ''
  }

  /** Several of the same kind; none where the data are too short for so many. */
  list<A>(count: number, size: number, one: () => A): readonly A[] {
    if (count * size > this.bytes.length - this.at) this.malformed = true
    return this.malformed ? [] : Array.from({ length: count }, one)
  }

  /** Whether exactly these data were there. */
  get isWhole(): boolean {
    return !this.malformed && this.at === this.bytes.length
  }

  private take(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) this.malformed = true
    if (this.malformed) return empty
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

/** The flags of the export for a client. */
const flagsFor = ({ flags }: ExportInfo, { structured }: Agreement): number =>
  structured ? flags | exportFlags.sendDf : flags

const zeroes = new Uint8Array(124)

/** The answer to the oldest option, which has no errors. */
const exportName = (info: ExportInfo, agreed: Agreement, data: Uint8Array): Answer => {
  if (toText(data) !== info.name) return { reply: empty, agreed, next: 'close' }
  const size = exportSize.encode({ size: BigInt(info.size), flags: flagsFor(info, agreed) })
  return { reply: agreed.noZeroes ? size : concat([size, zeroes]), agreed, next: 'requests' }
}

/** One reply to an option. */
const replyTo = (option: number, type: number, data: Uint8Array = empty): Uint8Array =>
  optionReply.encode({ magic: magics.optionReply, option, type, length: data.length }, data)

/** A text after its length. */
const counted = (text: string): Uint8Array => {
  const bytes = fromText(text)
  return word.encode({ value: bytes.length }, bytes)
}

/** The information on the export for a client. The name and the description are sent only if it asks for them. */
const information = (info: ExportInfo, agreed: Agreement, asked: readonly number[]): readonly Uint8Array[] => [
  ...(asked.includes(infos.name) ? [infoText.encode({ type: infos.name }, fromText(info.name))] : []),
  ...(asked.includes(infos.description) && info.description !== ''
    ? [infoText.encode({ type: infos.description }, fromText(info.description))]
    : []),
  infoBlockSize.encode({ type: infos.blockSize, minimum: 1, preferred: 4096, maximum: maxPayload }),
  infoExport.encode({ type: infos.export, size: BigInt(info.size), flags: flagsFor(info, agreed) })
]

/** Replies, and what the agreement becomes. */
interface Outcome {
  readonly replies: readonly Uint8Array[]
  readonly agreed?: Partial<Agreement>
  readonly next?: Answer['next']
}

/** The answer to one option. */
type Handler = (option: number, data: Uint8Array, info: ExportInfo, agreed: Agreement) => Outcome

const refuse = (option: number, type: number, why: string): Outcome => ({
  replies: [replyTo(option, type, fromText(why))]
})

const infoOrGo: Handler = (option, bytes, info, agreed) => {
  const data = new Data(bytes)
  const name = data.text()
  const asked = data.list(data.number(2), 2, () => data.number(2))
  if (!data.isWhole) return refuse(option, replies.invalid, 'the data of the option are malformed')
  if (name !== info.name) return refuse(option, replies.unknown, `export '${name}' is not present`)
  return {
    replies: [
      ...information(info, agreed, asked).map((each) => replyTo(option, replies.info, each)),
      replyTo(option, replies.ack)
    ],
    ...(option === options.go ? { next: 'requests' } : {})
  }
}

/** Whether a query of a list asks for a context: by its name, by the start of it up to a colon, or by `base:` and `qemu:`. */
const listed = (query: string, context: string): boolean =>
  query === context || (query.endsWith(':') && context.startsWith(query))

const metaContext: Handler = (option, bytes, info, agreed) => {
  const isSet = option === options.setMetaContext
  const data = new Data(bytes)
  const name = data.text()
  const queries = data.list(data.number(4), 4, () => data.text())
  const none = isSet ? { agreed: { contexts: [] } } : {}
  if (!agreed.structured)
    return refuse(option, replies.invalid, 'metadata contexts need structured replies, which are not negotiated')
  if (!data.isWhole) return { ...refuse(option, replies.invalid, 'the data of the option are malformed'), ...none }
  if (name !== info.name) return { ...refuse(option, replies.unknown, `export '${name}' is not present`), ...none }
  const isAsked = (context: string): boolean =>
    isSet ? queries.includes(context) : queries.length === 0 || queries.some((query) => listed(query, context))
  const ids = info.contexts.flatMap((context, id) => (isAsked(context) ? [id] : []))
  return {
    replies: [
      ...ids.map((id) =>
        replyTo(option, replies.metaContext, word.encode({ value: id }, fromText(info.contexts[id] ?? '')))
      ),
      replyTo(option, replies.ack)
    ],
    ...(isSet ? { agreed: { contexts: ids } } : {})
  }
}

/** An answer to an option that has no data. */
const withoutData =
  (answer: Handler): Handler =>
  (option, data, ...rest) =>
    data.length > 0 ? refuse(option, replies.invalid, 'the option takes no data') : answer(option, data, ...rest)

const handlers: ReadonlyMap<number, Handler> = new Map<number, Handler>([
  [options.abort, (option) => ({ replies: [replyTo(option, replies.ack)], next: 'close' })],
  [
    options.list,
    withoutData((option, _, { name, description }) => ({
      replies: [
        replyTo(option, replies.server, concat([counted(name), fromText(description)])),
        replyTo(option, replies.ack)
      ]
    }))
  ],
  [options.info, infoOrGo],
  [options.go, infoOrGo],
  [
    options.structuredReply,
    withoutData((option) => ({ replies: [replyTo(option, replies.ack)], agreed: { structured: true } }))
  ],
  [options.listMetaContext, metaContext],
  [options.setMetaContext, metaContext]
])

const unsupported: Handler = (option) => refuse(option, replies.unsupported, `option ${option} is not supported`)

/** The answer to an option. @param data as many bytes as the start of the option says */
export const answerOption = (info: ExportInfo, agreed: Agreement, option: number, data: Uint8Array): Answer => {
  if (option === options.exportName) return exportName(info, agreed, data)
  const outcome = (handlers.get(option) ?? unsupported)(option, data, info, agreed)
  return {
    reply: concat(outcome.replies),
    agreed: { ...agreed, ...outcome.agreed },
    next: outcome.next ?? 'option'
  }
}
