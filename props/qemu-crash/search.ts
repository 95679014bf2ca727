/** The search for states after which an image that QEMU wrote breaks a promise, and the shortest script that leads to each kind of them. */
import { type CrashState } from '../../src/store/disk.js'
import { crashStates, type Effort, type Model } from '../../src/store/crash.js'
import { type Fate, isDurable } from '../../src/crash/fate.js'
import { type FileChange, storeOf } from '../../src/store/files.js'
import { read } from '../../src/store/store.js'
import type { Move } from '../arbitrary/script.js'
import type { Shape } from '../arbitrary/shape.js'
import { stretchesOf } from '../transition/crash/crash.js'
import { promiseOf } from '../../src/crash/explore.js'
import { judging } from '../../src/crash/judge.js'
import type { Recording } from '../transition/model/recording.js'
import { Disagreement, recordQemu, repairedByQemu } from './record.js'

/** A promise that was broken. */
export interface Violation {
  readonly model: Model
  readonly why: string
  /** The commands of the segment in which the power failed, by their numbers from 1. */
  readonly commands: readonly number[]
  readonly fates: readonly Fate[]
}

/** What an exploration has counted. */
export interface Tally {
  readonly epochs: number
  readonly states: number
  readonly leaking: number
  /** Dirty states that qemu-img repaired, or could not. */
  readonly repaired: number
  readonly violations: number
}

/** The changes between the flushes before and after the epoch of that number, and the commands that made them. */
const changesIn = ({ writes, madeBy }: Recording, epoch: number) => {
  const found: { readonly change: FileChange; readonly by: readonly [number, number] }[] = []
  let flushes = 0
  for (const [i, change] of writes.entries())
    if (change._tag === 'Flush') flushes++
    else if (flushes === epoch) found.push({ change, by: madeBy[i] ?? [0, 0] })
  return found
}

/** Dirty states of an epoch that qemu-img is asked to repair. */
const mostRepairs = 6

/** C6 and C8 under the dirty bit: what QEMU leaves, QEMU can repair. */
const unrepaired = ({ files }: CrashState): string | undefined => {
  const image = storeOf(files, { part: 'image', depth: 0 })
  const status = repairedByQemu(read(image, 0, image.length))
  return status === 0 ? undefined : `C6: after a repair of everything, check ends with exit code ${status ?? 'none'}`
}

/** Whether version 3 says so in its header. @see FEAT-04 */
const isDirty = ({ files }: CrashState): boolean => {
  const head = read(storeOf(files, { part: 'image', depth: 0 }), 0, 80)
  return head[7] === 3 && ((head[79] ?? 0) & 1) === 1
}

/** Visits the crash states of a recording; returns the numbers, and the first violation. */
export const exploreIn = (
  model: Model,
  recording: Recording,
  effort: Effort,
  firstOnly: boolean
): { readonly tally: Tally; readonly first?: Violation } => {
  const tally = { epochs: 0, states: 0, leaking: 0, repaired: 0, violations: 0 }
  let first: Violation | undefined
  for (const [number, { epoch, promised }] of stretchesOf(model, recording).entries()) {
    tally.epochs++
    let repairs = 0
    const judge = judging(promised)
    for (const state of crashStates(model, epoch, effort)) {
      tally.states++
      const verdict = judge(state.files)
      if (verdict.leaks > 0) tally.leaking++
      const asks = verdict.broken === undefined && model !== 'P4' && repairs < mostRepairs && isDirty(state)
      if (asks) repairs++
      const why = verdict.broken ?? (asks ? unrepaired(state) : undefined)
      if (why === undefined) continue
      tally.violations++
      if (first === undefined) {
        const changes = changesIn(recording, number)
        const [from = 0, to = 0] = changes[0]?.by ?? []
        first = {
          model,
          why,
          commands: Array.from({ length: to - from + 1 }, (_, i) => from + i),
          fates: changes.map(({ change }) => ({ change, durable: isDurable(state.files, change) }))
        }
      }
      if (firstOnly) return { tally, first }
    }
    tally.repaired += repairs
  }
  return { tally, ...(first === undefined ? {} : { first }) }
}

/** Models from the weakest assumption that QEMU's order is kept to the least that a disk promises. */
const models: readonly Model[] = ['P0', 'P1', 'P2']

/** The violation that takes the least: a prefix of the writes if that is enough, else some of them, else some sectors. */
export const violationIn = (recording: Recording, effort: Effort): Violation | undefined => {
  for (const model of models) {
    const { first } = exploreIn(model, recording, effort, true)
    if (first !== undefined) return first
  }
  return undefined
}

/** A script, what it recorded, and what it breaks. */
export interface Found {
  readonly shape: Shape
  readonly moves: readonly Move[]
  readonly recording: Recording
  readonly violation: Violation
}

/** What a script breaks; nothing where QEMU and the abstract disk disagree about it. */
const tried = (shape: Shape, moves: readonly Move[], effort: Effort): Found | undefined => {
  try {
    const recording = recordQemu(shape, moves)
    const violation = violationIn(recording, effort)
    return violation === undefined ? undefined : { shape, moves, recording, violation }
  } catch (error) {
    if (error instanceof Disagreement) return undefined
    throw error
  }
}

/** The kind of a violation: what was being done, and which promise broke. */
export const kindOf = ({ recording, violation }: Found): string => {
  const done = violation.commands.map((n) => recording.commands[n - 1]?._tag ?? '')
  return `${[...new Set(done)].join(' and ')}: ${promiseOf(violation.why)}`
}

/** The same script with fewer moves, as long as one can be left out, or be a mere flush, and the same promise breaks. */
export const shortest = (found: Found, effort: Effort): Found => {
  const promise = promiseOf(found.violation.why)
  for (const [i, move] of found.moves.entries())
    for (const instead of move.kind === 'Flush' ? [[]] : [[], [{ ...move, kind: 'Flush' as const }]]) {
      const less = tried(found.shape, found.moves.toSpliced(i, 1, ...instead), effort)
      if (less !== undefined && promiseOf(less.violation.why) === promise) return shortest(less, effort)
    }
  return found
}
