/** The probe of this commit: the command, and scripts that are carried out in memory, in the forms of protocol.ts. */
import * as E from 'fp-ts/lib/Either.js'
import type { HostWrite } from '../../../src/bytes/host-write.js'
import type { Issue } from '../../../src/bytes/issue.js'
import { portable } from '../../../src/compression/decompress.js'
import { type AnyCommand, step } from '../../../src/transition/command.js'
import { create } from '../../../src/transition/create/create.js'
import type { Step } from '../../../src/transition/engine/finish.js'
import { Group, mayJoin } from '../../../src/transition/group.js'
import { open } from '../../../src/transition/engine/open.js'
import { repair } from '../../../src/transition/repair/repair.js'
import { loadCommand } from '../../run/terminal.js'
import { stamped } from '../../arbitrary/script.js'
import type { Shape } from '../../arbitrary/shape.js'
import { type Files, type Machine, machineOf, perform, runOver } from '../../transition/model/machine.js'
import { begin } from '../../transition/model/recording.js'
import { fromWords } from '../../transition/model/script-text.js'
import type { PlainIssue, PlainOutcome, PlainScript, PlainWrite, Probe } from './protocol.js'

const plainWrite = (w: HostWrite): PlainWrite => {
  switch (w._tag) {
    case 'Flush':
      return { op: 'flush' }
    case 'Write':
      return { op: 'write', file: w.file.part, at: w.at, length: w.bytes.length, bytes: w.bytes }
    case 'Truncate':
      return { op: 'truncate', file: w.file.part, length: w.length }
    case 'Punch':
      return { op: 'punch', file: w.file.part, at: w.at, length: w.length }
  }
}

const plainIssue = ({ clause, phase, source, structure, field, at, size, message }: Issue): PlainIssue => ({
  clause,
  phase,
  source,
  structure,
  field,
  at,
  size,
  message
})

type Done = E.Either<readonly Issue[], Pick<Step, 'writes' | 'staged' | 'claims'>>

const outcome = (line: string, done: Done): PlainOutcome =>
  E.isLeft(done)
    ? { line, refused: done.left.map(plainIssue), writes: [], stages: [], claims: [] }
    : {
        line,
        refused: [],
        writes: done.right.writes.map(plainWrite),
        stages: done.right.staged.map((stage) => stage.map(plainWrite)),
        claims: done.right.claims.map(({ section, at, length }) => `${section} ${at} ${length}`)
      }

const ofWrites = (writes: readonly HostWrite[]) => ({ writes, staged: [], claims: [] })

/** The command of a line; `undefined` where it is none of a session. */
const commandOf = (line: string, mark: number, files: Files): AnyCommand | undefined => {
  const [verb = '', ...rest] = line.split(' ')
  if (verb === 'mark') return { _tag: 'BitmapMark', name: rest[0] ?? '', ranges: [[Number(rest[1]), Number(rest[2])]] }
  if (verb === 'vm-state') {
    const position = Number(rest[0])
    return { _tag: 'WriteVmState', position, bytes: stamped(mark, position, Number(rest[1])) }
  }
  const action = fromWords(line, mark)
  if (action._tag === 'Repair' || action._tag === 'Damage') return undefined
  if (action._tag !== 'Rebase' || action.backing === undefined) return action
  return { ...action, backing: { ...action.backing, layers: [{ _tag: 'Raw', size: files.backing.length }] } }
}

interface Now {
  /** `undefined` while the image cannot be opened. */
  readonly machine: Machine | undefined
  readonly files: Files
}

const reopened = (files: Files): Now => {
  try {
    const machine = machineOf(files)
    return { machine, files: machine.files }
  } catch {
    return { machine: undefined, files }
  }
}

const repaired = ({ files }: Now, line: string): readonly [PlainOutcome, Now] => {
  const backing = files.backing.length === 0 ? [] : [{ _tag: 'Raw' as const, size: files.backing.length }]
  const mode = line.endsWith('all') ? 'all' : 'leaks'
  const done = runOver(files, repair({ backing, decompressor: portable }, files.image.length, mode))
  return [outcome(line, done), reopened(E.isLeft(done) ? files : perform(files, done.right.writes))]
}

const damaged = ({ files }: Now, line: string, mark: number): readonly [PlainOutcome, Now] => {
  const action = fromWords(line, mark)
  if (action._tag !== 'Damage') throw new Error(`${line} is no damage`)
  const write: HostWrite = { _tag: 'Write', file: { part: 'image', depth: 0 }, at: action.at, bytes: action.bytes }
  return [outcome(line, E.right(ofWrites([write]))), reopened(perform(files, [write]))]
}

/** Guest writes that become durable together. */
class Waiting {
  private group = new Group()
  readonly released: HostWrite[] = []

  /** A step joins the group, or ends it. */
  add(joins: boolean, next: Pick<Step, 'writes' | 'staged'>): void {
    if (joins && this.group.join(next)) return
    this.end()
    if (joins && this.group.join(next)) return
    this.released.push(...next.writes)
  }

  end(): void {
    this.released.push(...this.group.writes())
    this.group = new Group()
  }
}

const acted = (now: Now, line: string, mark: number, waiting: Waiting): readonly [PlainOutcome, Now] => {
  const command = commandOf(line, mark, now.files)
  if (command === undefined) return line.startsWith('damage') ? damaged(now, line, mark) : repaired(now, line)
  if (now.machine === undefined) {
    const backing = now.files.backing.length === 0 ? [] : [{ _tag: 'Raw' as const, size: now.files.backing.length }]
    return [outcome(line, runOver(now.files, open({ backing, decompressor: portable }))), now]
  }
  const done = runOver(now.files, step(now.machine.opened, command))
  if (E.isLeft(done)) return [outcome(line, done), now]
  waiting.add(mayJoin(command), done.right)
  const files = perform(now.files, done.right.writes)
  return [outcome(line, done), { files, machine: { files, opened: done.right.next } }]
}

const shapeOf = ({ shape }: PlainScript): Shape => shape

function* runScript(script: PlainScript): Generator<PlainOutcome> {
  const shape = shapeOf(script)
  const named = shape.backing === 0 ? {} : { backing: { name: 'backing.raw', format: 'raw' } }
  yield outcome('create', E.map(ofWrites)(create({ ...shape.options, ...named })))
  const { machine } = begin(shape)
  const waiting = new Waiting()
  let now: Now = { machine, files: machine.files }
  for (const [i, line] of script.lines.entries()) {
    const [what, next] = acted(now, line, i + 1, waiting)
    now = next
    yield what
  }
  waiting.end()
  yield outcome('group', E.right(ofWrites(waiting.released)))
}

export const probe: Probe = { loadCommand, runScript }
