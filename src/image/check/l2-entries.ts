/** Entries of an L2 table: the rules each one breaks, and the host clusters it refers to. */
import type { Complaint } from '../../bytes/issue.js'
import { l2EntrySize } from '../../format/geometry.js'
import { hostEnd } from '../../format/limits.js'
import { clusterKind } from '../../format/views.js'
import { Allocation } from './allocation.js'
import { copiedIsChecked, l2Copied } from './copied.js'
import { inconsistent, invalid, type Spot } from './findings.js'
import { countPlain, plainEnd } from './l2-runs.js'
import { entryPlace, guestOf, type L2Table } from './l2-table.js'
import { referenceOf } from './references.js'
import type { CheckState } from './state.js'
import type { Visitor } from './visitor.js'

const hex = (n: number | bigint): string => `0x${n.toString(16)}`

const place = (t: L2Table, i: number, field: string, at = 0): Spot => ({
  structure: 'L2 entry',
  field,
  at: entryPlace(t, i) + at,
  size: 8
})

const corrupt = (state: CheckState, t: L2Table, i: number, complaint: Complaint): void => {
  state.findings.add('corruption', complaint, t.use.all, guestOf(t, i))
}

const flaw = (state: CheckState, t: L2Table, i: number, complaint: Complaint): void => {
  state.findings.add('flaw', complaint, 1, guestOf(t, i))
}

/** What a compressed entry breaks. @see CMP-01, DATA-05 and SUB-06 */
const compressedRules = (state: CheckState, t: L2Table, i: number): void => {
  const { view, g } = t
  const { hostOffset } = { hostOffset: 0n, ...view.entry(i) }
  const where = place(t, i, 'host_offset')
  if (hostOffset >= hostEnd)
    flaw(state, t, i, invalid('CMP-01', where, hex(hostOffset), 'bits 56 and up clear', 'format'))
  if (view.copied(i))
    corrupt(state, t, i, invalid('CMP-01', place(t, i, 'copied'), 'set', 'clear in a compressed entry'))
  if (g.externalDataFile)
    corrupt(state, t, i, invalid('DATA-05', place(t, i, 'compressed'), 'set', 'clear with an external data file'))
  else if (g.extendedL2 && (view.allocated(i) !== 0 || view.zeros(i) !== 0)) {
    const bitmap = place(t, i, 'subclusters', 8)
    corrupt(state, t, i, invalid('SUB-06', bitmap, 'a bitmap that is not zero', 'zero in a compressed entry'))
  }
}

/** Reserved bits, among them the zero flag where there is none. @see L1-04, L2-05 and L2-02 */
const reservedRules = (state: CheckState, t: L2Table, i: number): void => {
  const { view, g } = t
  const word = (i * l2EntrySize(g)) / 8
  if ((view.words.hi(word) & 0x3f00_0000) !== 0 || (view.words.lo(word) & 0x1fe) !== 0)
    corrupt(state, t, i, invalid('L1-04', place(t, i, 'reserved'), 'bits set', 'reserved bits zero'))
  if ((view.words.lo(word) & 1) === 0) return
  if (g.version === 2) flaw(state, t, i, invalid('L2-05', place(t, i, 'zero'), 'set', 'clear in a version 2 image'))
  else if (g.extendedL2)
    flaw(state, t, i, invalid('L2-02', place(t, i, 'zero'), 'set', 'clear under extended L2', 'format'))
}

/** COPIED in an entry without a cluster; guest offset 0 of an external data file is one. @see L2-04 */
const strayCopied = (state: CheckState, t: L2Table, i: number): void => {
  const { view, use, g } = t
  if (!view.copied(i) || use.active === 0 || (g.externalDataFile && use.guest + i === 0)) return
  flaw(state, t, i, invalid('L2-04', place(t, i, 'copied'), 'set without a cluster', 'clear', 'format'))
}

/** An entry of an external data file: at its guest offset, and within the file. @see DATA-01 and DATA-04 */
const dataFileRules = (state: CheckState, t: L2Table, i: number, offset: number): void => {
  const [guest, where, length] = [guestOf(t, i).at, place(t, i, 'host_cluster_offset'), state.dataFileLength]
  if (offset !== guest)
    flaw(state, t, i, inconsistent('DATA-04', where, hex(offset), `the guest offset, ${hex(guest)}`))
  if (t.view.kind(i) === clusterKind.Normal && length !== undefined && offset >= length)
    flaw(
      state,
      t,
      i,
      inconsistent('DATA-01', where, hex(offset), `data within the ${length} bytes of the data file`, 'format')
    )
}

/** An entry that is not plain. */
const checkEntry = (
  state: CheckState,
  refer: Visitor['refer'],
  t: L2Table,
  i: number,
  checkCopied: boolean,
  allocation: Allocation
): void => {
  const { view, g, size } = t
  const kind = view.kind(i)
  const reference = referenceOf(t, i)
  if (reference !== undefined) refer(reference, t.use.all)
  if (kind === clusterKind.Compressed) {
    compressedRules(state, t, i)
    if (reference !== undefined) allocation.compressed()
    return
  }
  reservedRules(state, t, i)
  if (kind === clusterKind.Unallocated || kind === clusterKind.ZeroPlain) {
    strayCopied(state, t, i)
    if (!g.extendedL2 || view.allocated(i) === 0) return
    const where = place(t, i, 'subclusters', 8)
    corrupt(state, t, i, invalid('SUB-04', where, 'allocated subclusters without a host cluster', 'none'))
    return
  }
  const offset = view.hostClusterOffset(i)
  if (g.extendedL2 && (view.allocated(i) & view.zeros(i)) !== 0) {
    const where = place(t, i, 'subclusters', 8)
    corrupt(state, t, i, invalid('SUB-04', where, 'both bits of a subcluster set', 'at most one'))
  }
  if (offset % size !== 0) {
    const where = place(t, i, 'host_cluster_offset')
    corrupt(state, t, i, invalid('L2-02', where, hex(offset), 'a multiple of the cluster size'))
  }
  if (g.externalDataFile) dataFileRules(state, t, i, offset)
  allocation.clusters(offset, 1)
  if (checkCopied) l2Copied(state, t, i, offset)
}

/** The entries of an L2 table, in order: plain ones by runs, the others one by one. @see CHK-04 */
export const checkEntries = (state: CheckState, refer: Visitor['refer'], t: L2Table): void => {
  const allocation = new Allocation(state.findings.totals, t)
  const checkCopied = copiedIsChecked(state, t)
  const end = plainEnd(state)
  for (let i = 0, n = 1; i < t.view.length; i += n) {
    n = countPlain(state, t, i, end, checkCopied, allocation)
    if (n > 0) continue
    n = 1
    if (!t.view.isZero(i)) checkEntry(state, refer, t, i, checkCopied, allocation)
  }
}
