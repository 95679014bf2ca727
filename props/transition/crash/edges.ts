/** Edges: what each flush of a command keeps apart, and what breaks where it does not. */
import type { Disk as Abstract } from '../../../spec/disk.js'
import { flush, type HostWrite } from '../../../src/bytes/host-write.js'
import { viewOf } from '../../../src/bytes/octets.js'
import { crashStates, type Model } from '../../../src/store/crash.js'
import { type CrashState, epochDisk, type Holding } from '../../../src/store/disk.js'
import { type Epoch, epochsOf } from '../../../src/store/epoch.js'
import { flushesOf, withoutFlush } from '../../../src/store/reorder.js'
import type { Claim, Section } from '../../../src/transition/engine/sections.js'
import type { Shape } from '../../arbitrary/shape.js'
import { promisedFor, unrepaired } from './crash.js'
import { judging, type Promised } from '../../../src/crash/judge.js'
import { type Edge, edgesOf } from './stage-edges.js'
import { perform } from '../model/machine.js'
import { type Acted, act, type Action, isOperation, type Subject, subjectOf } from '../model/operations.js'
import { begin, type Recording, stored } from '../model/recording.js'

/** Whose bytes a sector holds, or what else changes; those from which most hangs come first. */
const ranks = [
  'main header',
  'snapshot table',
  'refcount table',
  'inactive L1 table',
  'active L1 table',
  'active L2 table',
  'inactive L2 table',
  'bitmap directory',
  'bitmap table',
  'refcount block',
  'bitmap data',
  'guest data',
  'end of file'
] as const satisfies readonly (Section | 'end of file')[]

type Part = (typeof ranks)[number]

const first = (parts: readonly Part[]): Part => ranks.find((part) => parts.includes(part)) ?? 'guest data'

/** Whose bytes a range of a file is, by the claims of a command. */
const partOf = (claims: readonly Claim[], write: Exclude<HostWrite, { readonly _tag: 'Flush' }>): Part => {
  if (write._tag === 'Truncate') return 'end of file'
  if (write.file.part === 'data') return 'guest data'
  const end = write.at + (write._tag === 'Write' ? write.bytes.length : write.length)
  return first(claims.filter((c) => c.at < end && c.at + c.length > write.at).map((c) => c.section))
}

/** A flush of a recording. */
interface Barrier {
  /** The edge it stands for, in words. */
  readonly edge: string
  /** Its place among the writes. */
  readonly at: number
  /** What the command writes, and whose bytes it is. */
  readonly claims: readonly Claim[]
  /** The disk that it makes durable, where that is what it is for. */
  readonly durable?: Abstract
}

/** A script that was carried out, and its flushes. */
export interface Traced {
  readonly recording: Recording
  readonly barriers: readonly Barrier[]
}

/** What of an image a part belongs to. */
const groupOf: Readonly<Record<Part, string>> = {
  'main header': 'header',
  'snapshot table': 'snapshots',
  'inactive L1 table': 'snapshots',
  'inactive L2 table': 'snapshots',
  'active L1 table': 'tree',
  'active L2 table': 'tree',
  'guest data': 'tree',
  'refcount table': 'refcounts',
  'refcount block': 'refcounts',
  'bitmap directory': 'bitmaps',
  'bitmap table': 'bitmaps',
  'bitmap data': 'bitmaps',
  'end of file': 'end of file'
}

const edgeInWords = (action: Action, { from, to, anew }: Edge, later: string): string =>
  `${action._tag}: ${from} → ${to}${anew ? ' of the next round' : ''}, ${later}`

/** The fields of the header that go together. */
const fieldGroups: readonly (readonly [words: string, from: number, to: number])[] = [
  ['version', 4, 8],
  ['place of the name', 8, 16],
  ['length of the name', 16, 20],
  ['refcount table', 48, 60],
  ['snapshot table', 60, 72],
  ['features', 72, 96],
  ['refcount width', 96, 100]
]

