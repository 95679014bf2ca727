/** Comparing: every stored refcount against the references met; past the end of the file there are none. */
import type { Complaint } from '../../bytes/issue.js'
import { type Plan, readAt } from '../../bytes/plan.js'
import { Words } from '../../bytes/words.js'
import { blockEntries } from '../../format/geometry.js'
import { RefcountView } from '../../format/views.js'
import { pageSize, spilled } from './counts.js'
import { inconsistent, type Location } from './findings.js'
import type { RefcountTable } from './refcounts.js'
import type { CheckState } from './state.js'

/** Where the refcounts of `n` clusters are found. */
const refcountOf = ({ size }: CheckState, cluster: number, n = 1): Location => ({
  structure: 'refcount',
  at: cluster * size,
  size: n * size
})

/** References beyond what the width of a refcount holds: each one is a corruption. @see CHK-03 */
const overflow = (state: CheckState, cluster: number, references: number): void => {
  if (references <= state.max) return
  const where = refcountOf(state, cluster)
  const complaint = inconsistent('CHK-03', where, `${references} references`, `at most ${state.max}`)
  state.findings.add('corruption', complaint, references - state.max)
}

const mismatch = (state: CheckState, cluster: number, refcount: number, references: number): void => {
  const where = refcountOf(state, cluster)
  const found = `refcount ${state.refcounts.counts.exact(cluster)} for ${references} references`
  if (refcount < references)
    state.findings.add(
      'corruption',
      inconsistent('CHK-04', where, found, 'a refcount of as many as there are references')
    )
  else state.findings.add('leak', inconsistent('CHK-05', where, found, 'no more than there are references'))
}

const unreadable = (state: CheckState, cluster: number): void => {
  const complaint = inconsistent('CHK-06', refcountOf(state, cluster), 'a block that cannot be read', 'a refcount')
  state.findings.add('error', complaint)
}

/** Compares the refcount of one cluster with its references. Returns whether either is more than 0. */
const compareCluster = (state: CheckState, cluster: number, perBlock: number): boolean => {
  const all = state.references.get(cluster)
  overflow(state, cluster, all)
  if (state.refcounts.unreadable.has(Math.floor(cluster / perBlock))) {
    unreadable(state, cluster)
    return false
  }
  const references = Math.min(state.max, all)
  const refcount = state.refcounts.counts.get(cluster)
  if (refcount !== references) mismatch(state, cluster, refcount, references)
  return refcount > 0 || references > 0
}

/**
 * Compares every refcount with the references, for the clusters of the file and those past its end with a counted reference.
 * The result is one more than the highest cluster that has a refcount or references. @see CHK-05 and CHK-12
 */
export const compareRefcounts = (state: CheckState): number => {
  const {
    references: met,
    refcounts: { counts, unreadable }
  } = state
  const perBlock = blockEntries(state.g)
  const length = state.comparedClusters
  const plain = Math.min(state.max, spilled - 1)
  const allReadable = unreadable.size === 0
  let end = 1
  for (let first = 0; first < length; first += pageSize) {
    const refcounts = counts.page(first / pageSize)
    const references = met.page(first / pageSize)
    const size = Math.min(pageSize, length - first)
    if (allReadable && counts.agrees(met, first / pageSize, size)) {
      const last = references?.subarray(0, size).findLastIndex((n) => n !== 0) ?? -1
      if (last >= 0) end = first + last + 1
      continue
    }
    for (let i = 0; i < size; i++) {
      const refcount = refcounts?.[i] ?? 0
      const same = refcount === (references?.[i] ?? 0) && refcount <= plain && allReadable
      if (same ? refcount > 0 : compareCluster(state, first + i, perBlock)) end = first + i + 1
    }
  }
  return end
}

/** Notes clusters `from` to `to`, without the latter. */
const noteRun = (state: CheckState, from: number, to: number): void => {
  const where = refcountOf(state, from, to - from)
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
  const length = state.comparedClusters
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
