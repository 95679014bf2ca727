/** Entries of L1 and L2 tables: what the format demands of them and QEMU does not look at. */
import type { Complaint } from '../../bytes/issue.js'
import { l2EntrySize } from '../../format/geometry.js'
import { hostEnd } from '../../format/limits.js'
import { clusterKind } from '../../format/views.js'
import { inconsistent, invalid, type Spot } from './state.js'
import { entryPlace, guestOf, type Table } from './l2-table.js'

/** In the upper half of an entry: the compressed flag, and bits 32 to 55 of the host offset. */
const compressedFlag = 0x4000_0000
const offsetHi = 0x00ff_ffff

const hex = (n: number | bigint): string => `0x${n.toString(16)}`

const place = (t: Table, i: number, field: string): Spot => ({
  structure: 'L2 entry',
  field,
  at: entryPlace(t, i),
  size: 8
})

const flaw = (t: Table, i: number, complaint: Complaint): void => {
  t.state.find('flaw', complaint, 1, guestOf(t, i))
}

/** An L1 entry that maps neither the disk nor VM state. @see SNAP-12 */
export const strayTable = (at: number, l2: number): Complaint =>
  inconsistent(
    'SNAP-12',
    { structure: 'L1 table entry', field: 'l2_table_offset', at, size: 8 },
    `an L2 table at ${hex(l2)}`,
    'none behind the disk and the VM state'
  )

/** An entry of an external data file's cluster that lacks COPIED. @see DATA-03 */
export const missingCopied = (t: Table, i: number): Complaint =>
  inconsistent('DATA-03', place(t, i, 'copied'), 'clear', 'set in every entry of an external data file')

/** COPIED in an entry without a cluster; guest offset 0 of an external data file is one. @see L2-04 */
export const strayCopied = (t: Table, i: number): void => {
  const { state, view, use } = t
  if (view.words.hi((i * l2EntrySize(state.g)) / 8) >>> 31 === 0 || use.active === 0) return
  if (state.g.externalDataFile && use.guest + i === 0) return
  flaw(t, i, invalid('L2-04', place(t, i, 'copied'), 'set without a cluster', 'clear', 'format'))
}

/** The payload of a compressed entry beyond any host offset. @see CMP-01 */
export const farOffset = (t: Table, i: number, offset: bigint): void => {
  if (offset >= hostEnd)
    flaw(t, i, invalid('CMP-01', place(t, i, 'host_offset'), hex(offset), 'bits 56 and up clear', 'format'))
}

/** The zero flag where entries have none. @see L2-05 and L2-02 */
const zeroFlag = (t: Table, i: number): void => {
  const { g } = t.state
  if (g.version === 2) flaw(t, i, invalid('L2-05', place(t, i, 'zero'), 'set', 'clear in a version 2 image'))
  else flaw(t, i, invalid('L2-02', place(t, i, 'zero'), 'set', 'clear under extended L2', 'format'))
}

/** An entry of an external data file: at its guest offset, and within the file. @see DATA-01 and DATA-04 */
const dataFileEntry = (t: Table, i: number, kind: number): void => {
  const [host, guest] = [t.view.hostClusterOffset(i), guestOf(t, i).at]
  const offset = place(t, i, 'host_cluster_offset')
  if (host !== guest) flaw(t, i, inconsistent('DATA-04', offset, hex(host), `the guest offset, ${hex(guest)}`))
  const length = t.state.dataFileLength
  if (kind === clusterKind.Normal && length !== undefined && host >= length)
    flaw(t, i, inconsistent('DATA-01', offset, hex(host), `data within the ${length} bytes of the data file`, 'format'))
}

/** What QEMU looks away from in the entries of a table, in the images that can have it. */
export const overlooked = (t: Table): void => {
  const { g } = t.state
  const zeroless = g.version === 2 || g.extendedL2
  if (!zeroless && !g.externalDataFile) return
  const stride = l2EntrySize(g) / 8
  for (let i = 0; i < t.view.length; i++) {
    const kind = t.view.kind(i)
    if (kind === clusterKind.Compressed) continue
    if (zeroless && (t.view.words.lo(i * stride) & 1) === 1) zeroFlag(t, i)
    if (g.externalDataFile && (kind === clusterKind.Normal || kind === clusterKind.ZeroAllocated))
      dataFileEntry(t, i, kind)
  }
}

/** Marks which guest cluster each data cluster of a table holds. */
export const holdClusters = (t: Table): void => {
  const { state, view, use } = t
  if (state.g.externalDataFile) return
  const { ownership, g } = state
  const [first, clusters] = [use.guest / state.size, state.fileLength / state.size]
  const [stride, upper] = [l2EntrySize(g) / 8, 2 ** 32 / state.size]
  for (let i = 0; i < view.length; i++) {
    const hi = view.words.hi(i * stride)
    const cluster = (hi & offsetHi) * upper + (view.words.lo(i * stride) >>> g.clusterBits)
    if (cluster > 0 && cluster < clusters && (hi & compressedFlag) === 0) ownership.hold(cluster, first + i)
  }
}
