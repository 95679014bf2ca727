/** References: the host bytes that the entries of L2 tables refer to, and how often an image refers to each host cluster. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Plan } from '../../bytes/plan.js'
import { clusterSize, type Geometry } from '../../format/geometry.js'
import { clusterKind } from '../../format/views.js'
import type { Metadata } from '../metadata.js'
import { Counts } from './counts.js'
import { entryPlace, guestOf, type L2Table } from './l2-table.js'
import { clustersWithin, reachesPastEnd, type Reference } from './visitor.js'
import { walk } from './walk.js'

/** What entry `i` of a table refers to in the image file, if anything, whether or not that is counted. */
export const referenceOf = (t: L2Table, i: number): Reference | undefined => {
  const { view, g } = t
  const kind = view.kind(i)
  if (kind === clusterKind.Unallocated || kind === clusterKind.ZeroPlain) return undefined
  const origin = { entry: entryPlace(t, i), guest: guestOf(t, i) }
  if (kind === clusterKind.Compressed)
    return { structure: 'compressed cluster', at: view.hostOffset(i), size: view.availableBytes(i), ...origin }
  return g.externalDataFile
    ? undefined
    : { structure: 'data cluster', at: view.hostClusterOffset(i), size: t.size, ...origin }
}

/** Whether an entry that breaks this rule refers to nothing, in QEMU's check: a payload where none may be. */
export const isUncounted = ({ clause }: { readonly clause: ClauseId }): boolean =>
  clause === 'DATA-05' || clause === 'SUB-06'

/**
 * How often each host cluster is referred to, but for the refcount table and its blocks; by entries of which QEMU counts none
 * as well, and by the part in the file of what ends past it. `fileLength` is in whole sectors.
 */
export function* referencesOf(m: Metadata, g: Geometry, fileLength: number): Plan<Counts> {
  const references = new Counts()
  const size = clusterSize(g)
  const count = (r: Reference, times: number): void => {
    const first = Math.floor(r.at / size)
    const n = reachesPastEnd(r, fileLength, size)
      ? clustersWithin(r, fileLength, size)
      : Math.floor((r.at + r.size - 1) / size) + 1 - first
    if (n > 0) references.add(first, n, times)
  }
  yield* walk(m, g, fileLength, undefined, {
    claim: (r) => count(r, 1),
    refer: count,
    l2Table: (t) => {
      for (let i = 0; i < t.view.length; i++) {
        const r = referenceOf(t, i)
        if (r !== undefined) count(r, t.use.all)
      }
    },
    refcountBlock: () => undefined,
    l1Entry: () => undefined,
    find: () => undefined,
    skip: () => undefined
  })
  return references
}
