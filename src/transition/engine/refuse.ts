/** Refusals: why a command is not carried out. It changes nothing then. */
import { type Issue, issue, type Phase, type Place } from '../../bytes/issue.js'
import { failOn, failWith, type Plan } from '../../bytes/plan.js'
import type { Geometry } from '../../format/geometry.js'
import { type Header, headerPlaces } from '../../format/header.js'
import { judgeHeader } from '../../format/header-rules.js'
import { sectorSize } from '../../format/limits.js'

/** Where a refusal finds its reason, and the phase of its issue: `inconsistent` unless given. */
type Spot = Partial<Place> & { readonly phase?: Phase }

/** The issue of a command that its image does not allow: the clause that forbids it, and what was found in place of what. */
export const refusal = (clause: Issue['clause'], found: string, expected: string, spot: Spot = {}): Issue =>
  issue({
    clause,
    phase: 'inconsistent',
    source: 'both',
    structure: 'image',
    field: '',
    at: 0,
    size: 0,
    ...spot,
    found,
    expected
  })

/** Ends a command with its {@link refusal}. */
export const refuse = <A = never>(clause: Issue['clause'], found: string, expected: string, spot?: Spot): Plan<A> =>
  failWith<A>([refusal(clause, found, expected, spot)])

/** Refuses a disk of `size` bytes, which are whole sectors; `found` is what would have it. @see RS-01 */
export function* mayHaveSize(size: number, found: string): Plan<void> {
  if (!Number.isSafeInteger(size) || size < 0 || size % sectorSize !== 0)
    yield* refuse('RS-01', found, `a multiple of ${sectorSize}`)
}

/** Refuses what needs the guest's data in the image file, such as snapshots. @see DATA-10 */
export function* mayStoreData(g: Pick<Geometry, 'externalDataFile'>): Plan<void> {
  if (g.externalDataFile)
    yield* refuse('DATA-10', 'an external data file', 'all data in the image', { structure: 'header' })
}

/** Ends a command that would give the header fields which a rule about them forbids. */
export function* mayHave(h: Header, fields: Partial<Header>): Plan<void> {
  const names = Object.keys(fields).map((key) => headerPlaces.placeOf(key, h).field)
  yield* failOn(judgeHeader({ ...h, ...fields }).filter(({ field }) => names.includes(field)))
}
