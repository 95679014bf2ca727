/** A connection: the negotiation with a client, and then its requests, one after the other. */
import * as E from 'fp-ts/lib/Either.js'
import { clientFlags, optionHeader, type Request, request } from '../../nbd/messages.js'
import {
  acceptsOption,
  type Agreement,
  agreementOf,
  answerOption,
  type ExportInfo,
  hello
} from '../../nbd/negotiation.js'
import { errors, requestFlags, requests } from '../../nbd/numbers.js'
import { asOne, errorReply, type Parts, readReply, statusReply, successReply } from '../../nbd/replies.js'
import { isLost, payloadOf, refusalOf } from '../../nbd/requests.js'
import { type Cause, type CommandError, either, get, isError, showCause } from '../command-error.js'
import type { Export } from './export.js'
import type { Peer } from './peer.js'

/** Negotiates with a client; `undefined` where it leaves, or does not keep to the protocol. */
export const negotiate = async (peer: Peer, info: ExportInfo): Promise<Agreement | undefined> => {
  await peer.send([hello])
  const flags = await peer.take(clientFlags.size)
  let agreed = flags === undefined ? undefined : agreementOf(clientFlags.decode(flags).flags)
  while (agreed !== undefined) {
    const start = await peer.take(optionHeader.size)
    if (start === undefined) return undefined
    const header = optionHeader.decode(start)
    if (!acceptsOption(header, agreed)) return undefined
    const data = await peer.take(header.length)
    if (data === undefined) return undefined
    const answer = answerOption(info, agreed, header.option, data)
    const isThere = await peer.send([answer.reply])
    if (!isThere || answer.next === 'close') return undefined
    if (answer.next === 'requests') return answer.agreed
    agreed = answer.agreed
  }
  return undefined
}

/** The reply to a request, and the error that ends the server. */
interface Carried {
  readonly reply: Parts
  readonly fatal?: CommandError
}

/** The reply to a request whose range lies within the export; why it could not be carried out. */
const replyTo = either(function* (
  exported: Export,
  agreed: Agreement,
  r: Request,
  payload: Uint8Array
): Generator<E.Left<Cause>, Parts> {
  const { cookie, length } = r
  const has = (flag: number): boolean => (r.flags & flag) !== 0
  const at = Number(r.offset)
  switch (r.type) {
    case requests.read: {
      const ranges = yield* get(exported.read(at, length))
      return readReply(cookie, has(requestFlags.df) ? asOne(ranges) : ranges, agreed.structured)
    }
    case requests.blockStatus: {
      const contexts = []
      for (const id of agreed.contexts)
        contexts.push({ id, extents: yield* get(exported.status(id, at, length, has(requestFlags.reqOne))) })
      return statusReply(cookie, contexts)
    }
    case requests.write:
      yield* get(exported.write(at, payload))
      break
    case requests.trim:
      yield* get(exported.trim(at, length))
      break
    case requests.writeZeroes: {
      const zeros = { at, length, unmap: !has(requestFlags.noHole) }
      if (has(requestFlags.fastZero) && !exported.zeroesFast(zeros))
        return errorReply(
          cookie,
          { error: errors.notsup, message: 'zeros would be written as data' },
          agreed.structured
        )
      yield* get(exported.writeZeroes(zeros))
      break
    }
    case requests.flush:
      yield* get(exported.flush())
      break
    // What is asked to be cached is left to the system.
    case requests.cache:
    default:
  }
  if (has(requestFlags.fua)) yield* get(exported.flush())
  return successReply(cookie)
})

/** Carries out a request. What the system refuses to write ends the server: what follows would not be in the file either. */
const carryOut = (exported: Export, agreed: Agreement, r: Request, payload: Uint8Array): Carried => {
  const { structured } = agreed
  const refusal = refusalOf(r, exported.info, agreed)
  if (refusal !== undefined) return { reply: errorReply(r.cookie, refusal, structured) }
  const done = replyTo(exported, agreed, r, payload)
  if (E.isRight(done)) return { reply: done.right }
  const reply = errorReply(r.cookie, { error: errors.io, message: showCause(done.left) }, structured)
  const reads = r.type === requests.read || r.type === requests.blockStatus
  return isError(done.left) && !reads ? { reply, fatal: done.left } : { reply }
}

/** Most milliseconds for which nothing else of the process is looked at. */
const longest = 50

/** Carries out the requests of a client until it leaves; fails with what ends the server. */
export const carryOutRequests = async (
  peer: Peer,
  exported: Export,
  agreed: Agreement
): Promise<E.Either<CommandError, void>> => {
  for (let last = performance.now(); ;) {
    const start = await peer.take(request.size)
    if (start === undefined) break
    const r = request.decode(start)
    if (r.type === requests.disconnect) break
    if (isLost(r)) {
      await peer.send(
        errorReply(r.cookie, { error: errors.inval, message: 'the request is malformed' }, agreed.structured)
      )
      break
    }
    const payload = await peer.take(payloadOf(r))
    if (payload === undefined) break
    const { reply, fatal } = carryOut(exported, agreed, r, payload)
    const isThere = await peer.send(reply)
    if (fatal !== undefined) return E.left(fatal)
    if (!isThere) break
    if (performance.now() - last < longest) continue
    await new Promise(setImmediate)
    last = performance.now()
  }
  return exported.flush()
}
