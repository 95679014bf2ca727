/** Zeroing, discarding and writing, cluster by cluster, whatever was there: the same L2 entries and guest bytes as QEMU's. */
import * as assert from 'uvu/assert'
import type { Command } from '../../../src/transition/command.js'
import { needsQemu } from '../../run/qemu.js'
import { note, suite } from '../../run/suite.js'
import { abstraction, countsOf, type Files } from '../model/machine.js'
import { diskSize, type Golden, golden } from './golden-zero.js'
import { byQemu, byUs, inFolder, isCleanForQemu, l2Shapes, l2Text, lineOf, prepare } from '../twins/by-qemu.js'

const test = suite('zero-qemu')

interface Kind {
  readonly create: string
  readonly clusterBits: number
  /** Some clusters are shared with a snapshot, or compressed, unless the image cannot have such. */
  readonly shared?: false
  readonly compressed?: false
  readonly backed?: true
}

const kinds: readonly Kind[] = [
  { create: 'compat=1.1', clusterBits: 16 },
  { create: 'compat=1.1', clusterBits: 12, backed: true },
  { create: 'compat=1.1,refcount_bits=64', clusterBits: 9 },
  { create: 'compat=1.1,refcount_bits=1', clusterBits: 10, shared: false },
  { create: 'compat=1.1,refcount_bits=4,compression_type=zstd', clusterBits: 13, backed: true },
  { create: 'compat=0.10', clusterBits: 12 },
  { create: 'compat=0.10', clusterBits: 11, backed: true },
  { create: 'extended_l2=on', clusterBits: 14 },
  { create: 'extended_l2=on', clusterBits: 15, backed: true },
  { create: 'extended_l2=on,preallocation=metadata', clusterBits: 14, backed: true, compressed: false },
  { create: 'data_file=data.raw', clusterBits: 12, shared: false, compressed: false },
  { create: 'data_file=data.raw', clusterBits: 10, shared: false, compressed: false, backed: true },
  { create: 'data_file=data.raw,data_file_raw=on', clusterBits: 12, shared: false, compressed: false },
  { create: 'data_file=data.raw,extended_l2=on', clusterBits: 14, shared: false, compressed: false }
]

const clusters = 14
/** Clusters that are compressed from the start. */
const compressedAt = [3, 9]

const sizeOf = ({ clusterBits }: Kind): number =>
  (clusters - 1) * 2 ** clusterBits + Math.max(512, 2 ** clusterBits / 2)

/** One cluster of every kind: shared or own; normal, zero with and without a host cluster, compressed, in part, unallocated. */
const made = (folder: string, kind: Kind): Files => {
  const size = 2 ** kind.clusterBits
  const write = (cluster: number, from = 0, to = 1): string =>
    `write -P ${cluster} ${(cluster + from) * size} ${(to - from) * size}`
  const zero = (cluster: number, from = 0, to = 1): string =>
    `write -z ${(cluster + from) * size} ${(to - from) * size}`
  const compress = (cluster: number): string =>
    kind.compressed === false ? zero(cluster) : `write -c -P ${cluster} ${cluster * size} ${size}`
  const last = `write -P 13 ${13 * size} ${sizeOf(kind) - 13 * size}`
  const early = [write(1), write(2), zero(2), compress(3), write(4, 0.25, 0.75)]
  const late = [write(5), write(6), zero(6), zero(7), compress(9), write(10, 0.25, 0.75)]
  const mixed = [write(11, 0, 0.5), zero(11, 0.25, 0.75), last]
  return prepare(folder, {
    create: `${kind.create},cluster_size=${size}`,
    size: sizeOf(kind),
    ...(kind.backed === true ? { backing: new Uint8Array(8.5 * size + 300).fill(0xbb) } : {}),
    eras: kind.shared === false ? [[...early, ...late, ...mixed]] : [early, [...late, ...mixed]]
  })
}

type Range = readonly [from: number, to: number]

interface Verb {
  readonly name: string
  readonly of: (from: number, to: number) => Command
}

const verbs = {
  zero: { name: 'write -z', of: (at, to) => ({ _tag: 'WriteZeroes', at, length: to - at, unmap: false }) },
  unmap: { name: 'write -z -u', of: (at, to) => ({ _tag: 'WriteZeroes', at, length: to - at, unmap: true }) },
  discard: { name: 'discard', of: (at, to) => ({ _tag: 'Discard', at, length: to - at }) },
  write: { name: 'write', of: (at, to) => ({ _tag: 'Write', at, bytes: new Uint8Array(to - at).fill(0xee) }) },
  compress: {
    name: 'write -c',
    of: (at, to) => ({ _tag: 'WriteCompressed', at, bytes: new Uint8Array(to - at).fill(0xcc) })
  }
} satisfies Record<string, Verb>

/** Ranges in clusters, from the start of each cluster or of every second one. */
const each = (from: number, to: number): readonly Range[] =>
  Array.from({ length: clusters }, (_, i) => [i + from, i + to])
const pairs = (first: number, from: number, to: number): readonly Range[] =>
  each(from, to).filter(([at]) => Math.floor(at) % 2 === first)

interface Shape {
  readonly name: string
  readonly ranges: readonly Range[]
  readonly verbs: readonly Verb[]
  /** Bytes that the ends lie within. */
  readonly odd?: number
}

