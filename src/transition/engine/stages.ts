/** Stages: the order in which the changes of a command become durable, and the flushes that keep it. */
import { flush, type HostWrite } from '../../bytes/host-write.js'

/**
 * The stages of a command, in order. Changes of one stage may become durable in any order, and any part of them may be
 * lost in a crash. Between two stages that both change something there is a flush, with these exceptions:
 *
 * - nothing waits for refcounts that fall and space that is freed, in `release` or `retire`
 * - `release` does not wait for `settle`, nor does `settle` wait for the `settle` of an earlier round
 * - `prepare` of a later round waits for nothing: the clusters that it takes are not those that earlier rounds free
 *
 * | stage | what becomes durable in it |
 * | --- | --- |
 * | `prepare` | what nothing durable points to yet, and refcounts that rise |
 * | `cover` | entries of the refcount table, which make new refcount blocks part of the image |
 * | `extend` | what needs those refcounts before any reader sees it |
 * | `record` | bitmap table entries of enabled bitmaps, and refcount blocks whose refcount is in a block of `extend` |
 * | `expose` | what the guest sees: pointers of one aligned word each, and data in its place |
 * | `settle` | the second word of a change that takes two |
 * | `release` | refcounts that fall, and space that is freed |
 * | `retire` | the same, where the second word takes the reference away |
 *
 * @see WR-08, ORD-01 and ORD-03
 */
export const stages = ['prepare', 'cover', 'extend', 'record', 'expose', 'settle', 'release', 'retire'] as const

/** One of the {@link stages}. */
export type Stage = (typeof stages)[number]

/** Host writes by stage: those of the first round come first, and each round has all {@link stages}. Some are empty. */
export type StagedWrites = readonly (readonly HostWrite[])[]

/** The number of a stage over all rounds. */
export const stageNumber = (round: number, stage: Stage): number => round * stages.length + stages.indexOf(stage)

/** The stage of a number over all rounds. */
export const stageOf = (i: number): Stage => stages[i % stages.length] ?? 'prepare'
/** The round of such a number. */
export const roundOf = (i: number): number => Math.floor(i / stages.length)

/** Whether a stage waits for an earlier one. */
export const waits = (from: number, to: number): boolean => {
  const [first, second] = [stageOf(from), stageOf(to)]
  if (first === 'release' || first === 'retire' || (first === 'settle' && second === 'settle')) return false
  return roundOf(from) === roundOf(to) ? first !== 'settle' || second !== 'release' : second !== 'prepare'
}

/** The stages that are not empty, in groups with a flush between any two. */
export const groups = (staged: StagedWrites): readonly (readonly number[])[] =>
  [...staged.keys()]
    .filter((i) => staged[i]?.length !== 0)
    .reduce<readonly (readonly number[])[]>((all, i) => {
      const last = all.at(-1)
      return last === undefined || last.some((from) => waits(from, i))
        ? [...all, [i]]
        : [...all.slice(0, -1), [...last, i]]
    }, [])

/** The writes of all stages in order, with the flushes between them. */
export const inOrder = (staged: StagedWrites): readonly HostWrite[] =>
  groups(staged).flatMap((group, n): readonly HostWrite[] => [
    ...(n === 0 ? [] : [flush]),
    ...group.flatMap((i) => staged[i] ?? [])
  ])
