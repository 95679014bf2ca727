/** Scripts of commands, followed by an image and by the abstract disk, which must have the same outcome. */
import * as E from 'fp-ts/lib/Either.js'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { load } from '../../../corpus/load.js'
import type { ClauseId } from '../../../spec/index.js'
import { type Command as Guest, type Disk, step, type Traits } from '../../../spec/disk.js'
import type { Command } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { share } from '../../run/suite.js'
import { abstraction, countIn, countsOf, type Machine, machineOf, newMachine, perhaps } from './machine.js'

/** An image to begin with: a new one, over a raw file of so many bytes, or one of the corpus. */
export type Start =
  | { readonly _tag: 'New'; readonly options: CreateOptions; readonly backing: number }
  | { readonly _tag: 'Corpus'; readonly name: string }

/** What a command is made of where the disk and its snapshots are known. Numbers are taken modulo what there is. */
export interface Op {
  readonly _tag: 'Write' | 'Resize' | 'SnapshotCreate' | 'SnapshotApply' | 'SnapshotDelete'
  readonly at: number
  readonly length: number
}

/** An image on its way, and the disk it must stand for. */
export interface Followed {
  readonly machine: Machine
  readonly disk: Disk
}

const nothing = new Uint8Array(0)

/** Bytes that identify the write that they are from: of no two writes the same. */
export const marked = (seed: number, length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => ((seed * 29 + (i >> 7) * 3) % 255) + 1)

const traitsOf = ({ opened: { g, metadata } }: Machine, backingSize: number): Traits => ({
  version: g.version === 2 ? 2 : 3,
  grain: 2 ** metadata.header.clusterBits,
  dataFile: g.externalDataFile,
  backingSize
})

const opened = (start: Start): Machine =>
  start._tag === 'New'
    ? newMachine(start.options, marked(7, start.backing))
    : machineOf({ image: load(start.name).image, data: nothing, backing: nothing })

/** The image, and the disk that the reference reads in it. */
export const begin = (start: Start): Followed => {
  const machine = opened(start)
  const backing = start._tag === 'New' ? start.backing : 0
  return { machine, disk: abstraction(machine.files, traitsOf(machine, backing)) }
}

/** What a writer may have no means for, of which the abstract disk knows nothing. */
const lacking: readonly ClauseId[] = ['REF-06', 'REF-07', 'WR-04', 'OPEN-19']

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const contentOf = (disk: Disk) => ({
  content: latin1(disk.content),
  snapshots: disk.snapshots.map((s) => ({ ...s, content: latin1(s.content) }))
})

/** Both after a command that both carry out, or both refuse by the same clause. */
export const advance = ({ machine, disk }: Followed, command: Command): Followed => {
  const guest: Guest = command
  const expected = step(guest, disk)
  const found = perhaps(machine, command)
  const clause = E.isLeft(found) ? found.left[0]?.clause : undefined
  const lacks = clause !== undefined && lacking.includes(clause)
  share('commands not refused for lack of space', 0.5, !lacks)
  if (E.isLeft(found)) {
    if (!lacks) assert.equal({ _tag: 'Refused', clause }, expected._tag === 'Done' ? { _tag: 'Done' } : expected)
    return { machine, disk }
  }
  if (expected._tag === 'Refused') throw new Error(`${command._tag} is not refused by ${expected.clause}`)
  const { data } = found.right.files
  if (disk.traits.dataFile && expected.disk.content.length !== disk.content.length)
    assert.is(data.length, expected.disk.content.length)
  return { machine: found.right, disk: expected.disk }
}

/** Fails unless the image stands for the disk, has right counts, and is known to its writer as it is. */
export const sound = ({ machine, disk }: Followed): void => {
  const { files, opened } = machine
  assert.equal(contentOf(abstraction(files, disk.traits)), contentOf(disk))
  const { corruptions, leaks, checkErrors } = countsOf(files)
  assert.equal({ corruptions, leaks, checkErrors }, { corruptions: 0, leaks: 0, checkErrors: 0 })
  assert.equal(opened.metadata, machineOf(files).opened.metadata)
  for (let c = 0; c < opened.firstFree; c++) assert.ok(countIn(machine, c) > 0n, `host cluster ${c} is free`)
  if (opened.metadata.header.autoclearFeatures.rawExternalData)
    assert.equal(latin1(files.data.subarray(0, disk.content.length)), latin1(disk.content))
}

