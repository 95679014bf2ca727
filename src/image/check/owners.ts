/** Owners: clusters that two structures, or two guest clusters, have for their own, and who the two are. */
import type { Plan } from '../../bytes/plan.js'
import { availableBytes } from '../../format/compressed.js'
import { clusterKind } from '../../format/views.js'
import { inconsistent, CheckState, type Owner, type Origin } from './state.js'
import { eachTable, entryPlace, guestOf, type Table, type Uses } from './l2-table.js'
import { type Counts, pieceSize } from './counts.js'
import type { Range } from '../gaps.js'
import { mostContested } from './ownership.js'

/** Most owners of one cluster that are told apart. */
const mostOwners = 8

/** The clusters with a count in `within` that have two references or more, one at least not of a compressed cluster. */
function* mixed(references: Counts, packed: Counts, within: Counts): Generator<number> {
  for (let first = 0; first < within.length; first += pieceSize) {
    const [counts, all] = [within.piece(first / pieceSize), references.piece(first / pieceSize)]
    if (counts === undefined || all === undefined) continue
    const size = Math.min(pieceSize, within.length - first)
    for (let i = 0; i < size; i++)
      if ((all[i] ?? 0) > 1 && (counts[i] ?? 0) !== 0 && references.get(first + i) > packed.get(first + i))
        yield first + i
  }
}

/** Clusters of claims and L2 tables that are referred to more often than their one owner does. */
function* overclaimed(state: CheckState, uses: Uses): Generator<number> {
  const { references, ownership, size } = state
  const { claims } = ownership
  for (let i = 0; i < claims.length; i += 2)
    for (let c = claims[i] ?? 0; c <= (claims[i + 1] ?? 0); c++) if (references.get(c) > 1) yield c
  for (const [at, use] of uses)
    for (let c = Math.floor(at / size); c * size < at + size; c++)
      if (references.get(c) > use.all || (use.elsewhere && references.get(c) > 0)) yield c
}

/**
 * Clusters that may have two owners. Without snapshots more than one reference tells, unless all are of compressed clusters.
 * With them, an L2 table has as many references as trees use it, and a data cluster holds one guest cluster.
 */
function* contested(state: CheckState, uses: Uses): Generator<number> {
  const { references, ownership } = state
  if (ownership.shared) {
    yield* overclaimed(state, uses)
    yield* mixed(references, ownership.packed, ownership.packed)
    yield* ownership.divided
  } else yield* mixed(references, ownership.packed, references)
}

/** The section a structure is part of, by QEMU's name where it has one. @see INT-20 */
const sectionOf = (structure: string, active: boolean | undefined): string => {
  if (structure === 'header') return 'main-header'
  if (structure !== 'L1 table' && structure !== 'L2 table') return structure.replaceAll(' ', '-')
  return `${active === true ? 'active' : 'inactive'}-${structure.slice(0, 2).toLowerCase()}`
}

/** An owner, and what tells it from another: two with one identity share the cluster as they may. */
interface Claimant {
  readonly owner: Owner
  readonly identity: string
  /** Of what may be shared where refcounts say so: data clusters, and L2 tables. */
  readonly kind: string
}

const identityOf = (structure: string, { at, entry, guest }: Owner): string => {
  if (structure === 'compressed cluster') return structure
  return structure === 'L2 table' || structure === 'data cluster'
    ? `${structure} ${at} ${guest?.at ?? 0}`
    : `${structure} ${at} ${entry ?? 0}`
}

/** A second walk, which counts nothing and finds nothing: it tells who refers to the clusters in question. */
class Naming extends CheckState {
  override readonly references: Counts

  constructor(
    first: CheckState,
    readonly claimants: ReadonlyMap<number, Claimant[]>
  ) {
    super(first.g, first.end, false)
    this.references = first.references
  }

  override find(): void {
    return undefined
  }

  protected override count(structure: string, at: number, size: number, _times: number, via: Origin): void {
    for (let c = Math.floor(at / this.size); c * this.size < at + size; c++) this.name(c, structure, at, size, via)
  }

  /** Puts a claimant to a cluster, if the cluster is in question and the claimant is new. */
  private name(cluster: number, structure: string, at: number, size: number, { active, entry, guest }: Origin): void {
    const claimants = this.claimants.get(cluster)
    if (claimants === undefined || claimants.length >= mostOwners) return
    const owner: Owner = {
      section: sectionOf(structure, active),
      at,
      size,
      ...(entry === undefined ? {} : { entry }),
      ...(guest === undefined ? {} : { guest })
    }
    const identity = identityOf(structure, owner)
    if (claimants.every((c) => c.identity !== identity)) claimants.push({ owner, identity, kind: structure })
  }
}

/** Puts the clusters of a table's entries to those in question. */
const nameEntries = (naming: Naming, t: Table): void => {
  const { view } = t
  for (let i = 0; i < view.length; i++) {
    const kind = view.kind(i)
    if (kind === clusterKind.Unallocated || kind === clusterKind.ZeroPlain) continue
    const entry = kind === clusterKind.Compressed ? view.entry(i) : undefined
    const via = { entry: entryPlace(t, i), guest: guestOf(t, i) }
    if (entry?._tag === 'Compressed')
      naming.refer('compressed cluster', view.hostOffset(i), availableBytes(entry), 1, via)
    else if (!naming.g.externalDataFile) naming.refer('data cluster', view.hostClusterOffset(i), naming.size, 1, via)
  }
}

const inWords = ({ at, size }: Range): string => `bytes ${at} to ${at + size - 1}`

const described = ({ section, guest, ...range }: Owner): string =>
  `${section} at ${inWords(range)}${guest === undefined ? '' : ` for guest ${inWords(guest)}`}`

/** What is said of two owners of a cluster. That two guest clusters share one is right when it is counted. */
const tell = (state: CheckState, cluster: number, a: Claimant, b: Claimant): void => {
  const alike = a.kind === b.kind && (a.kind === 'data cluster' || a.kind === 'L2 table')
  const counted = state.refcounts.get(cluster) === state.references.get(cluster)
  const owners = [a.owner, b.owner] as const
  state.find(
    alike && counted ? 'note' : 'flaw',
    inconsistent(
      alike ? 'REF-08' : 'GEN-01',
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
 * Names the owners of the clusters that have two. `walk` goes through the image once more, and only when there are any.
 *
 * @see GEN-01, GEN-05 and REF-08
 */
export function* nameOwners(
  state: CheckState,
  uses: Uses,
  walk: (again: CheckState, tables: Plan<void>) => Plan<unknown>
): Plan<void> {
  const claimants = new Map<number, Claimant[]>()
  for (const cluster of contested(state, uses)) {
    claimants.set(cluster, [])
    if (claimants.size > mostContested) break
  }
  if (claimants.size === 0) return
  const naming = new Naming(state, claimants)
  const tables = eachTable(naming, uses, function* (t) {
    nameEntries(naming, t)
  })
  yield* walk(naming, tables)
  const told = new Set<string>()
  for (const [cluster, [first, ...others]] of [...claimants].sort((a, b) => a[0] - b[0])) {
    if (first === undefined) continue
    for (const other of others) {
      const pair = `${first.identity}, ${other.identity}`
      if (!told.has(pair)) tell(state, cluster, first, other)
      told.add(pair)
    }
  }
  if (claimants.size > mostContested) state.find('note', unnamed)
}