/** What of the first cluster is not the same in two images. */
const partsOfHeader = (a: Uint8Array, b: Uint8Array): string => {
  const [old, now] = [viewOf(a), viewOf(b)]
  const changes = (from: number, to: number): boolean =>
    Buffer.compare(a.subarray(from, to), b.subarray(from, to)) !== 0
  const known = [old, now].some((view) => view.getUint32(4) === 2) ? 72 : 104
  const name = [old, now].map((view) => Number(view.getBigUint64(8))).find((at) => at > 0) ?? 2 ** old.getUint32(20)
  return [
    ...fieldGroups.filter(([, from, to]) => to <= known && changes(from, to)).map(([words]) => words),
    ...(changes(known, name) ? ['extensions'] : []),
    ...(changes(name, 2 ** old.getUint32(20)) ? ['name'] : [])
  ].join(' and ')
}

/** The writes of an action, between flushes where it is an operation, since nobody writes in between. */
const writesOf = (action: Action, { writes }: Acted): readonly HostWrite[] =>
  isOperation(action) && writes.length > 0 ? [flush, ...writes, flush] : writes

/** The flushes of an action, each with the words for its edge. */
const barriersOf = (action: Action, before: Subject, done: Acted): readonly Omit<Barrier, 'claims'>[] => {
  const edges = edgesOf(done.staged)
  return flushesOf(done.writes).map((at, k) => {
    const edge = edges[k]
    if (edge === undefined) return { edge: 'Flush', at }
    const later = done.staged[edge.stage] ?? []
    const part = first(later.flatMap((w) => (w._tag === 'Flush' ? [] : [partOf(done.claims, w)])))
    const now = perform(before.machine.files, done.writes.slice(0, at))
    const inHeader = isOperation(action) && part === 'main header'
    return {
      edge: edgeInWords(action, edge, inHeader ? partsOfHeader(now.image, perform(now, later).image) : groupOf[part]),
      at: isOperation(action) ? at + 1 : at
    }
  })
}

/** Carries out actions and returns the edge of every flush. */
export const trace = (shape: Shape, actions: readonly Action[]): Traced => {
  const start = subjectOf(begin(shape), actions.some(isOperation))
  const writes: HostWrite[] = []
  const madeBy: (readonly [number, number])[] = []
  const disks = [start.disk]
  const barriers: Barrier[] = []
  const claims: Claim[] = []
  actions.reduce<Subject>((subject, action, i) => {
    const next = act(subject, action)
    claims.push(...next.claims)
    for (const { edge, at } of barriersOf(action, subject, next))
      barriers.push({
        edge,
        at: writes.length + at,
        claims: edge === 'Flush' ? claims.slice() : next.claims,
        ...(edge === 'Flush' ? { durable: next.disk } : {})
      })
    const made = writesOf(action, next)
    writes.push(...made)
    madeBy.push(...made.map((): readonly [number, number] => [i + 1, i + 1]))
    disks.push(next.disk)
    return next
  }, start)
  return { recording: { before: stored(start.machine.files), writes, madeBy, commands: [], disks }, barriers }
}

/** A state that the flush forbids, in words. */
interface Swapped {
  readonly state: CrashState
  readonly model: Model
  readonly words: string
}

/** An epoch that goes on over a flush: what of it comes before and behind. */
interface Merged {
  readonly epoch: Epoch
  /** The number of changes before the flush. */
  readonly early: number
  /** Whether a change, by its number, is part of what the flush orders. */
  readonly own: (change: number) => boolean
  readonly parts: readonly Part[]
}

/** For each cell and cut the version it has after the last of these changes, by their numbers; 0 where there are none. */
const versionsBy = ({ cells, cuts }: Epoch, among: (change: number) => boolean): Holding => [
  ...cells.map(({ steps }) => steps.findLast(({ by }) => among(by))?.version ?? 0),
  ...cuts.map(({ by }) => (among(by) ? 1 : 0))
]

