/** Images of every geometry and commands of a guest to them, compared with the abstract machine. */
import fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { type Command as Guest, type Disk, step as specified, type Traits } from '../../../spec/disk.js'
import type { Command } from '../../../src/transition/command.js'
import type { CreateOptions } from '../../../src/transition/create/options.js'
import { noise } from '../../../src/fuzz/noise.js'
import { abstraction, countsOf, type Machine, newMachine, perhaps } from './machine.js'
import { snapshotted } from './snapshotted.js'

/** A new image and the raw file behind it, if there is one. */
export interface Beginning {
  readonly options: CreateOptions & { readonly version: 2 | 3; readonly clusterBits: number }
  readonly backing: Uint8Array
}

const drawn = {
  version: fc.constantFrom(2, 3, 3, 3),
  clusterBits: fc.constantFrom(9, 9, 10, 11, 12, 13, 14, 15, 16),
  refcountOrder: fc.integer({ min: 0, max: 6 }),
  extendedL2: fc.boolean(),
  compressionType: fc.constantFrom('zlib' as const, 'zstd' as const),
  /** Bytes of the disk: in eighths of what an L2 table of small clusters covers, and in sectors. */
  size: fc.tuple(fc.nat({ max: 12 }), fc.nat({ max: 7 })),
  file: fc.constantFrom('none', 'none', 'none', 'backing', 'backing', 'data', 'raw'),
  /** Bytes of the backing file, as a part of the disk and beyond that. */
  backing: fc.tuple(fc.constantFrom(0.3, 0.5, 0.9, 1, 1.2), fc.constantFrom(0, 100, 512, 700))
}

/** Beginnings: whatever the draw asks for that the format has. */
export const beginnings: fc.Arbitrary<Beginning> = fc.record(drawn).map((d): Beginning => {
  const clusterBits = d.version === 3 && d.extendedL2 ? Math.max(14, d.clusterBits) : d.clusterBits
  const unit = Math.max(2 ** clusterBits, 4096)
  const size = d.size[0] * unit + d.size[1] * 512
  const named = { name: 'data.raw', raw: d.file === 'raw' }
  const v3 = {
    refcountOrder: d.refcountOrder,
    extendedL2: d.extendedL2,
    compressionType: d.compressionType,
    ...(d.file === 'data' || d.file === 'raw' ? { dataFile: named } : {})
  }
  const behind = d.file === 'backing' ? Math.floor(size * d.backing[0]) + d.backing[1] : 0
  return {
    options: { size, version: d.version === 2 ? 2 : 3, clusterBits, ...(d.version === 2 ? {} : v3) },
    backing: noise(7, behind)
  }
})

const kinds = ['Write', 'WriteCompressed', 'WriteZeroes', 'Unmap', 'Discard', 'Flush', 'Snapshot'] as const

/** A place on the disk: a cluster, and bytes from its start. */
const place = fc.tuple(fc.nat({ max: 95 }), fc.constantFrom(0, 0, 0, 0, 1, 512, 600, 2 ** 13, 2 ** 15 - 3))

/** A command as drawn, for any disk. */
export interface Drawn {
  readonly kind: (typeof kinds)[number]
  readonly from: readonly [cluster: number, bytes: number]
  /** Clusters and bytes from there on. */
  readonly span: readonly [clusters: number, bytes: number]
  readonly seed: number
}

export const draws: fc.Arbitrary<Drawn> = fc.record({
  kind: fc.constantFrom(...kinds, ...kinds.slice(0, 5)),
  from: place,
  span: fc.tuple(fc.constantFrom(0, 1, 1, 1, 2, 3, 70), fc.constantFrom(0, 0, 0, 5, 512, 2 ** 12)),
  seed: fc.nat({ max: 0xffff })
})

/** Bytes that name their command: of one value, in repeated pieces, or without order. */
const content = (seed: number, length: number): Uint8Array => {
  if (seed % 3 === 0) return new Uint8Array(length).fill(seed % 251)
  const piece = noise(seed, seed % 3 === 1 ? 1000 : length)
  return Uint8Array.from({ length }, (_, i) => piece[i % piece.length] ?? 0)
}

