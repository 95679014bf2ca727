/** Memoization: a plan runs over many versions of files, and its result is reused where all sectors that it reads are the same. */
import type * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../bytes/issue.js'
import { type FileRef, type Plan, runSync } from '../bytes/plan.js'
import { type Files, placeOf, worldOf } from '../store/files.js'
import { type Sector, sectorSize } from '../store/sector.js'
import { sectorAt } from '../store/tree.js'

/** How a plan ends. */
export type End<A> = E.Either<readonly Issue[], A>

/** The sector that a plan looks at next, and how it goes on from each content that was met. */
interface Asks<A> {
  readonly place: number
  readonly index: number
  readonly answers: Map<Sector, Known<A>>
}

/** All that is known of a plan from some sector on. */
type Known<A> = Asks<A> | { readonly end: End<A> }

/** A sector that was looked at: the place of its file among the files, its number, what it held. */
type Look = readonly [place: number, index: number, content: Sector]

/** Carries out a plan. Returns the sectors it reads, in order, each once. */
const watched = <A>(files: Files, plan: Plan<A>): { readonly end: End<A>; readonly looks: readonly Look[] } => {
  const looks: Look[] = []
  const met = files.map(() => new Set<number>())
  const world = worldOf<never>(files, () => undefined)
  const look = (file: FileRef, at: number, length: number): void => {
    const place = placeOf(files, file)
    const known = met[place]
    if (known === undefined || length === 0) return
    const last = Math.floor((at + length - 1) / sectorSize)
    for (let index = Math.floor(at / sectorSize); index <= last; index++) {
      if (known.has(index)) continue
      known.add(index)
      looks.push([place, index, sectorAt(files[place]?.store.tree, index)])
    }
  }
  const end = runSync(plan, {
    read: (request) => {
      look(request.file, request.at, request.length)
      return world.read(request)
    }
  })
  return { end, looks }
}

const lengthsOf = (files: Files): string => files.map(({ store }) => store.length).join(' ')

/**
 * How a plan about `about` ends over files. It must depend on nothing but that, what it reads and
 * the lengths of the files, which have the same order each time. Sectors are the same where they are one array.
 */
export const memoized = <K, A>(plan: (about: K, files: Files) => Plan<A>): ((about: K, files: Files) => End<A>) => {
  const roots = new Map<K, Map<string, Known<A>>>()
  return (about, files) => {
    const lengths = lengthsOf(files)
    const byLength = roots.get(about) ?? new Map<string, Known<A>>()
    roots.set(about, byLength)
    let known = byLength.get(lengths)
    while (known !== undefined && 'answers' in known)
      known = known.answers.get(sectorAt(files[known.place]?.store.tree, known.index))
    if (known !== undefined) return known.end

    const { end, looks } = watched(files, plan(about, files))
    let put = (next: Known<A>): unknown => byLength.set(lengths, next)
    let here = byLength.get(lengths)
    for (const [place, index, content] of looks) {
      const asks: Asks<A> = here !== undefined && 'answers' in here ? here : { place, index, answers: new Map() }
      if (asks !== here) put(asks)
      put = (next) => asks.answers.set(content, next)
      here = asks.answers.get(content)
    }
    put({ end })
    return end
  }
}