const { zero, unmap, discard, write, compress } = verbs
const shapes: readonly Shape[] = [
  { name: 'each cluster', ranges: each(0, 1), verbs: [zero, unmap, discard, write, compress] },
  { name: 'the first half of each cluster', ranges: each(0, 0.5), verbs: [zero, unmap, write] },
  { name: 'the second half of each cluster', ranges: each(0.5, 1), verbs: [zero, discard, write] },
  { name: 'bytes within each cluster', ranges: each(0.25, 0.75), odd: 3, verbs: [zero, unmap, write] },
  { name: 'an odd tail of each cluster', ranges: each(0.25, 1), odd: 5, verbs: [zero, write] },
  { name: 'halves of neighbours', ranges: pairs(0, 0.5, 1.5), verbs: [zero, unmap, discard, write] },
  { name: 'halves of other neighbours', ranges: pairs(1, 0.5, 1.5), verbs: [zero, write] },
  { name: 'odd parts of three', ranges: pairs(0, 0.75, 2.25), odd: 7, verbs: [zero, discard] },
  { name: 'the whole disk', ranges: [[0, clusters]], verbs: [zero, unmap, discard, write] },
  { name: 'all but an odd head', ranges: [[0, clusters]], odd: 9, verbs: [zero, unmap, discard] },
  { name: 'the end of the disk', ranges: [[clusters - 2.5, clusters]], verbs: [zero, unmap, discard, compress] }
]

/**
 * The commands of a shape, but for those that begin or end within a compressed cluster under extended L2 and go on in
 * another: there QEMU writes zeros to what follows too. @see SW-05
 */
const commandsOf = (kind: Kind, shape: Shape, verb: Verb): readonly Command[] => {
  const size = 2 ** kind.clusterBits
  const end = sizeOf(kind)
  const odd = shape.odd ?? 0
  return shape.ranges.flatMap(([from, to]) => {
    const [at, until] = [from * size + odd, Math.min(end, to * size - odd)]
    const last = shape.name.startsWith('all but') ? end : until
    const parts = [at, last].filter((x) => x % size !== 0 && x !== end).map((x) => Math.floor(x / size))
    const spreads = Math.floor(at / size) !== Math.floor((last - 1) / size)
    const skipped = spreads && kind.create.includes('extended') && parts.some((c) => compressedAt.includes(c))
    return skipped || at >= last ? [] : [verb.of(at, last)]
  })
}

/** The options of a golden entry, as qemu-img spells them. */
const spelt = ({ version = 3, extendedL2 = false, dataFile }: Golden['options'] = {}): string =>
  [
    version === 2 ? 'compat=0.10' : 'compat=1.1',
    ...(extendedL2 ? ['extended_l2=on'] : []),
    ...(dataFile === undefined ? [] : [`data_file=${dataFile.name},data_file_raw=${dataFile.raw ? 'on' : 'off'}`])
  ].join(',')

for (const kind of kinds)
  needsQemu(test)(`${kind.create}, ${2 ** kind.clusterBits}${kind.backed === true ? ', backed' : ''}`, () =>
    inFolder((folder) => {
      const before = made(folder, kind)
      const traits = { version: 3, grain: 1, dataFile: false, backingSize: 0 } as const
      const trials = shapes.flatMap((shape) =>
        shape.verbs.map((verb) => ({
          name: `${verb.name} of ${shape.name}`,
          commands: commandsOf(kind, shape, verb)
        }))
      )
      const theirs = byQemu(
        folder,
        before,
        trials.map((trial) => trial.commands)
      )
      trials.forEach(({ name, commands }, i) => {
        const ours = byUs(before, commands).files
        const twin = theirs[i] ?? before
        assert.equal(l2Shapes(ours, before), l2Shapes(twin, before), name)
        const guest = abstraction(ours, traits).content
        assert.is(Buffer.compare(guest, abstraction(twin, traits).content), 0, name)
        if (kind.create.includes('raw=on')) {
          assert.is(Buffer.compare(ours.data, twin.data), 0, name)
          assert.is(Buffer.compare(ours.data.subarray(0, guest.length), guest), 0, name)
        }
        const { corruptions, leaks, checkErrors } = countsOf(ours)
        assert.equal([corruptions, leaks, checkErrors], [0, 0, 0], name)
        if (i % 6 === 0) assert.ok(isCleanForQemu(folder, ours), name)
      })
      note(`${kind.create}: ${trials.reduce((n, { commands }) => n + commands.length, 0)} commands`)
    })
  )

needsQemu(test)('the L2 entries of each clause are those that QEMU leaves', () => {
  for (const { clause, says, options, backed, commands, entries } of golden) {
    const eras = commands.reduce<readonly (readonly Command[])[]>(
      (all, c) => (c === 'snapshot' ? [...all, []] : [...all.slice(0, -1), [...(all.at(-1) ?? []), c]]),
      [[]]
    )
    const found = inFolder((folder) =>
      l2Text(
        prepare(folder, {
          create: spelt(options),
          size: diskSize,
          ...(backed === true ? { backing: new Uint8Array(3.5 * 65_536).fill(0xbb) } : {}),
          eras: eras.map((era) => era.map(lineOf))
        })
      )
    )
    for (const [cluster, entry] of Object.entries(entries))
      assert.is(found[Number(cluster)], entry, `${clause} ${says}: cluster ${cluster}`)
  }
})

test.run()
