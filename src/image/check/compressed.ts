/** Compressed clusters, decoded one by one: the deep check. */
import * as E from 'fp-ts/lib/Either.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { decodeCluster, type Decompressor, type Undecoded } from '../../compression/decompress.js'
import { type DeflateFacts, deflateFacts } from '../../compression/deflate-facts.js'
import { clusterKind } from '../../format/views.js'
import { inconsistent } from './findings.js'
import { eachTable, guestOf, type L2Table, type Uses } from './l2-table.js'
import type { CheckState } from './state.js'

/** The window that QEMU deflates with, in bytes. @see CMP-08 */
const window = 4096
/** Payloads that are remembered, so that trees which share them do not have them decoded twice. */
const mostSeen = 2 ** 20

/** What a deflate stream that was decoded shows beyond its bytes. @see CMP-08 */
const remark = ({ distance, length }: DeflateFacts, size: number): string | undefined => {
  if (distance > window) return `a match that reaches ${distance} bytes back, beyond a window of ${window}`
  return length > size ? 'a deflate stream of more than a cluster' : undefined
}

/** Why a deflate stream was not decoded, `reason` being that of the decoder. */
const failure = ({ finished, length }: DeflateFacts, size: number, reason: string): string => {
  if (finished || length > size) return reason
  return length === size
    ? 'a deflate stream without a final block'
    : `a deflate stream that breaks after ${length} bytes`
}

/** One payload: whether it yields a cluster. */
const judge = (
  state: CheckState,
  t: L2Table,
  i: number,
  at: number,
  payload: Uint8Array,
  type: number,
  decompressor: Decompressor
): void => {
  const where = { structure: 'compressed cluster', at, size: payload.length }
  const find = (severity: 'flaw' | 'note', clause: 'CMP-08' | Undecoded['clause'], found: string, expected: string) => {
    state.findings.add(severity, inconsistent(clause, where, found, expected), 1, guestOf(t, i))
  }
  const done = decodeCluster(decompressor, type, payload, state.size)
  const facts = type === 1 ? undefined : deflateFacts(payload, state.size)
  if (E.isLeft(done)) {
    const { clause, found, expected } = done.left
    find('flaw', clause, facts === undefined ? found : failure(facts, state.size, found), expected)
    return
  }
  const odd = facts === undefined ? undefined : remark(facts, state.size)
  if (odd !== undefined) find('note', 'CMP-08', odd, 'what any reader takes')
}

/**
 * Reads and decodes every compressed cluster of an image, one at a time, each payload once. `type` is the compression type
 * of the header. The time is in proportion to the guest bytes that are compressed.
 *
 * @see CMP-09 and CMP-10
 */
export function* compressedFindings(
  state: CheckState,
  uses: Uses,
  type: number,
  decompressor: Decompressor
): Plan<void> {
  if (state.g.externalDataFile) return
  const seen = new Set<number>()
  yield* eachTable(uses, state.g, state.fileLength, function* (t) {
    const { view } = t
    for (let i = 0; i < view.length; i++) {
      const at = view.hostOffset(i)
      if (view.kind(i) !== clusterKind.Compressed || at >= state.fileLength || seen.has(at)) continue
      if (seen.size < mostSeen) seen.add(at)
      judge(state, t, i, at, yield* readAt(at, view.availableBytes(i)), type, decompressor)
    }
  })
}
