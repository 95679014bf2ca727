/**
 * Crash states: what the disk may hold when the power fails between two flushes.
 *
 * | model | after the last completed flush the disk holds |
 * | --- | --- |
 * | P0 | the changes up to some point, in order |
 * | P1 | any of the changes, without the others |
 * | P2 | any of the 512-byte sectors, each in any version it had since the flush |
 * | P3 | as P2, but one sector may be torn: up to a multiple of 8 bytes one version, from there on another |
 * | P4 | as P2, as if there had been no flush at all: the negative control, in which a sound order of writes must break |
 *
 * A change is a write, a punched range or a truncation; one that changes nothing is left out.
 *
 * *Sectors.* When several changes touch a sector, it goes to the disk as it was right after one of them, with all before
 * in it. So a sector written twice is old, or as after the first write, or as after both, and never as after the second
 * alone. In P1 too a change brings whole sectors as they were right after it, and of two that touch a sector the later
 * counts. From P2 on, writes and punched ranges are torn between sectors.
 *
 * *Lengths.* A truncation the disk has or has not. If it has, what older versions of sectors have past that length is gone.
 * A file is as long as the last truncation says that the disk has, or else as it was before the epoch, and longer if the
 * disk has sectors with later writes in them: it has room for these writes.
 *
 * In what is enumerated in full, each of P0 to P3 has all states of those before it. Every enumeration has the state
 * before the epoch, the one after it, and those of P0.
 */
import type { HostWrite } from '../bytes/host-write.js'
import { sum } from '../bytes/list.js'
import { anyChoice, type Choice, countOf, everyChoice, someChoices, someOf } from './choices.js'
import type { Digest } from './digest.js'
import { type CrashState, type Disk, diskOf, type Holding, type Torn } from './disk.js'
import { type Draw, drawsOf } from './draw.js'
import { type Epoch, epochsOf } from './epoch.js'
import type { Files } from './files.js'
import { withoutFlushes } from './reorder.js'

/** What a crash may leave. */
export type Model = 'P0' | 'P1' | 'P2' | 'P3' | 'P4'

/** How far to go. */
export interface Effort {
  /** Choices up to this number are all made: 4096 are those of 12 sectors written once. */
  readonly exhaustive: number
  /** Where there are more, so many are drawn of each family that grows faster than the number of things. */
  readonly sample: number
  /** The seed of those draws, a number of 32 bits. */
  readonly seed: number
}

/** Up to 12 sectors in full. */
export const usualEffort: Effort = { exhaustive: 4096, sample: 256, seed: 1 }

/** The changes that change anything, by their numbers, in order. */
const changesOf = ({ cells, cuts }: Epoch): readonly number[] =>
  [...new Set([...cells.flatMap(({ steps }) => steps), ...cuts].map(({ by }) => by))].toSorted((a, b) => a - b)

/** What the disk holds when it has every change that comes before one, and no other. */
const holdingBefore = ({ cells, cuts }: Epoch, change: number): Holding => [
  ...cells.map(({ steps }) => steps.findLast(({ by }) => by < change)?.version ?? 0),
  ...cuts.map(({ by }) => (by < change ? 1 : 0))
]

/** What may be chosen in a model. */
interface Space {
  readonly radices: Choice
  /** Those that are a prefix of the changes, from none of them to all. */
  readonly prefixes: readonly Choice[]
  readonly holding: (choice: Choice) => Holding
}

/** One digit for each change: 1 if the disk has it. */
const changeSpace = (epoch: Epoch): Space => {
  const changes = changesOf(epoch)
  const digitOf = new Map(changes.map((by, i) => [by, i]))
  const cells = epoch.cells.map(({ steps }) =>
    steps.map(({ by, version }) => ({ digit: digitOf.get(by) ?? 0, version }))
  )
  const cuts = epoch.cuts.map(({ by }) => digitOf.get(by) ?? 0)
  return {
    radices: changes.map(() => 2),
    prefixes: [...changes, Infinity].map((end) => changes.map((by) => (by < end ? 1 : 0))),
    holding: (choice) => [
      ...cells.map((steps) => steps.findLast(({ digit }) => choice[digit] === 1)?.version ?? 0),
      ...cuts.map((digit) => choice[digit] ?? 0)
    ]
  }
}

/** One digit for each sector: its version; and one for each truncation. */
const sectorSpace = (epoch: Epoch): Space => ({
  radices: [...epoch.cells.map(({ versions }) => versions.length), ...epoch.cuts.map(() => 2)],
  prefixes: [...changesOf(epoch), Infinity].map((end) => holdingBefore(epoch, end)),
  holding: (choice) => choice
})

