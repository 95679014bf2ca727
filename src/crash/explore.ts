/** Exploring what a program wrote: the states that a crash may leave of it, judged by the disk that its image presents. */
import * as E from 'fp-ts/lib/Either.js'
import type { Issue } from '../bytes/issue.js'
import { crashStates, type Model } from '../store/crash.js'
import { epochsOf } from '../store/epoch.js'
import type { Files } from '../store/files.js'
import { type Fate, isDurable } from './fate.js'
import { judging } from './judge.js'
import { ordered, type Period } from './order.js'
import type { Recorded } from './recorded.js'
import { type BackingKinds, type Presented, presentedIn } from './presented.js'

/** What is promised of the guest disk. */
export type Expected = 'old' | 'old-or-new' | 'any'

/** What is explored. */
export interface Subject {
  readonly before: Files
  readonly recorded: readonly Recorded[]
  /** The kinds of its backing files, from the top down. */
  readonly backing: BackingKinds
  readonly expected: Expected
}

/** A state in which a promise is broken. */
export interface Violation {
  readonly model: Model
  /** The promise, and how it is broken: `C2: ...`. */
  readonly why: string
  /** Depth of the image that breaks it: 0 for the image itself. */
  readonly depth: number
  /** How many changes are durable, whatever the power does. */
  readonly prefix: number
  readonly fates: readonly Fate[]
  readonly files: Files
}

/** What was counted under a model. */
export interface Tally {
  readonly model: Model
  readonly epochs: number
  /** Epochs of which all states were visited. */
  readonly whole: number
  readonly states: number
  readonly leaking: number
  readonly violations: number
  readonly kinds: readonly Kind[]
}

/** Violations of one promise. */
export interface Kind {
  readonly promise: string
  readonly states: number
  /** The one with the fewest durable changes. */
  readonly smallest: Violation
}

/** A share of the epochs: those whose number modulo `of` is `part`. */
export interface Share {
  readonly part: number
  readonly of: number
}

/** How much is visited. */
export interface Bounds {
  /** Most states of an epoch; all are visited if there are fewer. */
  readonly most: number
  /** The seed of the states that are drawn where there are more. */
  readonly seed: number
  readonly share?: Share
}

const everything: Share = { part: 0, of: 1 }

/** The promise that a sentence names, and the clause where it is about one. */
export const promiseOf = (why: string): string =>
  [why.replace(/:.*$/s, ''), ...(/\[[A-Z0-9]+-[0-9]+\]/.exec(why) ?? [])].join(' ')

/** The files as they are for the image `depth` backing files down. */
const filesFrom = (depth: number, files: Files): Files =>
  files
    .filter(({ file }) => file.depth >= depth)
    .map(({ file, store }) => ({ file: { ...file, depth: file.depth - depth }, store }))

/** What the image presents after each flush; where it can no longer be read, what it presented last. */
const presentedAfterFlushes = (
  seen: readonly Files[],
  { first, backing, expected }: Pick<Subject, 'backing' | 'expected'> & { readonly first: Presented }
): readonly Presented[] => {
  const all: Presented[] = []
  for (const files of seen) {
    const presented = E.getOrElse(() => all.at(-1) ?? first)(presentedIn(files, backing))
    all.push({ ...presented, wrong: first.wrong ?? 0, ...(expected === 'old' ? { content: first.content } : {}) })
  }
  return all
}

const durableIn = ({ prefix, fates }: Pick<Violation, 'prefix' | 'fates'>): number =>
  prefix + fates.filter(({ durable }) => durable).length

/** An image of the chain, and what it presents after each flush. */
interface Judged {
  readonly depth: number
  readonly presented: readonly Presented[]
}

/** The first promise that a state breaks, and the clusters that leak in it. */
type Judge = (files: Files) => { readonly leaks: number; readonly broken?: readonly [depth: number, why: string] }

/** The judge of a period: each guest sector must be the same as in one of its views. */
const judgeOf = (
  images: readonly Judged[],
  [first, last]: Period['views'],
  model: Model,
  { backing, expected }: Subject
): Judge => {
  const judges = images.flatMap(({ depth, presented }) => {
    const [durable, ...later] = presented.slice(first, last + 1)
    if (durable === undefined) return []
    const promise = { durable, later, torn: model === 'P3', anyContent: expected === 'any' }
    return [{ depth, judge: judging(promise, backing.slice(depth)) }]
  })
  return (files) => {
    let leaks = 0
    for (const { depth, judge } of judges) {
      const verdict = judge(filesFrom(depth, files))
      leaks += verdict.leaks
      if (verdict.broken !== undefined) return { leaks, broken: [depth, verdict.broken] }
    }
    return { leaks }
  }
}

/** The images of a chain that are judged, or why one cannot be. */
const imagesOf = (
  { before, backing, expected }: Subject,
  seen: readonly Files[]
): E.Either<readonly Issue[], readonly Judged[]> => {
  const images: Judged[] = []
  for (const [depth, kind] of (['Image', ...backing] as const).entries()) {
    if (kind === 'Raw') continue
    const below = backing.slice(depth)
    const first = presentedIn(filesFrom(depth, before), below)
    if (E.isLeft(first)) return first
    const presented = presentedAfterFlushes(
      seen.map((files) => filesFrom(depth, files)),
      { first: first.right, backing: below, expected }
    )
    images.push({ depth, presented })
  }
  return E.right(images)
}

/** Visits the states that a crash may leave, under one model; issues of an image that cannot be read before. */
export const exploreRecorded = (
  subject: Subject,
  model: Model,
  { most, seed, share = everything }: Bounds
): E.Either<readonly Issue[], Tally> => {
  const { periods, views } = ordered(subject.before, subject.recorded)
  const images = imagesOf(subject, views)
  if (E.isLeft(images)) return images
  const counted = { epochs: 0, whole: 0, states: 0, leaking: 0, violations: 0 }
  const kinds = new Map<string, Kind>()
  for (const [i, period] of periods.entries()) {
    const [epoch] = epochsOf(period.durable, period.changes)
    if (epoch === undefined || i % share.of !== share.part) continue
    counted.epochs++
    const judge = judgeOf(images.right, period.views, model, subject)
    const states = crashStates(model, epoch, { exhaustive: most, sample: Math.ceil(most / 16), seed })
    let next = states.next()
    for (let visited = 0; next.done !== true && visited < most; visited++, next = states.next()) {
      const { files } = next.value
      const { leaks, broken } = judge(files)
      counted.states++
      if (leaks > 0) counted.leaking++
      if (broken === undefined) continue
      counted.violations++
      const [depth, why] = broken
      const promise = promiseOf(why)
      const known = kinds.get(promise)
      const fates = period.changes.map((change) => ({ change, durable: isDurable(files, change) }))
      const found: Violation = { model, why, depth, prefix: period.count, fates, files }
      const smallest = known === undefined || durableIn(found) < durableIn(known.smallest) ? found : known.smallest
      kinds.set(promise, { promise, states: (known?.states ?? 0) + 1, smallest })
    }
    if (next.done === true && next.value) counted.whole++
  }
  return E.right({ model, ...counted, kinds: [...kinds.values()] })
}
