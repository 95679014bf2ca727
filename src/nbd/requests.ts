/** The requests of NBD: which of them a server carries out, and the error of every other one. */
import type { Agreement, ExportInfo } from './negotiation.js'
import type { Request } from './messages.js'
import { inexact, isExactRange } from '../bytes/exact.js'
import { errors, exportFlags, magics, maxPayload, requestFlags, requests } from './numbers.js'

/** What a type of requests takes. */
interface RequestType {
  /** Its flags, beside FUA. */
  readonly flags: number
  /** Whether it changes the export. */
  readonly changes: boolean
  /** Whether its bytes, or those of its reply, are in memory all at once. */
  readonly buffered: boolean
  /** The error of a range past the end. */
  readonly pastEnd: number
}

const { inval, nospc, perm } = errors

/** The types that have a reply. */
const types: ReadonlyMap<number, RequestType> = new Map([
  [requests.read, { flags: requestFlags.df, changes: false, buffered: true, pastEnd: inval }],
  [requests.write, { flags: 0, changes: true, buffered: true, pastEnd: nospc }],
  [requests.flush, { flags: 0, changes: false, buffered: false, pastEnd: inval }],
  [requests.trim, { flags: 0, changes: true, buffered: false, pastEnd: inval }],
  [requests.cache, { flags: 0, changes: false, buffered: false, pastEnd: inval }],
  [
    requests.writeZeroes,
    { flags: requestFlags.noHole | requestFlags.fastZero, changes: true, buffered: false, pastEnd: nospc }
  ],
  [requests.blockStatus, { flags: requestFlags.reqOne, changes: false, buffered: false, pastEnd: inval }]
])

/** Why a request is refused. */
export interface Refusal {
  readonly error: number
  readonly message: string
}

/** Bytes that follow a request. */
export const payloadOf = ({ type, length }: Request): number => (type === requests.write ? length : 0)

/** Whether a client says what no server can go on after: another magic, or more bytes to write than are taken. */
export const isLost = (r: Request): boolean => r.magic !== magics.request || payloadOf(r) > maxPayload

/** Why a request is refused, if it is. Law: the range of one that is not refused lies within the export. */
export const refusalOf = (r: Request, info: ExportInfo, agreed: Agreement): Refusal | undefined => {
  const type = types.get(r.type)
  if (type === undefined) return { error: inval, message: `requests of type ${r.type} are not supported` }
  const { flags, changes, buffered, pastEnd } = type
  const known = requestFlags.fua | (agreed.structured ? flags : flags & ~requestFlags.df)
  const isStatus = r.type === requests.blockStatus
  const rules: readonly (readonly [isBroken: boolean, error: number, message: string])[] = [
    [changes && (info.flags & exportFlags.readOnly) !== 0, perm, 'the export is read-only'],
    [(r.flags & ~known) !== 0, inval, `the flags ${r.flags} are not those of a request of type ${r.type}`],
    [buffered && r.length > maxPayload, inval, `${r.length} bytes are more than ${maxPayload}`],
    [
      r.type !== requests.flush && r.offset + BigInt(r.length) > BigInt(info.size),
      pastEnd,
      `${r.length} bytes at ${r.offset} reach past the end of the export at ${info.size}`
    ],
    [
      r.type !== requests.flush && !isExactRange(r.offset, r.length),
      inval,
      inexact(`${r.length} bytes at ${r.offset}`)
    ],
    [isStatus && r.length === 0, inval, 'the status of no bytes is asked for'],
    [isStatus && agreed.contexts.length === 0, inval, 'no metadata context is negotiated']
  ]
  const broken = rules.find(([isBroken]) => isBroken)
  return broken === undefined ? undefined : { error: broken[1], message: broken[2] }
}
