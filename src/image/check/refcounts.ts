/** Checking the refcounts: blocks read, blocks counted, and every count held against the references found. */
import { Memory, type Plan, readAt, readInto } from '../../bytes/plan.js'
import { blockEntries } from '../../format/geometry.js'
import * as limits from '../../format/limits.js'
import { RefcountTableView, RefcountView } from '../../format/views.js'
import { type CheckState, inconsistent, type Spot } from './state.js'
import { pieceSize, spilled } from './counts.js'
import { neighbours } from '../neighbours.js'

/** The refcount table as the header places it; it is a table of zeros past the end of the file. */
export interface BlockTable {
  readonly at: number
  readonly view: RefcountTableView
}

/** Where the host bytes end that QEMU can read. */
const maxReadable = Number(limits.maxReadable)

/** Reads the refcount table of an image whose header numbers are within bounds. */
export function* readBlockTable(at: number, clusters: number, state: CheckState): Plan<BlockTable> {
  const size = Math.min(clusters * state.size, limits.maxRefcountTable)
  const there = Math.max(0, Math.min(size, Math.ceil((state.fileLength - at) / 8) * 8))
  return { at, view: new RefcountTableView(there === 0 ? new Uint8Array(0) : yield* readAt(at, there)) }
}

/** Most blocks of clusters far behind the end of the file that are kept, in bytes. */
const mostFar = 2 ** 26

/** Keeps a block of clusters that are not in the file, for the entries that lead there all the same; each block once. */
function* loadFar(state: CheckState, i: number, block: number, seen: Map<number, RefcountView>): Plan<void> {
  if (!seen.has(block) && seen.size * state.size < mostFar)
    seen.set(block, new RefcountView(yield* readAt(block, state.size), state.g.refcountOrder))
  const view = seen.get(block)
  if (view === undefined) state.unreadable.add(i)
  else state.far.set(i, view)
}

/** Reads every block that can be read, as far as the file goes. @see REF-03 */
export function* loadRefcounts(state: CheckState, table: BlockTable): Plan<void> {
  const perBlock = blockEntries(state.g)
  const offsetAt = (i: number): number => table.view.refcountBlockOffset(i)
  const near = Math.min(table.view.length, Math.ceil((state.fileLength / state.size + 1) / perBlock))
  const memory = new Memory()
  const seen = new Map<number, RefcountView>()
  for (let i = 0, n = 1; i < table.view.length; i += n) {
    const block = offsetAt(i)
    n = 1
    if (block % state.size !== 0 || block >= maxReadable) state.unreadable.add(i)
    else if (block !== 0 && block < state.fileLength && i >= near) yield* loadFar(state, i, block, seen)
    else if (block !== 0 && block < state.fileLength) {
      n = neighbours(offsetAt, i, near, state.size)
      const counts = new RefcountView(yield* readInto(memory, block, n * state.size), state.g.refcountOrder)
      state.refcounts.load(i * perBlock, counts)
    }
  }
}

/** Counts the refcount blocks themselves. A block is used once, by its table entry. @see CHK-01 */
export const countBlocks = (state: CheckState, table: BlockTable): void => {
  const fileClusters = Math.ceil(state.fileLength / state.size)
  for (let i = 0; i < table.view.length; i++) {
    const spot = table.at + 8 * i
    const block = table.view.refcountBlockOffset(i)
    const bad = (clause: 'REF-04' | 'CHK-04', found: string, expected: string): void => {
      state.find(
        'corruption',
        inconsistent(clause, { structure: 'refcount table entry', at: spot, size: 8 }, found, expected)
      )
    }
    if ((table.view.words.lo(i) & 0x1ff) !== 0) bad('REF-04', 'reserved bits set', 'reserved bits zero')
    else if (block % state.size !== 0) bad('REF-04', `0x${block.toString(16)}`, 'a multiple of the cluster size')
    else if (block / state.size >= Math.max(fileClusters, state.references.length))
      bad('CHK-04', `0x${block.toString(16)}, outside the file`, 'a block in the file')
    else if (block !== 0) {
      state.claim('refcount block', block, state.size, { entry: spot })
      const count = Math.min(state.max, state.references.get(block / state.size))
      if (count !== 1) bad('CHK-04', `a block that is used ${count} times`, 'a block of its own')
    }
  }
}

const refcountOf = (state: CheckState, cluster: number): Spot => ({
  structure: 'refcount',
  at: cluster * state.size,
  size: state.size
})

/** References beyond what the width of a refcount holds: each one is a corruption. @see CHK-03 */
const overflow = (state: CheckState, cluster: number, references: number): void => {
  if (references <= state.max) return
  const where = refcountOf(state, cluster)
  const complaint = inconsistent('CHK-03', where, `${references} references`, `at most ${state.max}`)
  state.find('corruption', complaint, references - state.max)
}

const mismatch = (state: CheckState, cluster: number, refcount: number, references: number): void => {
  const where = refcountOf(state, cluster)
  const found = `refcount ${refcount} for ${references} references`
  if (refcount < references)
    state.find('corruption', inconsistent('CHK-04', where, found, 'a refcount of as many as there are references'))
  else state.find('leak', inconsistent('CHK-05', where, found, 'no more than there are references'))
}

const unreadable = (state: CheckState, cluster: number): void => {
  state.find('error', inconsistent('CHK-06', refcountOf(state, cluster), 'a block that cannot be read', 'a refcount'))
}

/** What is said of one cluster; tells whether it has a count. */
const compareCluster = (state: CheckState, cluster: number, perBlock: number): boolean => {
  const all = state.references.get(cluster)
  overflow(state, cluster, all)
  if (state.unreadable.has(Math.floor(cluster / perBlock))) {
    unreadable(state, cluster)
    return false
  }
  const references = Math.min(state.max, all)
  const refcount = state.refcounts.get(cluster)
  if (refcount !== references) mismatch(state, cluster, refcount, references)
  return refcount > 0 || references > 0
}

/**
 * Holds every refcount against the references found, for the clusters of the file and those referenced behind it.
 * The result is one more than the highest cluster with a count. @see CHK-05 and CHK-12
 */
export const compareRefcounts = (state: CheckState): number => {
  const perBlock = blockEntries(state.g)
  const length = Math.max(Math.ceil(state.fileLength / state.size), state.references.length)
  const plain = Math.min(state.max, spilled - 1)
  const allReadable = state.unreadable.size === 0
  let end = 1
  for (let first = 0; first < length; first += pieceSize) {
    const refcounts = state.refcounts.piece(first / pieceSize)
    const references = state.references.piece(first / pieceSize)
    const size = Math.min(pieceSize, length - first)
    if (allReadable && state.refcounts.agrees(state.references, first / pieceSize, size)) {
      const last = references?.subarray(0, size).findLastIndex((count) => count !== 0) ?? -1
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
