/** Entries of an L2 table: the rules each one breaks, and the host clusters it refers to. */
import { dataFileRules, l2Rules } from '../../format/l2-rules.js'
import { clusterKind } from '../../format/views.js'
import { copiedIsChecked, l2Copied } from './copied.js'
import { Allocation, countPlain, plainEnd } from './l2-runs.js'
import { entryPlace, guestOf, type L2Table } from './l2-table.js'
import { isUncounted, referenceOf } from './references.js'
import { lazily, severityOf } from './findings.js'
import type { CheckState } from './state.js'
import type { Visitor } from './visitor.js'

/** Finds the rules that entry `i` breaks by itself, as often as QEMU meets them. Returns whether what it refers to is counted. */
const judge = (state: CheckState, t: L2Table, i: number): boolean => {
  const { g, use, view } = t
  const entry = view.entry(i)
  // COPIED of an entry without a cluster: it means nothing in snapshots, and guest offset 0 of a data file is a cluster.
  const moot = use.active === 0 || (g.externalDataFile && use.guest + i === 0)
  for (const rule of l2Rules.brokenBy(entry, g)) {
    if (rule.clause === 'L2-04' && moot) continue
    const severity = severityOf(rule)
    const times = severity === 'corruption' ? use.all : 1
    state.findings.add(severity, lazily(l2Rules, rule, entry, g, entryPlace(t, i)), times, guestOf(t, i))
    if (isUncounted(rule)) return state.beforeRepair
  }
  return true
}

/** An entry of an external data file: at its guest offset, and within the file. @see DATA-01 and DATA-04 */
const checkDataFile = ({ findings, dataFileLength: length }: CheckState, t: L2Table, i: number): void => {
  const guest = guestOf(t, i)
  const fileLength = t.view.kind(i) === clusterKind.Normal ? length : undefined
  const cluster = { host: t.view.hostClusterOffset(i), guest: guest.at, fileLength }
  for (const rule of dataFileRules.brokenBy(cluster, undefined))
    findings.add('flaw', lazily(dataFileRules, rule, cluster, undefined, entryPlace(t, i)), 1, guest)
}

/** An entry that is not plain, and not zero. */
const checkEntry = (
  state: CheckState,
  refer: Visitor['refer'],
  t: L2Table,
  i: number,
  checkCopied: boolean,
  allocation: Allocation
): void => {
  const { view, use, g } = t
  const isCounted = t.isSound(view, i) || judge(state, t, i)
  if (!isCounted) return
  const reference = referenceOf(t, i)
  if (reference !== undefined) refer(reference, use.all)
  if (view.kind(i) === clusterKind.Compressed) allocation.compressed()
  if (!view.isPlaced(i)) return
  const host = view.hostClusterOffset(i)
  allocation.clusters(host, 1)
  if (view.kind(i) === clusterKind.ZeroAllocated && (state.refcounts.at(host) ?? 0) > use.all) state.sharedZero ??= host
  if (g.externalDataFile) checkDataFile(state, t, i)
  if (checkCopied) l2Copied(state, t, i, host)
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
