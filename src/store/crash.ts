/**
 * Crash states: what a disk may hold after the power fails between two flushes.
 *
 * | model | after the last completed flush the disk holds |
 * | --- | --- |
 * | P0 | the changes up to some point, in order |
 * | P1 | any of the changes, without the others |
 * | P2 | any of the 512-byte sectors, each in any version that it had since the flush |
 * | P3 | as P2, but one sector may be torn: up to a multiple of 8 bytes one version, from there on another |
 * | P4 | as P2, as if there had been no flush at all: the negative control, in which every order of writes must break |
 *
 * A change is a write, a punched range or a truncation. One that changes nothing is left out.
 *
 * *Sectors.* A sector that several changes touch reaches the disk as it was right after one of them, which includes those
 * before. So a sector that is written twice is old, or as after the first write, or as after both, and never as after the
 * second alone. In P1 too a change brings whole sectors as they were right after it, and the later of two wins. From P2 on,
 * writes and punched ranges are torn between sectors.
 *
 * *Lengths.* The disk has a truncation or has it not. If it has, the bytes of older sector versions past that length are
 * gone. A file is as long as the last truncation that the disk has, or as before the epoch without one, and longer where the
 * disk has sectors with later writes.
 *
 * Where all states are enumerated, each of P0 to P3 has the states of those before it. Every enumeration has the state
 * before the epoch, the one after it, and those of P0.
 */
import type { HostWrite } from '../bytes/host-write.js'
import { sum } from '../bytes/list.js'
import { anyChoice, type Choice, countOf, everyChoice, someChoices, someOf } from './choices.js'
import type { Digest } from './digest.js'
import { type CrashState, type EpochDisk, epochDisk, type Holding, type Torn } from './disk.js'
import { type Draw, drawsOf } from './draw.js'
import { type Epoch, epochsOf } from './epoch.js'
import type { Files } from './files.js'
import { withoutFlushes } from './reorder.js'

/** A model of what a crash may leave: see the table above. */
export type Model = 'P0' | 'P1' | 'P2' | 'P3' | 'P4'

/** How many states are visited. */
export interface Effort {
  /** Up to this number of choices all are made: 4096 are those of 12 sectors that are written once. */
  readonly exhaustive: number
  /** Where there are more, this many are drawn of each family that grows faster than the number of sectors. */
  readonly sample: number
  /** The seed of the draws, a number of 32 bits. */
  readonly seed: number
}

/** All states of epochs of up to 12 sectors. */
export const usualEffort: Effort = { exhaustive: 4096, sample: 256, seed: 1 }

/** The numbers of the changes that change anything, in order. */
const changesOf = ({ cells, cuts }: Epoch): readonly number[] =>
  [...new Set([...cells.flatMap(({ steps }) => steps), ...cuts].map(({ by }) => by))].toSorted((a, b) => a - b)

/** The holding of a disk that has every change before `change`, and no other. */
const holdingBefore = ({ cells, cuts }: Epoch, change: number): Holding => [
  ...cells.map(({ steps }) => steps.findLast(({ by }) => by < change)?.version ?? 0),
  ...cuts.map(({ by }) => (by < change ? 1 : 0))
]

/** The choices of a model. */
interface Space {
  readonly radices: Choice
  /** The choices of the first changes, from none of them to all. */
  readonly prefixes: readonly Choice[]
  readonly holding: (choice: Choice) => Holding
}

/** The choices with a digit for each change: 1 if the disk has it. */
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

/** The choices with a digit for each sector, its version, and one for each truncation. */
const sectorSpace = (epoch: Epoch): Space => ({
  radices: [...epoch.cells.map(({ versions }) => versions.length), ...epoch.cuts.map(() => 2)],
  prefixes: [...changesOf(epoch), Infinity].map((end) => holdingBefore(epoch, end)),
  holding: (choice) => choice
})

/** A state of the disk that has not been built. */
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

/** Tears of a sector that are tried with each holding of the other sectors, unless all states are enumerated. */
const tearsTried = 16

function* torn(epoch: Epoch, disk: EpochDisk, effort: Effort, draw: Draw): Generator<Candidate, boolean> {
  const { radices, prefixes } = sectorSpace(epoch)
  const others = epoch.cells.map((_, cell) => radices.with(cell, 1))
  const nothing = holdingBefore(epoch, 0)
  const count = sum(others.map((rest, cell) => countOf(rest) * disk.tears(nothing, cell).length))
  const whole = countOf(radices) + count <= effort.exhaustive

  /** The other sectors as they were when a version was made, before and after all changes, and at random. */
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

function* candidates(model: Model, epoch: Epoch, disk: EpochDisk, effort: Effort): Generator<Candidate, boolean> {
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
 * The states that a crash in an epoch may leave, each once, neighbours mostly one sector apart. Returns whether they are all.
 * The same effort gives the same states in the same order.
 *
 * P4 is P2 of an epoch that ignores flushes: make it of writes {@link withoutFlushes}.
 *
 * @example
 * import { crashStates, epochsOf } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * const file = { part: 'image', depth: 0 } as const
 * const write = { _tag: 'Write', file, at: 0, bytes: new Uint8Array(1024).fill(7) } as const
 * const states = epochsOf([], [write]).flatMap((epoch) => [...crashStates('P2', epoch)])
 * assert.equal(states.length, 4)
 */
export function* crashStates(model: Model, epoch: Epoch, effort: Effort = usualEffort): Generator<CrashState, boolean> {
  const disk = epochDisk(epoch)
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

/** The counts of an exploration. */
export interface Explored {
  readonly epochs: number
  /** Epochs of which all states were visited. */
  readonly whole: number
  /** Sectors that changed, summed over the epochs. */
  readonly sectors: number
  /** Distinct states, summed over the epochs. */
  readonly states: number
}

/**
 * Visits the crash states of each epoch of the writes, with the epoch and the number of completed flushes. The state at the
 * end of an epoch is visited again at the beginning of the next: then a flush covers it, and more is promised.
 *
 * @example
 * import { explore } from 'qcow2-spec/store'
 * import * as assert from 'node:assert/strict'
 *
 * const file = { part: 'image', depth: 0 } as const
 * const write = { _tag: 'Write', file, at: 0, bytes: new Uint8Array(1024).fill(7) } as const
 * assert.deepEqual(
 *   explore('P2', [], [write], ({ files }) => assert.ok(files.length <= 1)),
 *   { epochs: 1, whole: 1, sectors: 2, states: 4 }
 * )
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
