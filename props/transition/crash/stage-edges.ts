/** The edges between stages: which two stages each flush of a command keeps apart. */
import {
  groups,
  roundOf,
  type Stage,
  stageOf,
  type StagedWrites,
  waits
} from '../../../src/transition/engine/stages.js'

/** What a flush keeps apart: a stage that changes something, and the next one that waits for it. */
export interface Edge {
  readonly from: Stage
  readonly to: Stage
  /** Whether the second stage is of a later round. */
  readonly anew: boolean
  /** Number of the second stage over all rounds. */
  readonly stage: number
}

/** The edges of the flushes of `inOrder`, in their order. */
export const edgesOf = (staged: StagedWrites): readonly Edge[] => {
  const all = groups(staged)
  return all.slice(1).map(([to = 0], n) => {
    const from = all[n]?.findLast((i) => waits(i, to)) ?? to
    return { from: stageOf(from), to: stageOf(to), anew: roundOf(from) < roundOf(to), stage: to }
  })
}