/** A state of the disk, not made yet. */
interface Candidate {
  readonly holding: Holding
  readonly torn?: Torn
}

function* untorn(space: Space, effort: Effort, draw: Draw): Generator<Candidate, boolean> {
  const { radices, prefixes, holding } = space
  const whole = countOf(radices) <= effort.exhaustive
  const choices = whole ? everyChoice(radices) : someChoices(radices, prefixes, effort.sample, draw)
  for (const choice of choices) yield { holding: holding(choice) }
  return whole
}

/** Most tears of a sector that are tried in one surrounding, where not all are in every one. */
const tearsTried = 16

function* torn(epoch: Epoch, disk: Disk, effort: Effort, draw: Draw): Generator<Candidate, boolean> {
  const { radices, prefixes } = sectorSpace(epoch)
  const others = epoch.cells.map((_, cell) => radices.with(cell, 1))
  const nothing = holdingBefore(epoch, 0)
  const count = sum(others.map((rest, cell) => countOf(rest) * disk.tears(nothing, cell).length))
  const whole = countOf(radices) + count <= effort.exhaustive

  /** The others as they were when a version was made, before everything, after everything, and at random. */
  const surroundings = (cell: number): readonly Holding[] => [
    ...(epoch.cells[cell]?.versions ?? []).map(({ by }) => holdingBefore(epoch, by)),
    holdingBefore(epoch, Infinity),
    anyChoice(radices, prefixes, draw)
  ]
  for (const [cell, rest] of others.entries())
    for (const holding of whole ? everyChoice(rest) : surroundings(cell)) {
      const tears = disk.tears(holding, cell)
      for (const i of someOf(tears.length, whole ? Infinity : tearsTried, draw)) {
        const version = tears[i]
        if (version !== undefined) yield { holding, torn: { cell, version } }
      }
    }
  return whole
}

function* candidates(model: Model, epoch: Epoch, disk: Disk, effort: Effort): Generator<Candidate, boolean> {
  const draw = drawsOf(effort.seed)
  switch (model) {
    case 'P0':
      for (const end of [...changesOf(epoch), Infinity]) yield { holding: holdingBefore(epoch, end) }
      return true
    case 'P1':
      return yield* untorn(changeSpace(epoch), effort, draw)
    case 'P2':
    case 'P4':
      return yield* untorn(sectorSpace(epoch), effort, draw)
    case 'P3': {
      const whole = yield* untorn(sectorSpace(epoch), effort, draw)
      return (yield* torn(epoch, disk, effort, draw)) && whole
    }
  }
}

/**
 * The states that a crash in the epoch may leave, each once, those that follow one another mostly a sector apart. Returns
 * whether that is all of them. The same effort gives the same states in the same order.
 *
 * P4 is P2 of an epoch that goes on over the flushes: make it of writes without them.
 */
export function* crashStates(model: Model, epoch: Epoch, effort: Effort = usualEffort): Generator<CrashState, boolean> {
  const disk = diskOf(epoch)
  const seen = new Set<Digest>()
  const all = candidates(model, epoch, disk, effort)
  let next = all.next()
  for (; next.done !== true; next = all.next()) {
    const state = disk.state(next.value.holding, next.value.torn)
    if (seen.has(state.digest)) continue
    seen.add(state.digest)
    yield state
  }
  return next.value
}

/** What an exploration came to. */
export interface Explored {
  readonly epochs: number
  /** Epochs all of whose states were visited. */
  readonly whole: number
  /** Sectors that changed, summed over the epochs. */
  readonly sectors: number
  /** Distinct states, summed over the epochs. */
  readonly states: number
}

/**
 * Visits the crash states of each epoch of the writes, with the epoch and the number of flushes that were completed. The
 * state in which an epoch ends is visited again as the one in which the next begins: then it is covered by a flush, and
 * more is promised.
 */
export const explore = (
  model: Model,
  before: Files,
  writes: readonly HostWrite[],
  visit: (state: CrashState, epoch: Epoch, flushes: number) => void,
  effort: Effort = usualEffort
): Explored => {
  const epochs = epochsOf(before, model === 'P4' ? withoutFlushes(writes) : writes)
  const counted = { whole: 0, states: 0 }
  for (const [flushes, epoch] of epochs.entries()) {
    const states = crashStates(model, epoch, effort)
    let next = states.next()
    for (; next.done !== true; next = states.next()) {
      counted.states += 1
      visit(next.value, epoch, flushes)
    }
    if (next.value) counted.whole += 1
  }
  return { ...counted, epochs: epochs.length, sectors: sum(epochs.map(({ cells }) => cells.length)) }
}