/** The states in which one sector from behind the flush is there, and one from before is not, or is torn. */
function* swaps({ epoch, early, own, parts }: Merged): Generator<Swapped> {
  const disk = epochDisk(epoch)
  const before = versionsBy(epoch, (by) => by < early)
  const mine = versionsBy(epoch, (by) => by < early && own(by))
  const behind = versionsBy(epoch, (by) => by >= early && own(by))
  const part = (i: number): string => parts[i] ?? ''
  const changed = (holding: Holding): readonly number[] => [...holding.keys()].filter((i) => holding[i] !== 0)
  for (const b of changed(behind)) {
    const reached = before.with(b, behind[b] ?? 0)
    for (const a of changed(mine))
      if (a !== b) yield { state: disk.state(reached.with(a, 0)), model: 'P2', words: `${part(b)} without ${part(a)}` }
    const alone = before.map((_, i) => (i === b ? (behind[b] ?? 0) : 0))
    yield { state: disk.state(alone), model: 'P2', words: `${part(b)} without all before it` }
  }
  if (changed(behind).length === 0)
    for (const a of changed(mine)) yield { state: disk.state(before.with(a, 0)), model: 'P2', words: `no ${part(a)}` }
  const whole = before.map((version, i) => (behind[i] === 0 ? version : (behind[i] ?? 0)))
  for (const i of changed(mine))
    if (i < epoch.cells.length && behind[i] !== 0)
      for (const holding of [before, whole])
        for (const version of disk.tears(holding, i))
          yield { state: disk.state(holding, { cell: i, version }), model: 'P3', words: `${part(i)}, torn` }
}

/** How far to look where no swap of two sectors breaks anything. */
const effort = { exhaustive: 256, sample: 32, seed: 1 }

function* anyStates({ epoch }: Merged): Generator<Swapped> {
  for (const model of ['P2', 'P3'] as const)
    for (const state of crashStates(model, epoch, effort)) yield { state, model, words: 'several sectors' }
}

/** What breaks where a flush is left out. */
export interface Broken {
  readonly edge: string
  readonly model: Model
  /** What the disk has and what it lacks. */
  readonly state: string
  readonly promise: string
}

const mergedAt = ({ before, writes, madeBy }: Recording, { at, claims, durable }: Barrier, start: number): Merged => {
  const flushes = flushesOf(writes)
  const epoch = epochsOf(before, withoutFlush(writes, at))[flushes.indexOf(at)]
  if (epoch === undefined) throw new Error('there is no such flush')
  const cellParts = epoch.cells.map(({ file, index }) =>
    partOf(claims, { _tag: 'Punch', file, at: index * 512, length: 512 })
  )
  const early = at - start
  const own = (by: number): boolean =>
    durable === undefined ? madeBy[start + by + (by < early ? 0 : 1)]?.[0] === madeBy[at]?.[0] : by < early
  return { epoch, early, own, parts: [...cellParts, ...epoch.cuts.map((): Part => 'end of file')] }
}

/** The first promise that breaks in a state which a flush forbids; with `hard` also where several sectors must come together. */
const brokenWithout = ({ recording }: Traced, barrier: Barrier, hard: boolean): Broken | undefined => {
  const { writes, disks } = recording
  const flushes = flushesOf(writes)
  const start = (flushes.findLast((at) => at < barrier.at) ?? -1) + 1
  const end = flushes.find((at) => at > barrier.at) ?? writes.length
  const merged = mergedAt(recording, barrier, start)
  const { durable } = barrier
  const promised = (torn: boolean): Promised =>
    durable === undefined
      ? promisedFor(recording, start, end, torn)
      : { durable, later: disks.slice(disks.indexOf(durable) + 1), torn }
  const mends = promised(false).durable.wrong !== undefined
  const judges = { P2: judging(promised(false)), P3: judging(promised(true)) }
  for (const candidates of hard ? [swaps(merged), anyStates(merged)] : [swaps(merged)])
    for (const { state, model, words } of candidates) {
      const verdict = judges[model === 'P3' ? 'P3' : 'P2'](state.files)
      const broken = verdict.broken ?? (mends ? unrepaired(state.files, 'P0') : undefined)
      if (broken !== undefined) return { edge: barrier.edge, model, state: words, promise: broken }
    }
  return undefined
}

/** What breaks of the flushes of a script, the first of each edge; of one edge alone, if it is named. */
export const breakEdges = (
  shape: Shape,
  actions: readonly Action[],
  { only, hard = false }: { readonly only?: string; readonly hard?: boolean } = {}
): readonly Broken[] => {
  const traced = trace(shape, actions)
  const found = new Map<string, Broken>()
  for (const barrier of traced.barriers) {
    if (found.has(barrier.edge) || (only !== undefined && barrier.edge !== only)) continue
    const broken = brokenWithout(traced, barrier, hard)
    if (broken !== undefined) found.set(barrier.edge, broken)
  }
  return [...found.values()]
}
