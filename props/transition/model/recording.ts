/** Recordings: what a script writes, in order, and the abstract disk after each of its commands. */
import { blankDisk, type Disk } from '../../../spec/disk.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import type { Files as Stored } from '../../../src/store/files.js'
import { fromBytes } from '../../../src/store/store.js'
import { allocate } from '../../../src/transition/engine/allocate.js'
import type { Command } from '../../../src/transition/command.js'
import { carryOut } from '../../../src/transition/engine/finish.js'
import { Group, mayJoin } from '../../../src/transition/group.js'
import { commandOf, type Move } from '../../arbitrary/script.js'
import { backingOf, type Shape, traitsOf } from '../../arbitrary/shape.js'
import { type Files, type Machine, newMachine, perform, right, runOver } from './machine.js'
import type { Presented } from '../../../src/crash/presented.js'
import { follow, type Pair } from './square.js'

/** A script that was carried out. */
export interface Recording {
  /** The files before the first command; they are durable. */
  readonly before: Stored
  readonly writes: readonly HostWrite[]
  /** For each write, the numbers of the first and the last command that have part in it, the first of all being 1. */
  readonly madeBy: readonly (readonly [first: number, last: number])[]
  readonly commands: readonly Command[]
  /** The disk before the first command, and after each. */
  readonly disks: readonly Presented[]
}

/** The files as the simulated store holds them. */
export const stored = ({ image, data, backing }: Files): Stored => [
  { file: { part: 'image', depth: 0 }, store: fromBytes(image) },
  { file: { part: 'data', depth: 0 }, store: fromBytes(data) },
  { file: { part: 'image', depth: 1 }, store: fromBytes(backing) }
]

/** The image after `clusters` clusters were allocated to which nothing refers. */
const leaking = (machine: Machine, clusters: number): Machine => {
  const leak = carryOut(machine.opened, function* (w) {
    for (let n = 0; n < clusters;) n += (yield* allocate(w, 1, clusters - n)).n
  })
  const { writes, next } = right(runOver(machine.files, leak))
  return { files: perform(machine.files, writes), opened: next }
}

/** A new image and the blank disk it stands for. */
export const begin = (shape: Shape): Pair => {
  const backing = backingOf(shape)
  const size = Math.ceil(shape.options.size / 512) * 512
  const machine = leaking(newMachine(shape.options, backing), shape.leaked ?? 0)
  const data = new Uint8Array(shape.tail === undefined ? machine.files.data.length : size + shape.tail)
  data.fill(0xcc, size)
  return {
    machine: { ...machine, files: { ...machine.files, data } },
    disk: blankDisk(traitsOf(shape), size, backing)
  }
}

/** Carries out a script on the image that some moves before it have made. With `grouped`, guest writes wait for each other. */
export const record = (
  shape: Shape,
  moves: readonly Move[],
  { prelude = [], grouped = false }: { readonly prelude?: readonly Move[]; readonly grouped?: boolean } = {}
): Recording => {
  const first = prelude.reduce<Pair>((pair, m, i) => follow(pair, commandOf(m, pair.disk, 100 + i)), begin(shape))
  const commands: Command[] = []
  const writes: HostWrite[] = []
  const madeBy: (readonly [number, number])[] = []
  const disks: Disk[] = [first.disk]
  const waiting = { group: new Group(), since: 1 }
  const write = (list: readonly HostWrite[], from: number, to: number): void => {
    for (const w of list) {
      writes.push(w)
      madeBy.push([from, to])
    }
  }
  const release = (before: number): void => {
    write(waiting.group.writes(), waiting.since, before - 1)
    waiting.group = new Group()
    waiting.since = before
  }
  moves.reduce<Pair>((pair, m, i) => {
    const number = i + 1
    const command = commandOf(m, pair.disk, number)
    const next = follow(pair, command)
    commands.push(command)
    disks.push(next.disk)
    if (grouped && mayJoin(command)) {
      if (!waiting.group.join(next)) {
        release(number)
        waiting.group.join(next)
      }
    } else {
      release(number)
      write(next.writes, number, number)
      waiting.since = number + 1
    }
    return next
  }, first)
  release(commands.length + 1)
  return { before: stored(first.machine.files), writes, madeBy, commands, disks }
}
