/** Lost L2 tables: leaked clusters that hold the entries of an L2 table, which no L1 entry names any more. */
import { type Plan, readAt } from '../../bytes/plan.js'
import { l2Entries } from '../../format/geometry.js'
import { l2Rules, l2Sound } from '../../format/l2-rules.js'
import { L2View } from '../../format/views.js'
import { inconsistent } from './findings.js'
import type { L2Table } from './l2-table.js'
import { referenceOf } from './references.js'
import type { CheckState } from './state.js'
import type { Reference } from './visitor.js'

/** Bytes of a leaked cluster that are read at a time. */
const chunk = 4096

/** Bytes of leaked clusters, each of whole chunks, after which a check reads no other one. */
const mostRead = 2 ** 26

const unused = { active: 0, all: 0, guest: 0, guestSize: 0, elsewhere: false }

/** Whether each cluster of a host range has a higher refcount than references. */
const isLeaked = ({ references, refcounts, size }: CheckState, r: Reference): boolean => {
  for (let c = Math.floor(r.at / size); c * size < r.at + r.size; c++)
    if (refcounts.counts.get(c) <= references.get(c)) return false
  return true
}

/**
 * How many entries of a part of a table name leaked clusters; `undefined` where one is damaged, or names anything else.
 * COPIED flags distinguish an L2 table from a bitmap table.
 */
const namesIn = (state: CheckState, t: L2Table): number | undefined => {
  let names = 0
  for (let i = 0; i < t.view.length; i++) {
    if (t.view.isZero(i)) continue
    if (!t.isSound(t.view, i) && !l2Rules.allows(t.view.entry(i), t.g)) return undefined
    const r = referenceOf(t, i)
    if (r === undefined) continue
    if (!isLeaked(state, r)) return undefined
    if (t.view.isPlaced(i) && t.view.copied(i) !== (state.refcounts.at(r.at) === 1)) return undefined
    names++
  }
  return names
}

/** The leaked clusters in the file that nothing refers to. */
function* unreferenced({ references, refcounts, size, fileLength }: CheckState): Generator<number> {
  for (const { cluster, n } of refcounts.counts.runs())
    for (let c = cluster; c < cluster + n && (c + 1) * size <= fileLength; c++) if (references.get(c) === 0) yield c
}

/**
 * Notes leaked clusters that look like an L2 table: all their entries are sound, and those that name clusters name leaked
 * ones. A repair would free them all. Begins no table after 64 MiB of reads, and reads nothing
 * where there is no leak.
 *
 * @see CHK-17
 */
export function* lostTables(state: CheckState): Plan<void> {
  const { g, size, findings } = state
  if (findings.totals.leaks === 0 || g.externalDataFile) return
  const isSound = l2Sound(g)
  let read = 0
  for (const c of unreferenced(state)) {
    if (read >= mostRead) return
    const at = c * size
    let names: number | undefined = 0
    for (let done = 0; done < size && names !== undefined; done += chunk) {
      const view = new L2View(yield* readAt(at + done, Math.min(chunk, size)), g)
      read += chunk
      const more = namesIn(state, { g, size, view, at: at + done, use: unused, isSound })
      names = more === undefined ? undefined : names + more
    }
    if (names === undefined || names === 0) continue
    const found = `${names} of ${l2Entries(g)} entries naming leaked clusters, in a leaked cluster`
    const expected = 'an L1 entry that names it, or no such entries; a repair frees them all'
    findings.add('note', inconsistent('CHK-17', { structure: 'L2 table', at, size }, found, expected, 'ours'))
  }
}
