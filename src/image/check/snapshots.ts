/** The snapshot table: what the format asks of its entries and QEMU's check does not. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import { repeats } from '../../bytes/list.js'
import { label, toHex } from '../../bytes/octets.js'
import { type Geometry, neededL1Entries } from '../../format/geometry.js'
import {
  snapshotDiskSize,
  type SnapshotEntry,
  snapshotExtra,
  snapshotFixed,
  snapshotStarts,
  vmStateSize
} from '../../format/snapshot.js'
import { type Metadata, snapshotTablePlace } from '../metadata.js'
import { inconsistent, type Severity } from './findings.js'
import { severityOf } from './severity.js'
import type { CheckState } from './state.js'
import { reachOf, snapshotIssues } from './trees.js'

const name = (bytes: Uint8Array): string => `'${label(bytes.subarray(0, 64))}'`

/** Finds something in bytes `at`, `size` of a snapshot table entry. */
type Find = (
  severity: Severity,
  clause: ClauseId,
  field: string,
  at: number,
  size: number,
  found: string,
  expected: string
) => void

const sizes = (find: Find, s: SnapshotEntry, g: Geometry, imageSize: bigint): void => {
  const [disk, state] = [snapshotDiskSize(s, imageSize), vmStateSize(s)]
  const [needed, reach] = [neededL1Entries(g, disk), reachOf(g, disk, state)]
  if (BigInt(s.l1Size) < needed)
    find('flaw', 'HDR-09', 'l1_size', 8, 4, String(s.l1Size), `at least ${needed} for its disk of ${disk} bytes`)
  else if (s.l1Size < reach)
    find('note', 'SNAP-12', 'l1_size', 8, 4, String(s.l1Size), `${reach} for its VM state of ${state} bytes`)
  if (s.vmStateSize !== 0 && BigInt(s.vmStateSize) !== state)
    find('note', 'SNAP-01', 'vm_state_size', 32, 4, String(s.vmStateSize), `0, or ${state} as in the extra data`)
}

/** Everything about the entries of the snapshot table by themselves and among each other. */
export const snapshotFindings = (state: CheckState, m: Metadata): void => {
  const starts = snapshotStarts(m.snapshots)
  const table = snapshotTablePlace(m).at
  const sameId = new Set(repeats(m.snapshots.map((s) => toHex(s.id))))
  const sameName = new Set(repeats(m.snapshots.map((s) => toHex(s.name))))
  for (const [i, s] of m.snapshots.entries()) {
    const start = table + (starts[i] ?? 0)
    const idAt = snapshotFixed.size + snapshotExtra.sizeOf(s.extra)
    const find: Find = (severity, clause, field, at, size, found, expected) => {
      const where = { structure: 'snapshot table entry', field, at: start + at, size }
      state.findings.add(severity, inconsistent(clause, where, found, expected, 'format'))
    }
    const id = s.id.length
    if (sameId.has(i)) find('flaw', 'SNAP-01', 'id_str', idAt, id, `${name(s.id)} once more`, 'unique ids')
    if (!/^[0-9]+$/.test(label(s.id))) find('note', 'SNAP-06', 'id_str', idAt, id, name(s.id), 'a decimal number')
    if (sameName.has(i) && s.name.length > 0)
      find('note', 'SNAP-06', 'name', idAt + id, s.name.length, `${name(s.name)} once more`, 'a name of its own')
    for (const issue of snapshotIssues(s, state.g, start)) state.findings.add(severityOf(issue), issue)
    sizes(find, s, state.g, m.header.size)
  }
}
