/** Operations: what is done to an image as a whole, of which the abstract disk knows nothing: it is amended, rebased, emptied, damaged and repaired. */
import * as E from 'fp-ts/lib/Either.js'
import type { ClauseId } from '../../../spec/clauses/index.js'
import type { Disk } from '../../../spec/disk.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { portable } from '../../../src/compression/decompress.js'
import { check } from '../../../src/image/check/check.js'
import { readMetadata } from '../../../src/image/metadata.js'
import type { AnyCommand, Command } from '../../../src/transition/command.js'
import type { Step } from '../../../src/transition/engine/finish.js'
import { repair, type RepairMode } from '../../../src/transition/repair/repair.js'
import { headOf } from '../engine/heads.js'
import { faultsIn, isMarked, type Presented } from '../../../src/crash/presented.js'
import { abstraction, type Files, machineOf, perform, perhaps, right, runOver } from './machine.js'
import { follow, type Pair } from './square.js'

/** What is done to an image as a whole. Damage is bytes put at a byte of its file. */
export type Operation =
  | (AnyCommand & { readonly _tag: 'Amend' | 'Rebase' | 'MakeEmpty' })
  | { readonly _tag: 'Repair'; readonly mode: RepairMode }
  | { readonly _tag: 'Damage'; readonly at: number; readonly bytes: Uint8Array }

/** A line of a script. */
export type Action = Command | Operation

const operations = ['Amend', 'Rebase', 'MakeEmpty', 'Repair', 'Damage'] as const satisfies readonly Operation['_tag'][]

export const isOperation = (action: Action): action is Operation => operations.some((tag) => tag === action._tag)

/** An image, its disk with what else the image presents, and the file that may be behind it. */
export interface Subject extends Pair {
  readonly disk: Presented
  readonly behind: Uint8Array
}

/** A subject one action later, and what that took. */
export interface Acted extends Subject, Omit<Step, 'next'> {}

const nothing = new Uint8Array(0)

/** The disk with the head of its image, over its possible backing file and without one. */
const presentedBy = (files: Files, disk: Disk, behind: Uint8Array): Presented => {
  const head = headOf(files)
  const over = (backing: Uint8Array): Disk =>
    behind.length === 0 ? disk : abstraction({ ...files, backing }, disk.traits)
  return { ...disk, head, over: over(behind), alone: over(nothing) }
}

/** A new subject; `withHead` if the head of its image is promised too. */
export const subjectOf = ({ machine, disk }: Pair, withHead: boolean): Subject => {
  const behind = machine.files.backing
  return { machine, behind, disk: withHead ? presentedBy(machine.files, disk, behind) : disk }
}

/** Clauses by which an image may refuse an operation. */
const reasons: readonly ClauseId[] = ['AM-03', 'AM-06', 'OPEN-24', 'CR-03', 'BACK-07', 'DATA-06', 'REF-06', 'CHK-09']

/** The subject as it was. Fails unless it may be. */
const refused = (s: Subject, issues: readonly Issue[]): Acted => {
  if (!reasons.some((clause) => clause === issues[0]?.clause)) throw new Error(issues.map((i) => i.message).join('; '))
  return { ...s, writes: [], staged: [], claims: [] }
}

const wrongIn = (files: Files): number => faultsIn(right(right(runOver(files, check(files.image.length))))).length

const marked = (files: Files): boolean => isMarked(right(right(runOver(files, readMetadata()))))

/** The machine and the disk of these files, of which nobody writes to an image that is not whole. */
const nowOf = (s: Subject, files: Files, { wrong: _, ...disk }: Presented): Pick<Subject, 'machine' | 'disk'> => {
  const wrong = wrongIn(files)
  return wrong === 0 && !marked(files)
    ? { machine: machineOf(files), disk }
    : { machine: { ...s.machine, files }, disk: { ...disk, wrong } }
}

const damaged = (s: Subject, at: number, bytes: Uint8Array): Acted => {
  const write: HostWrite = { _tag: 'Write', file: { part: 'image', depth: 0 }, at, bytes }
  const files = perform(s.machine.files, [write])
  const disk = presentedBy(files, { ...s.disk, ...abstraction(files, s.disk.traits) }, s.behind)
  return {
    ...s,
    ...nowOf(s, files, disk),
    writes: [write],
    staged: [],
    claims: []
  }
}

const repaired = (s: Subject, mode: RepairMode): Acted => {
  const { files } = s.machine
  const around = { backing: s.machine.opened.backing, decompressor: portable }
  const done = runOver(files, repair(around, files.image.length, mode))
  if (E.isLeft(done)) return refused(s, done.left)
  const { writes, staged, claims } = done.right
  const after = perform(files, writes)
  const disk = presentedBy(after, { ...s.disk, ...abstraction(after, s.disk.traits) }, s.behind)
  return {
    ...s,
    ...nowOf(s, after, disk),
    writes,
    staged,
    claims
  }
}

/** The operation as it is asked of the image: a backing file that it brings is the one behind the subject. */
const asked = (operation: AnyCommand, behind: Uint8Array): AnyCommand =>
  operation._tag === 'Rebase' && operation.backing !== undefined
    ? { ...operation, backing: { ...operation.backing, layers: [{ _tag: 'Raw', size: behind.length }] } }
    : operation

/** The subject after an action. An operation that is refused does nothing. */
export const act = (s: Subject, action: Action): Acted => {
  if (action._tag === 'Damage') return damaged(s, action.at, action.bytes)
  if (action._tag === 'Repair') return repaired(s, action.mode)
  if (!isOperation(action)) {
    const next = follow(s, action)
    return {
      ...next,
      behind: s.behind,
      disk: s.disk.head === undefined ? next.disk : presentedBy(next.machine.files, next.disk, s.behind)
    }
  }
  const done = perhaps(s.machine, asked(action, s.behind))
  if (E.isLeft(done)) return refused(s, done.left)
  const { files, opened, writes, staged, claims } = done.right
  const named = opened.metadata.backingName !== undefined
  const backing = named ? s.behind : nothing
  const version = opened.metadata.header.version === 2 ? 2 : 3
  const traits = { ...s.disk.traits, version, backingSize: Math.ceil(backing.length / 512) * 512 } as const
  const disk = presentedBy({ ...files, backing }, abstraction({ ...files, backing }, traits), s.behind)
  return { behind: s.behind, machine: { files: { ...files, backing }, opened }, disk, writes, staged, claims }
}