/** Both after a command, and both sound. */
export const follow = (at: Followed, command: Command): Followed => {
  const next = advance(at, command)
  if (next.machine !== at.machine) sound(next)
  return next
}

/** Bytes that a disk is let to grow to: a few clusters, and more than an L2 table covers where those are small. */
const room = ({ traits }: Disk): number => Math.max(12 * traits.grain, 100 * 2 ** 10)

const name = (n: number): string => ['a', 'b', 'snapshot'][n % 3] ?? ''

/** The command that an operation is on this disk. */
export const commandOf = ({ _tag, at, length }: Op, disk: Disk): Command => {
  const size = disk.content.length
  const snapshot = disk.snapshots[at % Math.max(1, disk.snapshots.length)]
  switch (_tag) {
    case 'Write': {
      const from = at % (size + 1)
      return { _tag, at: from, bytes: marked(at + length, Math.min(length % (3 * disk.traits.grain), size - from)) }
    }
    case 'Resize': {
      const to = (at % 8 === 0 ? at - (at % disk.traits.grain) : at) % room(disk)
      const mode = (['off', 'off', 'metadata', 'falloc', 'full'] as const)[length % 5] ?? 'off'
      const rounded = length % 16 === 0 ? to : to - (to % 512)
      return rounded > size ? { _tag, size: rounded, preallocation: mode } : { _tag, size: rounded }
    }
    case 'SnapshotCreate':
      return { _tag, name: name(length), seconds: at, nanoseconds: length }
    case 'SnapshotApply':
      return { _tag, name: (length % 2 === 0 ? snapshot?.id : snapshot?.name) ?? name(length) }
    case 'SnapshotDelete':
      return { _tag, name: snapshot?.name ?? name(length) }
  }
}

const number = fc.oneof(
  fc.nat({ max: 2 ** 24 }),
  fc.nat({ max: 2 ** 15 }).map((n) => 512 * n)
)

/** Operations of these kinds, the earlier more often. */
export const ops = (...kinds: readonly Op['_tag'][]): fc.Arbitrary<readonly Op[]> =>
  fc.array(fc.record({ _tag: fc.constantFrom(...kinds), at: number, length: number }), { maxLength: 10, size: 'max' })

/** What sets new images apart beside their geometry. */
type Kind = 'plain' | 'v2' | 'extended' | 'data' | 'raw' | 'extended data'

/** New images of these kinds: with small clusters mostly, in which tables are soon full, and some over a raw file. */
export const newImages = (...kinds: readonly Kind[]): fc.Arbitrary<Start> =>
  fc
    .record({
      clusterBits: fc.constantFrom(9, 9, 9, 10, 12, 14, 16),
      refcountOrder: fc.nat({ max: 6 }),
      sectors: fc.nat({ max: 240 }),
      backing: fc.oneof(fc.constant(0), fc.nat({ max: 240 })),
      kind: fc.constantFrom(...kinds)
    })
    .map(({ clusterBits, refcountOrder, sectors, backing, kind }): Start => {
      const extended = kind.startsWith('extended')
      const data = kind.endsWith('data') || kind === 'raw'
      return {
        _tag: 'New',
        options: {
          size: 512 * sectors,
          clusterBits: extended ? Math.max(clusterBits, 14) : clusterBits,
          ...(kind === 'v2' ? { version: 2 } : { refcountOrder }),
          extendedL2: extended,
          ...(data ? { dataFile: { name: 'data.raw', raw: kind === 'raw' } } : {})
        },
        backing: kind === 'raw' ? 0 : 512 * backing
      }
    })
