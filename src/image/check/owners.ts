/** Owners: clusters that two structures, or two guest clusters, have for their own, and who the two are. */
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Plan } from '../../bytes/plan.js'
import type { ByteRange } from '../byte-range.js'
import { inconsistent, type Owner } from './findings.js'
import type { Uses } from './l2-table.js'
import { mostContested } from './ownership.js'
import { referenceOf } from './references.js'
import type { CheckState } from './state.js'
import { reachesPastEnd, type Reference, type Visitor } from './visitor.js'

/** Most owners of one cluster that are named. */
const mostOwners = 8

/** The section a structure is part of, by QEMU's name where it has one. @see INT-20 */
const sectionOf = (structure: string, active: boolean | undefined): string => {
  if (structure === 'header') return 'main-header'
  if (structure !== 'L1 table' && structure !== 'L2 table') return structure.replaceAll(' ', '-')
  return `${active === true ? 'active' : 'inactive'}-${structure.slice(0, 2).toLowerCase()}`
}

/** An owner and its identity: two of one identity may share the cluster. */
interface Claimant {
  readonly owner: Owner
  readonly identity: string
  /** The structure that it is part of. */
  readonly kind: string
}

/** The structures that a cluster with a refcount above 1 may be part of more than once, and the clause that says so. */
const shareable: ReadonlyMap<string, ClauseId> = new Map([
  ['data cluster', 'REF-08'],
  ['L2 table', 'REF-08'],
  ['bitmap table', 'BMP-13'],
  ['bitmap data', 'BMP-13']
])

/** The claimants of the clusters in question. */
type Claimants = Map<number, Claimant[]>

const identityOf = ({ structure, at, entry, guest }: Reference): string => {
  if (structure === 'compressed cluster') return structure
  return structure === 'L2 table' || structure === 'data cluster'
    ? `${structure} ${at} ${guest?.at ?? 0}`
    : `${structure} ${at} ${entry ?? 0}`
}

const claimantOf = (r: Reference): Claimant => ({
  owner: {
    section: sectionOf(r.structure, r.active),
    at: r.at,
    size: r.size,
    ...(r.entry === undefined ? {} : { entry: r.entry }),
    ...(r.guest === undefined ? {} : { guest: r.guest })
  },
  identity: identityOf(r),
  kind: r.structure
})

/** A visitor that puts everything which refers to the clusters in question to their claimants. */
const naming = ({ fileLength, size }: CheckState, claimants: Claimants): Visitor => {
  const name = (r: Reference): void => {
    if (reachesPastEnd(r, fileLength, size)) return
    for (let c = Math.floor(r.at / size); c * size < r.at + r.size; c++) {
      const known = claimants.get(c)
      if (known === undefined || known.length >= mostOwners) continue
      const claimant = claimantOf(r)
      if (known.every((k) => k.identity !== claimant.identity)) known.push(claimant)
    }
  }
  return {
    claim: name,
    refer: name,
    refcountBlock: name,
    l2Table: (t) => {
      for (let i = 0; i < t.view.length; i++) {
        const r = referenceOf(t, i)
        if (r !== undefined) name(r)
      }
    },
    l1Entry: () => undefined,
    find: () => undefined,
    skip: () => undefined
  }
}

const inWords = ({ at, size }: ByteRange): string => `bytes ${at} to ${at + size - 1}`

const described = ({ section, guest, ...range }: Owner): string =>
  `${section} at ${inWords(range)}${guest === undefined ? '' : ` for guest ${inWords(guest)}`}`

/** Finds two owners of a cluster. Two guest clusters, L2 tables or bitmaps may share one that has both in its refcount. */
const findOwners = (state: CheckState, cluster: number, a: Claimant, b: Claimant): void => {
  const sharing = a.kind === b.kind ? shareable.get(a.kind) : undefined
  const counted = state.refcounts.counts.get(cluster) === state.references.get(cluster)
  const owners = [a.owner, b.owner] as const
  state.findings.add(
    sharing !== undefined && counted ? 'note' : 'flaw',
    inconsistent(
      sharing ?? 'GEN-01',
      { structure: 'cluster', at: cluster * state.size, size: state.size },
      owners.map(described).join(' and '),
      'one owner',
      'format'
    ),
    1,
    a.owner.guest ?? b.owner.guest,
    owners
  )
}

const unnamed = inconsistent(
  'GEN-01',
  { structure: 'image', at: 0, size: 0 },
  `more than ${mostContested} clusters with two owners, of which the others are not named`,
  'one owner each',
  'format'
)

/**
 * Names the owners of the clusters that have two. `again` walks over the image once more, and only when there are any.
 *
 * @see GEN-01, GEN-05, REF-08 and BMP-13
 */
export function* nameOwners(state: CheckState, uses: Uses, again: (visitor: Visitor) => Plan<unknown>): Plan<void> {
  const claimants: Claimants = new Map()
  for (const cluster of state.ownership.contested(state.references, uses, state.size)) {
    claimants.set(cluster, [])
    if (claimants.size > mostContested) break
  }
  if (claimants.size === 0) return
  yield* again(naming(state, claimants))
  const named = new Set<string>()
  for (const [cluster, [first, ...others]] of [...claimants].sort((a, b) => a[0] - b[0])) {
    if (first === undefined) continue
    for (const other of others) {
      const pair = `${first.identity}, ${other.identity}`
      if (!named.has(pair)) findOwners(state, cluster, first, other)
      named.add(pair)
    }
  }
  if (claimants.size > mostContested) state.findings.add('note', unnamed)
}
