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
import { inconsistent, type CheckState, type Severity } from './state.js'
import type { Tree } from './trees.js'
import { type Metadata, snapshotTablePlace } from '../metadata.js'

/** L1 entries that map a disk of `size` bytes and, behind it, VM state of `state` bytes. @see SNAP-12 */
const reachOf = (g: Geometry, size: bigint, state: bigint): number =>
  Number(neededL1Entries(g, size) + neededL1Entries(g, state))

/** The active tree, which may map VM state as large as that of any snapshot. */
export const activeTree = (m: Metadata, g: Geometry): Tree => {
  const { l1TableOffset, l1Size, size } = m.header
  const states = m.snapshots.map(vmStateSize)
  const largest = states.reduce((a, b) => (a > b ? a : b), 0n)
  const reach = reachOf(g, size, largest)
  return { at: Number(l1TableOffset), entries: l1Size, active: true, disk: Number(size), reach, entry: 40 }
}

/** The tree of a snapshot whose table entry starts at byte `entry`. Where that tells no disk size, every L1 entry may map. */
export const snapshotTree = (m: Metadata, g: Geometry, s: SnapshotEntry, entry: number): Tree => ({
  at: Number(s.l1TableOffset),
  entries: s.l1Size,
  active: false,
  disk: Number(snapshotDiskSize(s, m.header.size)),
  reach: s.extra.diskSize === undefined ? s.l1Size : reachOf(g, s.extra.diskSize, vmStateSize(s)),
  entry
})

const name = (bytes: Uint8Array): string => `'${label(bytes.subarray(0, 64))}'`

/** Says something of bytes `at`, `size` in a snapshot table entry. */
type Say = (
  severity: Severity,
  clause: ClauseId,
  field: string,
  at: number,
  size: number,
  found: string,
  expected: string
) => void

const sizes = (say: Say, s: SnapshotEntry, g: Geometry, imageSize: bigint): void => {
  const [disk, state] = [snapshotDiskSize(s, imageSize), vmStateSize(s)]
  const [needed, reach] = [neededL1Entries(g, disk), reachOf(g, disk, state)]
  if (BigInt(s.l1Size) < needed)
    say('flaw', 'HDR-09', 'l1_size', 8, 4, String(s.l1Size), `at least ${needed} for its disk of ${disk} bytes`)
  else if (s.l1Size < reach)
    say('note', 'SNAP-12', 'l1_size', 8, 4, String(s.l1Size), `${reach} for its VM state of ${state} bytes`)
  if (s.vmStateSize !== 0 && BigInt(s.vmStateSize) !== state)
    say('note', 'SNAP-01', 'vm_state_size', 32, 4, String(s.vmStateSize), `0, or ${state} as in the extra data`)
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
    const say: Say = (severity, clause, field, at, size, found, expected) => {
      const where = { structure: 'snapshot table entry', field, at: start + at, size }
      state.find(severity, inconsistent(clause, where, found, expected, 'format'))
    }
    const id = s.id.length
    if (sameId.has(i)) say('flaw', 'SNAP-01', 'id_str', idAt, id, `${name(s.id)} once more`, 'unique ids')
    if (!/^[0-9]+$/.test(label(s.id))) say('note', 'SNAP-06', 'id_str', idAt, id, name(s.id), 'a decimal number')
    if (sameName.has(i) && s.name.length > 0)
      say('note', 'SNAP-06', 'name', idAt + id, s.name.length, `${name(s.name)} once more`, 'a name of its own')
    sizes(say, s, state.g, m.header.size)
  }
}
