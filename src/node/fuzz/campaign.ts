/** Campaigns: generated images through a program, compared with this package or with another program. */
import { join } from 'node:path'
import { type CommandError, get, task, wait } from '../command-error.js'
import { inScratch } from '../files/scratch.js'
import { drawnChoices } from '../../fuzz/choices.js'
import { imageOf } from '../../fuzz/image.js'
import type * as E from 'fp-ts/lib/Either.js'
import { clauseOf, type Find, findOf, shrunk, type Tried } from './find.js'
import { numbersOf, type Shard } from './shard.js'
import { agrees, type Comparison, kindOf, makeFolder, tryImage } from './subject.js'
import type { Outcome, Summary } from './summary.js'

/** What a campaign does. */
export interface Campaign {
  readonly comparison: Comparison
  /** The command that compares the same programs. */
  readonly command: string
  /** Whether writes elsewhere were watched, in sentences. */
  readonly notes: readonly string[]
  readonly seed: number
  readonly shard: Shard
  /** Images of all shards together; it ends with them, or when the time is over. */
  readonly count: number
  readonly seconds: number
  readonly jobs: number
  /** The folder that finds are saved in. */
  readonly finds: string
}

/** Most finds of one kind that are shrunk: of a program that refuses everything, more would be the same. */
const mostFinds = 16

/** The clauses of a find, of its faults, and of what it makes use of: all, or so many of the most specific ones. */
const clausesOf = (tried: Tried, uses = Infinity): readonly string[] => [
  clauseOf(tried),
  ...tried.image.faults.map(({ clause }) => clause),
  ...tried.image.uses.slice(0, uses)
]

/** Finds that are known, by what explains each: its clauses, with the most specific one of what it makes use of. */
class Known {
  private readonly kinds = new Map<string, (readonly string[])[]>()

  /** Whether a find is new: of its kind, no other is explained by clauses that it has as well. */
  isNew(tried: Tried): boolean {
    const known = this.kinds.get(kindOf(tried.trial)) ?? []
    const clauses = clausesOf(tried)
    return known.length < mostFinds && !known.some((each) => each.every((clause) => clauses.includes(clause)))
  }

  add(tried: Tried): void {
    const kind = kindOf(tried.trial)
    this.kinds.set(kind, [...(this.kinds.get(kind) ?? []), clausesOf(tried, 1)])
  }
}

/**
 * Runs a campaign. `showFind` is called with each find when it is shrunk, `showDone` with how many images are done.
 * What is counted depends on seed, shard and count alone.
 */
export const campaign = task(async function* (
  asked: Campaign,
  showFind: (find: Find) => E.Either<CommandError, void>,
  showDone: (done: number) => void
) {
  const end = performance.now() + asked.seconds * 1000
  const numbers = numbersOf(asked.shard, asked.count)
  const known = new Known()
  const finds: Find[] = []
  const differ = new Map<string, number>()
  const counts = { images: 0, agree: 0, unsure: 0 }

  const one = task(async function* (number: number, folder: string) {
    const choices = drawnChoices(asked.seed, number)
    const image = imageOf(choices)
    const trial = yield* wait(tryImage(asked.comparison, image.bytes, folder))
    counts.images++
    counts.unsure += Number(trial.reading._tag === 'Unsure')
    showDone(counts.images)
    if (agrees(trial)) {
      counts.agree++
      return
    }
    const tried: Tried = { image, made: choices.made, trial }
    const kind = kindOf(trial)
    differ.set(kind, (differ.get(kind) ?? 0) + 1)
    if (!known.isNew(tried)) return
    const least = yield* wait(shrunk(asked.comparison, tried, folder))
    if (!known.isNew(least)) return
    known.add(least)
    const find = yield* get(findOf(least, number, asked.finds, asked.command))
    finds.push(find)
    yield* get(showFind(find))
  })

  const work = task(async function* (folder: string) {
    yield* get(makeFolder(folder))
    for (const number of numbers) {
      if (performance.now() > end) return
      yield* wait(one(number, folder))
    }
  })

  yield* wait(
    inScratch(
      task(async function* (root: string) {
        const all = await Promise.all(Array.from({ length: asked.jobs }, (_, i) => work(join(root, String(i)))()))
        for (const each of all) yield* get(each)
      })
    )
  )
  const summary: Summary = {
    summary: true,
    reader: asked.command,
    notes: asked.notes,
    ...counts,
    differ: Object.fromEntries([...differ].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
  const outcome: Outcome = { summary, finds }
  return outcome
})
