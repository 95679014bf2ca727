/** The squares: what a command does to an image is what it does to the abstract disk, and the image stays well formed. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../spec/clauses/index.js'
import { type Bitmap, type Disk, step } from '../../../spec/disk.js'
import type { Command } from '../../../src/transition/command.js'
import type { Step } from '../../../src/transition/engine/finish.js'
import { share } from '../../run/suite.js'
import { abstraction, countsOf, type Machine, perhaps } from './machine.js'

/** Clauses by which an image may refuse what a disk allows: they speak of space, which the abstract disk does not know. */
export const ofSpace: readonly ClauseId[] = ['REF-06', 'REF-07', 'CW-01', 'WR-04', 'OPEN-19', 'CR-03']

/** An image and the disk it stands for. */
export interface Pair {
  readonly machine: Machine
  readonly disk: Disk
}

/** A pair one command later: what was written, and the clause if the command was refused. */
export interface Followed extends Pair, Omit<Step, 'next'> {
  readonly refused?: ClauseId
}

const sameBitmap = (a: Bitmap, b: Bitmap): boolean =>
  a.name === b.name &&
  a.granularity === b.granularity &&
  a.enabled === b.enabled &&
  a.dirty.size === b.dirty.size &&
  [...a.dirty].every((granule) => b.dirty.has(granule))

const firstDifference = (a: Uint8Array, b: Uint8Array): string => {
  const at = a.findIndex((byte, i) => byte !== b[i])
  return `${a.length} bytes for ${b.length}, byte ${at} is ${a[at] ?? 'absent'} for ${b[at] ?? 'absent'}`
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** What is different between two disks, in words; `undefined` where nothing is. */
export const difference = (found: Disk, wanted: Disk): string | undefined => {
  if (!same(found.content, wanted.content)) return `the disk: ${firstDifference(found.content, wanted.content)}`
  if (found.snapshots.length !== wanted.snapshots.length)
    return `${found.snapshots.length} snapshots for ${wanted.snapshots.length}`
  for (const [i, s] of found.snapshots.entries()) {
    const other = wanted.snapshots[i]
    if (s.id !== other?.id || s.name !== other.name) return `snapshot ${i} is ${s.id} ${s.name}`
    if (!same(s.content, other.content)) return `snapshot ${s.id}: ${firstDifference(s.content, other.content)}`
  }
  if (found.bitmaps.length !== wanted.bitmaps.length)
    return `${found.bitmaps.length} bitmaps for ${wanted.bitmaps.length}`
  const odd = found.bitmaps.find((b, i) => !wanted.bitmaps.slice(i, i + 1).some((other) => sameBitmap(b, other)))
  return odd === undefined ? undefined : `bitmap ${odd.name}: ${[...odd.dirty].join(' ')}`
}

/** Fails unless the image stands for the disk and nothing in it is wrong. */
export const mustBe = ({ machine, disk }: Pair): void => {
  const unlike = difference(abstraction(machine.files, disk.traits), disk)
  if (unlike !== undefined) throw new Error(unlike)
  const { corruptions, leaks, checkErrors } = countsOf(machine.files)
  if (corruptions + leaks + checkErrors > 0)
    throw new Error(`${corruptions} corruptions, ${leaks} leaks, ${checkErrors} errors`)
}

/** The pair after a command. Fails unless both agree on whether it is refused, and by which clause. */
export const follow = ({ machine, disk }: Pair, command: Command): Followed => {
  const outcome = step(command, disk)
  const result = perhaps(machine, command)
  const clause = E.isLeft(result) ? result.left[0]?.clause : undefined
  const lacks = ofSpace.some((each) => each === clause)
  share('commands not refused for lack of space', 0.5, !lacks)
  if (E.isLeft(result)) {
    const agreed = outcome._tag === 'Refused' && outcome.clause === clause
    if (!agreed && !lacks) throw new Error(`refused: ${result.left.map((i) => i.message).join('; ')}`)
    return { machine, disk, writes: [], staged: [], claims: [], ...(clause === undefined ? {} : { refused: clause }) }
  }
  if (outcome._tag === 'Refused') throw new Error(`not refused, as ${outcome.clause} demands`)
  const { writes, staged, claims } = result.right
  return { machine: result.right, disk: outcome.disk, writes, staged, claims }
}