/** The command that a draw stands for on a disk of this size; undefined for a snapshot. */
const commandOf = (d: Drawn, size: number, grain: number): Command | undefined => {
  const clusters = Math.ceil(size / grain)
  const start = clusters === 0 ? 0 : (d.from[0] % clusters) * grain
  const whole = d.kind === 'WriteCompressed' && d.seed % 8 > 0
  const at = Math.min(size, start + (whole ? 0 : d.from[1] % grain))
  const end = Math.min(size, at + d.span[0] * grain + (whole ? 0 : d.span[1] % grain))
  const length = end - at
  switch (d.kind) {
    case 'Write':
    case 'WriteCompressed':
      return { _tag: d.kind, at, bytes: content(d.seed, length) }
    case 'WriteZeroes':
    case 'Unmap':
      return { _tag: 'WriteZeroes', at, length, unmap: d.kind === 'Unmap' }
    case 'Discard':
      return { _tag: 'Discard', at, length }
    case 'Flush':
      return { _tag: 'Flush' }
    case 'Snapshot':
      return undefined
  }
}

/** What is refused for want of room or of counts, or for what was allocated, of which the abstract machine knows nothing. */
const beyondTheGuest: readonly string[] = ['REF-07', 'CW-01']

/** An image and the disk that it stands for. */
interface Pair {
  readonly machine: Machine
  readonly disk: Disk
}

const traitsOf = ({ options, backing }: Beginning): Traits => ({
  version: options.version,
  grain: 2 ** options.clusterBits,
  dataFile: options.dataFile !== undefined,
  backingSize: backing.length
})

const begin = (beginning: Beginning): Pair => {
  const machine = newMachine(beginning.options, beginning.backing)
  return { machine, disk: abstraction(machine.files, traitsOf(beginning)) }
}

/** Both sides after a snapshot, if the image can have a first one. */
const withSnapshot = (pair: Pair): Pair => {
  const { traits, snapshots, content: bytes } = pair.disk
  if (traits.dataFile || snapshots.length > 0 || bytes.length === 0) return pair
  const taken = snapshotted(pair.machine, 's')
  const outcome = specified({ _tag: 'SnapshotCreate', name: 's' }, pair.disk)
  return E.isLeft(taken) || outcome._tag === 'Refused' ? pair : { machine: taken.right, disk: outcome.disk }
}

/** Both sides after a command. Where one refuses, so does the other, for the same reason. */
const withCommand = (pair: Pair, command: Command & Guest): Pair => {
  const done = perhaps(pair.machine, command)
  const outcome = specified(command, pair.disk)
  if (E.isLeft(done)) {
    const clause = done.left[0]?.clause ?? ''
    if (outcome._tag === 'Done') assert.ok(beyondTheGuest.includes(clause), `refused by ${clause}`)
    else assert.is(clause, outcome.clause)
    return pair
  }
  assert.is(outcome._tag, 'Done')
  return outcome._tag === 'Done' ? { machine: done.right, disk: outcome.disk } : pair
}

const same = (found: Uint8Array, wanted: Uint8Array, what: string): void =>
  assert.is(Buffer.compare(found, wanted), 0, what)

/** Nothing is wrong with the image, and it stands for the disk. */
const agree = ({ machine, disk }: Pair): void => {
  const { corruptions, leaks, checkErrors } = countsOf(machine.files)
  assert.equal({ corruptions, leaks, checkErrors }, { corruptions: 0, leaks: 0, checkErrors: 0 })
  const found = abstraction(machine.files, disk.traits)
  same(found.content, disk.content, 'guest bytes')
  assert.is(found.snapshots.length, disk.snapshots.length)
  found.snapshots.forEach((s, i) => same(s.content, disk.snapshots[i]?.content ?? new Uint8Array(), 'snapshot'))
  if (machine.opened.metadata.header.autoclearFeatures.rawExternalData)
    same(machine.files.data.subarray(0, disk.content.length), disk.content, 'the raw disk')
}

/** Performs drawn commands one by one, on the image and on the disk, which agree after each. */
export const follow = (beginning: Beginning, list: readonly Drawn[]): void => {
  list.reduce((pair, drawn) => {
    const command = commandOf(drawn, pair.disk.content.length, pair.disk.traits.grain)
    const next = command === undefined ? withSnapshot(pair) : withCommand(pair, command)
    agree(next)
    return next
  }, begin(beginning))
}
