/** COPIED: in the active tree, set exactly where the refcount of a table or a data cluster is one. */
import type { Complaint } from '../../bytes/issue.js'
import { inconsistent, type Location } from './findings.js'
import { entryPlace, guestOf, type L2Table } from './l2-table.js'
import type { CheckState } from './state.js'
import type { L1Slot } from './visitor.js'

const contradicts = (
  clause: 'L1-01' | 'L2-04',
  where: Location,
  copied: boolean,
  refcount: number | bigint
): Complaint =>
  inconsistent(
    clause,
    { ...where, field: 'copied' },
    `${copied ? 'set' : 'clear'} at refcount ${refcount}`,
    'set if and only if the refcount is one'
  )

/** COPIED of an L1 entry that names an L2 table. @see L1-01 */
export const l1Copied = (state: CheckState, { tree, view, index, guest }: L1Slot): void => {
  const l2 = view.l2TableOffset(index)
  if (!tree.active || l2 === 0) return
  const refcount = state.refcounts.at(l2)
  const copied = view.copied(index)
  if (refcount === undefined || (refcount === 1) === copied) return
  state.copiedFlags++
  const where = { structure: 'L1 table entry', at: tree.at + 8 * index, size: 8 }
  state.findings.add('corruption', contradicts('L1-01', where, copied, state.refcounts.exact(l2)), 1, guest)
}

/** Whether COPIED is checked in a table: of one whose own refcount cannot be read QEMU checks none. */
export const copiedIsChecked = ({ refcounts }: CheckState, { at, use }: L2Table): boolean =>
  use.active > 0 && at !== 0 && refcounts.at(at) !== undefined

/** COPIED of L2 entry `i`, which has a host cluster at `offset`. @see L2-04 and DATA-03 */
export const l2Copied = (state: CheckState, t: L2Table, i: number, offset: number): void => {
  const refcount = t.g.externalDataFile ? 1 : state.refcounts.at(offset)
  const copied = t.view.copied(i)
  if (refcount === undefined || (refcount === 1) === copied) return
  state.copiedFlags += t.use.active
  const where = { structure: 'L2 entry', field: 'copied', at: entryPlace(t, i), size: 8 }
  const complaint = t.g.externalDataFile
    ? inconsistent('DATA-03', where, 'clear', 'set in every entry of an external data file')
    : contradicts('L2-04', where, copied, state.refcounts.exact(offset))
  state.findings.add('corruption', complaint, t.use.active, guestOf(t, i))
}
