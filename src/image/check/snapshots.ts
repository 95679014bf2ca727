/** The snapshot table: what the format asks of its entries and QEMU's check does not. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import { further, type Issue } from '../../bytes/issue.js'
import { repeats } from '../../bytes/list.js'
import { label, toHex } from '../../bytes/octets.js'
import { snapshotEntry, snapshotRules, snapshotSizeRules, snapshotStarts } from '../../format/snapshot.js'
import { type Metadata, snapshotTablePlace } from '../metadata.js'
import { inconsistent, severityOf } from './findings.js'
import type { CheckState } from './state.js'

const name = (bytes: Uint8Array): string => `'${label(bytes.subarray(0, 64))}'`

const isOfL1 = ({ field }: Issue): boolean => field === 'l1_table_offset' || field === 'l1_size'

/** Issues of a snapshot table entry; of those about its L1 table the first alone. */
const firstOfL1 = (issues: readonly Issue[]): readonly Issue[] => {
  const first = issues.find(isOfL1)
  return issues.filter((issue) => issue === first || !isOfL1(issue))
}

/** Everything about the entries of the snapshot table by themselves and among each other. */
export const snapshotFindings = (state: CheckState, m: Metadata): void => {
  const starts = snapshotStarts(m.snapshots)
  const table = snapshotTablePlace(m).at
  const sameId = new Set(repeats(m.snapshots.map((s) => toHex(s.id))))
  const sameName = new Set(repeats(m.snapshots.map((s) => toHex(s.name))))
  for (const [i, s] of m.snapshots.entries()) {
    const start = table + (starts[i] ?? 0)
    const find = (severity: 'flaw' | 'note', clause: ClauseId, key: 'id' | 'name', found: string, expected: string) => {
      const place = further(snapshotEntry.placeOf(key, s), start)
      state.findings.add(severity, inconsistent(clause, place, found, expected, 'format'))
    }
    if (sameId.has(i)) find('flaw', 'SNAP-01', 'id', `${name(s.id)} once more`, 'unique ids')
    if (!/^[0-9]+$/.test(label(s.id))) find('note', 'SNAP-06', 'id', name(s.id), 'a decimal number')
    if (sameName.has(i) && s.name.length > 0)
      find('note', 'SNAP-06', 'name', `${name(s.name)} once more`, 'a name of its own')
    const alone = snapshotRules.judge(s, state.g, start)
    const sizes = snapshotSizeRules.judge(s, { ...state.g, disk: m.header.size }, start)
    for (const issue of [...firstOfL1(alone), ...firstOfL1(sizes)]) state.findings.add(severityOf(issue), issue)
  }
}
