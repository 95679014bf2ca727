/** Counting: the visitor that counts references as QEMU does, and finds what the tables break on the way. */
import type { Complaint } from '../../bytes/issue.js'
import { hex } from '../../bytes/octets.js'
import type { Halves } from '../../bytes/words.js'
import { l1Faults, l1Rules } from '../../format/l1.js'
import { l1Copied } from './copied.js'
import { inconsistent, type LazyIssue, lazily, severityOf } from './findings.js'
import { checkEntries } from './l2-entries.js'
import type { L2Table } from './l2-table.js'
import type { CheckState } from './state.js'
import { clustersWithin, type L1Slot, reachesPastEnd, type Reference, type Visitor } from './visitor.js'

/** The first and the last cluster of a range. */
const span = (state: CheckState, { at, size }: Reference): readonly [number, number] => [
  Math.floor(at / state.size),
  Math.floor((at + size - 1) / state.size)
]

/** A reference that is not counted. @see CHK-02 */
const pastEnd = ({ fileLength }: CheckState, { structure, at, size }: Reference): LazyIssue => ({
  clause: 'CHK-02',
  render: () => {
    const found = `${size} bytes, a cluster or more past the end at ${fileLength}`
    return inconsistent('CHK-02', { structure, at, size }, found, 'a place in the file')
  }
})

/** Counts references to every cluster of a host range, if it is in the file. Returns whether it is. @see CHK-02, L2-08 and REF-01 */
const count = (state: CheckState, r: Reference, times: number): boolean => {
  if (reachesPastEnd(r, state.fileLength, state.size)) {
    state.findings.add('corruption', pastEnd(state, r), times, r.guest)
    const within = clustersWithin(r, state.fileLength, state.size)
    if (within > 0) state.uncounted.add(Math.floor(r.at / state.size), within, times)
    return false
  }
  const [first, last] = span(state, r)
  state.references.add(first, last + 1 - first, times)
  return true
}

/** Adds a note for a structure that reaches past the end of the file; its cluster is sound. @see GEN-03 */
const noteCut = ({ end, findings }: CheckState, { structure, at, size, guest }: Reference): void => {
  if (at + size <= end) return
  const render = (): Complaint => {
    const found = `${Math.max(0, end - at)} of its ${size} bytes before the end of the file`
    return inconsistent('GEN-03', { structure, at, size }, found, 'all of them; what is missing reads as zeros')
  }
  findings.add('note', { clause: 'GEN-03', render }, 1, guest)
}

/** Structures whose entries name clusters to refer to. */
const naming: ReadonlySet<string> = new Set(['L1 table', 'L2 table', 'bitmap table'])

/** Of a table that ends past the end of the file, the entries there are not known. @see CHK-15 */
const noteUnread = (state: CheckState, { structure, at, size }: Reference): void => {
  if (at + size > state.end && naming.has(structure)) state.knowsAll = false
}

const claim = (state: CheckState, r: Reference): void => {
  noteUnread(state, r)
  if (!count(state, r, 1)) return
  state.ownership.claim(...span(state, r))
  noteCut(state, r)
}

/** Checks an L1 entry by itself, whether anything may map there, and its copied flag. @see L1-01, L1-05 and SNAP-12 */
const checkL1Entry = (state: CheckState, { tree, view, index, guest }: L1Slot, faults: Halves): void => {
  const { findings, g } = state
  const at = tree.at + 8 * index
  if (view.hasAny(index, faults)) {
    const entry = view.entry(index)
    for (const rule of l1Rules.brokenBy(entry, g))
      findings.add(severityOf(rule), lazily(l1Rules, rule, entry, g, at), 1, guest)
  }
  const l2 = view.l2TableOffset(index)
  if (l2 !== 0 && index >= tree.reach) {
    const where = { structure: 'L1 table entry', field: 'l2_table_offset', at, size: 8 }
    const expected = 'none past the disk and the VM state'
    const render = (): Complaint => inconsistent('SNAP-12', where, `an L2 table at ${hex(l2)}`, expected)
    findings.add('note', { clause: 'SNAP-12', render }, 1, guest)
  }
}

/** A refcount block: it is in the file, and its table entry alone refers to it. @see CHK-04 */
const checkBlock = (state: CheckState, r: Reference): void => {
  const bad = (found: string, expected: string): void => {
    const where = { structure: 'refcount table entry', at: r.entry ?? 0, size: 8 }
    state.findings.add('corruption', inconsistent('CHK-04', where, found, expected))
  }
  const cluster = r.at / state.size
  if (cluster >= state.comparedClusters) {
    bad(`${hex(r.at)}, outside the file`, 'a block in the file')
    return
  }
  claim(state, r)
  const times = Math.min(state.max, state.references.get(cluster))
  if (times === 1) return
  state.sharedBlock = true
  bad(`a block that is used ${times} times`, 'a block of its own')
}

/** A visitor that counts references into a check's state, and adds to its findings. */
export const counting = (state: CheckState): Visitor => {
  const faults = l1Faults(state.g.clusterBits)
  const refer = (r: Reference, times: number): void => {
    noteUnread(state, r)
    if (count(state, r, times) && r.structure === 'compressed cluster') state.ownership.pack(...span(state, r), times)
  }
  return {
    claim: (r) => {
      claim(state, r)
    },
    refer,
    l1Entry: (slot) => {
      checkL1Entry(state, slot, faults)
      l1Copied(state, slot)
    },
    l2Table: (t: L2Table) => {
      checkEntries(state, refer, t)
      if (state.ownership.shared) state.ownership.holdAll(t, state.fileLength / state.size)
      const guest = { at: t.use.guest, size: t.use.guestSize }
      noteCut(state, { structure: 'L2 table', at: t.at, size: state.size, guest })
    },
    refcountBlock: (r) => {
      checkBlock(state, r)
    },
    find: (severity, complaint) => {
      state.findings.add(severity, complaint)
    },
    skip: () => {
      state.knowsAll = false
    }
  }
}
