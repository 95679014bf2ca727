/** What a disk may rely on of recorded changes: a sync covers one file, so that changes of the others wait past it. */
import { apply, type FileChange, type Files } from '../store/files.js'
import type { Recorded, Sync } from './recorded.js'

/** What happens up to a sync that makes something durable, or up to the end. */
export interface Period {
  /** The files with what is durable when it begins. */
  readonly durable: Files
  /** How many changes that is. */
  readonly count: number
  /** Changes that the disk may have, in the order of the program: those that wait, and those of the period. */
  readonly changes: readonly FileChange[]
  /** The views, by their numbers, that a guest may see any sector of: the last one before the oldest change, and those up to its end. */
  readonly views: readonly [first: number, last: number]
}

/** The periods of a program, and its views: the files as it sees them, durable or not, before it and at the end of each period. */
export interface Ordered {
  readonly periods: readonly Period[]
  readonly views: readonly Files[]
}

/** A change that is not durable, and the number of the period that it is made in. */
interface Waiting {
  readonly change: FileChange
  readonly period: number
}

const covers = ({ file }: Sync, change: FileChange): boolean =>
  file === undefined || (file.part === change.file.part && file.depth === change.file.depth)

/** The periods of recorded changes. A sync that covers nothing ends none. */
export const ordered = (before: Files, recorded: readonly Recorded[]): Ordered => {
  const periods: Period[] = []
  const views: Files[] = [before]
  let durable = before
  let count = 0
  let now = before
  let waiting: Waiting[] = []
  const end = (): void => {
    const changes = waiting.map(({ change }) => change)
    const first = Math.min(periods.length, ...waiting.map(({ period }) => period))
    views.push(now)
    periods.push({ durable, count, changes, views: [first, periods.length + 1] })
  }
  for (const each of recorded)
    if (each._tag !== 'Sync') {
      now = apply([each])(now)
      waiting.push({ change: each, period: periods.length })
    } else {
      const covered = waiting.filter(({ change }) => covers(each, change))
      if (covered.length === 0) continue
      end()
      durable = apply(covered.map(({ change }) => change))(durable)
      count += covered.length
      waiting = waiting.filter(({ change }) => !covers(each, change))
    }
  end()
  return { periods, views }
}
