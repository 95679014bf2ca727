/** Comparing: every stored refcount against the references met. */
import { blockEntries } from '../../format/geometry.js'
import { pageSize, spilled } from './counts.js'
import { inconsistent, type Location } from './findings.js'
import type { CheckState } from './state.js'

const refcountOf = (state: CheckState, cluster: number): Location => ({
  structure: 'refcount',
  at: cluster * state.size,
  size: state.size
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
  const found = `refcount ${refcount} for ${references} references`
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
 * Compares every refcount with the references, for the clusters of the file and those referenced past its end.
 * The result is one more than the highest cluster that has a refcount or references. @see CHK-05 and CHK-12
 */
export const compareRefcounts = (state: CheckState): number => {
  const {
    references: met,
    refcounts: { counts, unreadable }
  } = state
  const perBlock = blockEntries(state.g)
  const length = Math.max(Math.ceil(state.fileLength / state.size), met.length)
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
