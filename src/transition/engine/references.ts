/** References: how often the entries of a tree refer to each host cluster, and the COPIED flags in its tables. */
import { failOn, type Plan, readAt } from '../../bytes/plan.js'
import { clusterSpan } from '../../format/compressed.js'
import { blockEntries, clusterSize, l2EntrySize } from '../../format/geometry.js'
import { l1OffsetRules } from '../../format/l1.js'
import { clusterKind, L1View, L2View } from '../../format/views.js'
import { Counts } from '../../image/check/counts.js'
import { hostRules } from './active-tree.js'
import type { CommandState, TablePlace } from './command-state.js'
import { refuse } from './refuse.js'
import type { RefcountChange } from './refcounts.js'
import type { Section } from './sections.js'
import type { Stage } from './stages.js'

/** Adds `times` references to each of `n` host clusters from `first` on. Refused where they cannot have refcounts. */
function* refer(w: CommandState, references: Counts, first: number, n: number, times: number): Plan<void> {
  if (first + n > w.refcountTable.entries * blockEntries(w.g))
    yield* refuse('REF-07', `host cluster ${first + n - 1}`, 'a cluster that the refcount table covers')
  references.add(first, n, times)
}

/** Adds `times` references of each entry of an L2 table, or of a part of one at host byte `at`. @see REF-08, CMP-06 and REF-09 */
export function* addEntries(w: CommandState, references: Counts, table: L2View, at: number, times: number): Plan<void> {
  const size = clusterSize(w.g)
  for (let i = 0, n = 1; i < table.length; i += n) {
    n = table.run(i, table.length)
    const kind = table.kind(i)
    if (kind === clusterKind.Compressed) {
      const hostOffset = BigInt(table.hostOffset(i))
      const span = clusterSpan({ hostOffset, additionalSectors: table.additionalSectors(i) }, w.g.clusterBits)
      yield* refer(w, references, span.first, span.last - span.first + 1, times)
    } else if ((kind === clusterKind.Normal || kind === clusterKind.ZeroAllocated) && !w.g.externalDataFile) {
      const host = table.hostClusterOffset(i)
      yield* w.mustAlign(host, () => hostRules.judge(table.entry(i), w.g, at + i * l2EntrySize(w.g)))
      yield* refer(w, references, host / size, n, times)
    }
  }
}

/** The L2 tables of an L1 table by host offset, and how many entries name each. @see L1-05 */
function* l2Tables(w: CommandState, l1: TablePlace): Plan<ReadonlyMap<number, number>> {
  const tables = new Map<number, number>()
  const view = new L1View(yield* readAt(l1.at, 8 * l1.entries))
  for (let i = 0; i < view.length; i++) {
    const at = view.l2TableOffset(i)
    if (at === 0) continue
    yield* failOn(l1OffsetRules.judge(view.entry(i), w.g, l1.at + 8 * i))
    tables.set(at, (tables.get(at) ?? 0) + 1)
  }
  return tables
}

/**
 * The references of a tree, added to those given: to its L2 tables, to data clusters, and to every cluster that a
 * compressed payload touches. References to the clusters of the L1 table itself are not among them.
 *
 * @see REF-08 and CHK-01
 */
export function* treeReferences(w: CommandState, l1: TablePlace, references = new Counts()): Plan<Counts> {
  const size = clusterSize(w.g)
  for (const [at, times] of yield* l2Tables(w, l1)) {
    yield* refer(w, references, at / size, 1, times)
    yield* addEntries(w, references, new L2View(yield* readAt(at, size), w.g), at, times)
  }
  return references
}

const none = new Counts()

/** The changes of refcounts that add (`by` 1) or take away (`by` -1) the references of which `other` has fewer. */
export function* surplus(references: Counts, by: 1 | -1, other = none): Generator<RefcountChange> {
  for (const { cluster, n, count } of references.runs())
    for (let c = cluster, next = c; c < cluster + n; c = next) {
      const held = other.get(c)
      if (other === none) next = cluster + n
      else while (next < cluster + n && other.get(next) === held) next++
      if (count > held) yield { cluster: c, n: next - c, by: by * (count - held) }
    }
}

/** What a COPIED flag is to be, given the host cluster that its entry names and what the flag is. */
type CopiedRule = (cluster: number, copied: boolean) => boolean

/** Sets the flags in the bytes of one table at host byte `at`; `hostOf(i)` is the host offset in entry `i`, 0 for none. */
function* markTable(
  w: CommandState,
  section: Section,
  stage: Stage,
  at: number,
  bytes: Uint8Array,
  stride: number,
  hostOf: (i: number) => number,
  rule: CopiedRule
): Plan<void> {
  const size = clusterSize(w.g)
  const marked = bytes.slice()
  let from = bytes.length
  let to = 0
  for (let i = 0, e = 0; e < bytes.length; i++, e += stride) {
    const host = hostOf(i)
    if (host === 0) continue
    const top = bytes[e] ?? 0
    const copied = top >= 0x80
    if (rule(host / size, copied) === copied) continue
    marked[e] = top ^ 0x80
    from = Math.min(from, e)
    to = e + 8
  }
  if (from < to) yield* w.tx.put(section, stage, at + from, marked.subarray(from, to))
}

/**
 * Sets the COPIED flags of a tree, in its L1 table and its L2 tables: one bit of an aligned word each. Entries of
 * compressed clusters have none.
 *
 * @see L1-01 and L2-04
 */
export function* markCopied(w: CommandState, stage: Stage, l1: TablePlace, rule: CopiedRule): Plan<void> {
  const entries = yield* readAt(l1.at, 8 * l1.entries)
  const view = new L1View(entries)
  yield* markTable(w, 'active L1 table', stage, l1.at, entries, 8, (i) => view.l2TableOffset(i), rule)
  for (const [at] of yield* l2Tables(w, l1)) {
    const bytes = yield* readAt(at, clusterSize(w.g))
    const table = new L2View(bytes, w.g)
    const hostOf = (i: number): number => (table.kind(i) === clusterKind.Compressed ? 0 : table.hostClusterOffset(i))
    yield* markTable(w, 'active L2 table', stage, at, bytes, l2EntrySize(w.g), hostOf, rule)
  }
}
