/** Counts past the end: refcounts of clusters that neither the file has nor anything refers to. */
import type { Complaint } from '../../bytes/issue.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { Words } from '../../bytes/words.js'
import { blockEntries } from '../../format/geometry.js'
import { RefcountView } from '../../format/views.js'
import { inconsistent } from './findings.js'
import type { RefcountTable } from './refcounts.js'
import type { CheckState } from './state.js'

/** Notes clusters `from` to `to`, without the latter. */
const noteRun = (state: CheckState, from: number, to: number): void => {
  const where = { structure: 'refcount', at: from * state.size, size: (to - from) * state.size }
  const render = (): Complaint => inconsistent('CHK-05', where, 'refcounts past the end of the file', 'none there')
  state.findings.add('note', { clause: 'CHK-05', render })
}

/** The runs of counts that are not 0 in a block, from count `start` on: where each begins and ends. Words of zeros are skipped. */
function* runs(bytes: Uint8Array, order: number, start: number): Generator<readonly [number, number]> {
  const [view, words] = [new RefcountView(bytes, order), new Words(bytes)]
  const inWord = 64 / 2 ** order
  let from = -1
  for (let w = Math.floor(start / inWord); w < words.length; w++) {
    if (from < 0 && words.hi(w) === 0 && words.lo(w) === 0) continue
    for (let n = Math.max(start, w * inWord); n < (w + 1) * inWord; n++) {
      const counted = view.count(n) !== 0
      if (counted && from < 0) from = n
      if (counted || from < 0) continue
      yield [from, n]
      from = -1
    }
  }
  if (from >= 0) yield [from, view.length]
}

/**
 * Notes the runs of clusters past the end that have counts. QEMU compares none of them, so that their space is lost without
 * a leak being seen. @see CHK-05
 */
export function* refcountsPastEnd(state: CheckState, table: RefcountTable): Plan<void> {
  const perBlock = blockEntries(state.g)
  const length = Math.max(Math.ceil(state.fileLength / state.size), state.references.length)
  const read = new Set<number>()
  for (let i = Math.floor(length / perBlock); i < table.view.length; i++) {
    const block = table.view.refcountBlockOffset(i)
    if (block === 0 || block % state.size !== 0 || block >= state.fileLength || read.has(block)) continue
    read.add(block)
    const first = i * perBlock
    for (const [from, to] of runs(yield* readAt(block, state.size), state.g.refcountOrder, Math.max(0, length - first)))
      noteRun(state, first + from, first + to)
  }
}
