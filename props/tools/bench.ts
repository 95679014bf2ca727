/**
 * Speed, beside a named rival that does the same work: `node --expose-gc dist/props/tools/bench.js [TEXT...]`.
 *
 * The two take turns in one run, so that both meet the same weather; a ratio is the median over the rounds.
 * Nothing fails on a time: the goals are there to be read. A TEXT picks the lines that contain it.
 */
import * as E from 'fp-ts/lib/Either.js'
import { type Header, header, v2Defaults } from '../../src/format/header.js'
import { clusterKind, clusterKinds, L2View } from '../../src/format/views.js'
import {
  converting,
  equal,
  filling,
  mebi,
  memoryOf,
  metadataOnly,
  node,
  type Sides,
  snapshotting,
  starting,
  writing
} from './bench-processes.js'
import { readHeader, type Tally, tallyL2, writeHeader } from './rivals.js'

/** One line of the table. */
interface Bench {
  readonly what: string
  readonly rival: string
  /** Most that our time divided by the rival's should be. */
  readonly goal: number
  readonly rounds: number
  /** Calls of each side in a round. */
  readonly calls: number
  /** Things that one call works through; times are told for one of them. */
  readonly things: number
  /** Both sides, or why they cannot run here. */
  readonly sides: () => Sides | string
}

const headers = Array.from({ length: 8 }, (_, i): Header => ({
  magic: 0x5146_49fb,
  version: 3,
  backingFileOffset: i === 1 ? 0x198n : 0n,
  backingFileSize: i === 1 ? 9 : 0,
  clusterBits: 16,
  size: BigInt(i + 1) << 30n,
  cryptMethod: 0,
  l1Size: 2 * (i + 1),
  l1TableOffset: 0x3_0000n,
  refcountTableOffset: 0x1_0000n,
  refcountTableClusters: 1,
  nbSnapshots: i,
  snapshotsOffset: BigInt(i) << 20n,
  incompatibleFeatures: { ...v2Defaults.incompatibleFeatures, dirty: i === 2, extendedL2: i === 3 },
  compatibleFeatures: { ...v2Defaults.compatibleFeatures, lazyRefcounts: i === 2 },
  autoclearFeatures: v2Defaults.autoclearFeatures,
  refcountOrder: 4,
  headerLength: i === 4 ? 120 : 112,
  additional: { compressionType: 0, padding: new Uint8Array(7), rest: new Uint8Array(i === 4 ? 8 : 0) }
}))

const decoding = (): Sides => {
  const all = headers.map(writeHeader)
  return equal({ ours: () => all.map((bytes) => E.toUnion(header.decode(bytes))), theirs: () => all.map(readHeader) })
}

/** Each side writes the headers that it has read itself. */
const encoding = (): Sides => {
  const all = headers.map(writeHeader)
  const ours = all.flatMap((bytes) =>
    E.match(
      () => [],
      (h: Header) => [h]
    )(header.decode(bytes))
  )
  const theirs = all.flatMap((bytes) => readHeader(bytes) ?? [])
  return equal({ ours: () => ours.map(header.encode), theirs: () => theirs.map(writeHeader) })
}

/** An L2 table with entries of every kind, by a generator of numbers that takes no part in the format. */
const mixedTable = (entries: number): Uint8Array => {
  const bytes = new Uint8Array(8 * entries)
  const view = new DataView(bytes.buffer)
  for (let i = 0, n = 1; i < entries; i++) {
    n = (Math.imul(n, 1_664_525) + 1_013_904_223) >>> 0
    const cluster = BigInt(i + 1) << 16n
    const kinds = [0n, 1n, cluster | 1n, (1n << 62n) | (3n << 54n) | BigInt(n)]
    view.setBigUint64(8 * i, kinds[n >>> 29] ?? cluster | (1n << 63n))
  }
  return bytes
}

const tallyByView = (view: L2View): Tally => {
  const kinds = clusterKinds.map(() => 0)
  let offsets = 0
  for (let i = 0; i < view.length; i++) {
    const kind = view.kind(i)
    kinds[kind] = (kinds[kind] ?? 0) + 1
    offsets += kind === clusterKind.Compressed ? view.hostOffset(i) : view.hostClusterOffset(i)
  }
  return { kinds, offsets }
}

const scanning = (): Sides => {
  const bytes = mixedTable(2 ** 23)
  const view = new L2View(bytes, { version: 3, clusterBits: 16, extendedL2: false, externalDataFile: false })
  return equal({ ours: () => tallyByView(view), theirs: () => tallyL2(bytes) })
}

const once = { calls: 1, things: 1 }
/** A whole process beside qemu-img's. */
const wholeProcess = { rival: 'qemu-img', rounds: 5, ...once }
/** The same where both are soon done, and chance weighs more. */
const shortProcess = { ...wholeProcess, rounds: 21 }

/** Guest disks, in GiB. */
const disks = [64, 256, 1024]
const deflate = ['-c']
const zstd = ['-c', '-o', 'compression_type=zstd']

const benches: readonly Bench[] = [
  {
    what: 'header decode',
    rival: 'DataView by hand',
    goal: 4,
    rounds: 21,
    calls: 2000,
    things: headers.length,
    sides: decoding
  },
  {
    what: 'header encode',
    rival: 'DataView by hand',
    goal: 4,
    rounds: 21,
    calls: 2000,
    things: headers.length,
    sides: encoding
  },
  {
    what: 'L2View over 64 MiB',
    rival: 'DataView by hand',
    goal: 1.5,
    rounds: 11,
    calls: 1,
    things: 1,
    sides: scanning
  },
  { what: 'qcow2 info IMAGE', rival: 'node -e 0', goal: 2.5, rounds: 15, ...once, sides: starting },
  ...disks.flatMap((size): readonly Bench[] => [
    { what: `check, ${size} GiB metadata`, ...wholeProcess, goal: 1, sides: metadataOnly(size, 'check') },
    { what: `map, ${size} GiB metadata`, ...shortProcess, goal: 1.5, sides: metadataOnly(size, 'map', '--output=json') }
  ]),
  ...disks.map((size) => ({
    what: `snapshot -c -a -d, ${size} GiB`,
    ...wholeProcess,
    rounds: 3,
    goal: 2,
    sides: snapshotting(size)
  })),
  ...[5_000, 20_000].map((writes) => ({
    what: `io, ${writes} writes of 4 KiB`,
    ...wholeProcess,
    rival: 'qemu-io',
    rounds: 3,
    goal: 3,
    sides: writing(writes)
  })),
  { what: 'convert 256 MiB', ...shortProcess, goal: 1.3, sides: converting(256) },
  { what: 'convert 256 MiB deflate', ...wholeProcess, goal: 1, sides: converting(256, ...deflate) },
  { what: 'convert 256 MiB zstd', ...wholeProcess, goal: 2, sides: converting(256, ...zstd) },
  { what: 'convert -O qcow2, 1 GiB', ...shortProcess, goal: 1.3, sides: filling(1024) },
  { what: 'convert -O qcow2 -c, 256 MiB', ...wholeProcess, rounds: 3, goal: 1, sides: filling(256, ...deflate) },
  { what: 'convert -O qcow2 -c zstd, 256 MiB', ...wholeProcess, goal: 2, sides: filling(256, ...zstd) }
]

/** How much more memory a large image takes than a small one. */
interface Growth {
  readonly what: string
  /** Most MiB that the large one should take more. */
  readonly goal: number
  readonly small: () => Sides | string
  readonly large: () => Sides | string
}

/** Clusters of 64 KiB. */
const clusters = 2 ** 14 * (1024 - 64)
/** What one run takes more than another by chance. */
const chance = 16

const growths: readonly Growth[] = [
  {
    what: 'check, 64 GiB to 1 TiB: 4 bytes a cluster',
    goal: (4 * clusters) / mebi + chance,
    small: metadataOnly(64, 'check'),
    large: metadataOnly(1024, 'check')
  },
  {
    what: 'map, 64 GiB to 1 TiB: nothing',
    goal: chance,
    small: metadataOnly(64, 'map', '--output=json'),
    large: metadataOnly(1024, 'map', '--output=json')
  },
  { what: 'convert, 128 MiB to 1 GiB: nothing', goal: chance, small: converting(128), large: converting(1024) },
  { what: 'convert -O qcow2, 128 MiB to 1 GiB: nothing', goal: chance, small: filling(128), large: filling(1024) },
  {
    what: 'convert deflate, 128 to 256 MiB: nothing',
    goal: chance,
    small: converting(128, ...deflate),
    large: converting(256, ...deflate)
  }
]

/** Rounds before those that count, in which code is compiled and caches fill. */
const warmUp = 2

/** What the last call gave, so that no call can be left out. */
let last: unknown

const milliseconds = (work: () => unknown, calls: number): number => {
  const from = performance.now()
  for (let i = 0; i < calls; i++) last = work()
  return performance.now() - from
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

/** The median time of Node alone, which no command of ours can go below. */
let nodeAlone: number | undefined

const aloneTime = (): number => {
  nodeAlone ??= median(Array.from({ length: 9 }, () => milliseconds(() => node('-e', '0'), 1)))
  return nodeAlone
}

const time = (ms: number): string =>
  ms < 1e-3 ? `${(ms * 1e6).toFixed(0)} ns` : ms < 1 ? `${(ms * 1e3).toFixed(2)} us` : `${ms.toFixed(1)} ms`

/** The cells of a line. */
const measure = ({ what, rival, goal, rounds, calls, things, sides }: Bench): readonly string[] => {
  const both = sides()
  if (typeof both === 'string') return [what, both, '', rival, '', `${goal}`, '']
  globalThis.gc?.()
  const taken = Array.from({ length: warmUp + rounds }, () => ({
    ours: milliseconds(both.ours, calls) / calls / things,
    theirs: milliseconds(both.theirs, calls) / calls / things
  })).slice(warmUp)
  const ratio = median(taken.map((t) => t.ours / t.theirs))
  const [ours, theirs] = [median(taken.map((t) => t.ours)), median(taken.map((t) => t.theirs))]
  const ofProcess =
    both.process === undefined ? [] : [(aloneTime() / theirs).toFixed(2), memoryOf(both.process).toFixed(0)]
  return [
    what,
    time(ours),
    time(theirs),
    rival,
    ratio.toFixed(2),
    `${goal}`,
    ratio <= goal ? 'yes' : 'no',
    ...ofProcess
  ]
}

const more = ({ what, goal, small, large }: Growth): readonly string[] => {
  const [a, b] = [small(), large()]
  if (typeof a === 'string' || typeof b === 'string') return [what, 'no qemu-img', '', '', `${goal}`, '']
  const [before, after] = [memoryOf(a.process ?? []), memoryOf(b.process ?? [])]
  const met = after - before <= goal ? 'yes' : 'no'
  return [what, ...[before, after, after - before, goal].map((n) => n.toFixed(0)), met]
}

const print = (widths: readonly number[], cells: readonly string[]): void => {
  console.log(
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

const words = process.argv.slice(2)
const wanted = (what: string): boolean => words.length === 0 || words.some((text) => what.includes(text))

const columns = [35, 10, 10, 16, 5, 4, 3, 5, 3]
print(columns, ['what', 'ours', 'rival', '', 'ratio', 'goal', 'met', 'least', 'MiB'])
for (const bench of benches) if (wanted(bench.what)) print(columns, measure(bench))
console.log('\nleast: the ratio of Node started for nothing; MiB: the most memory of ours\n')

const growing = [47, 5, 5, 4, 4, 3]
print(growing, ['memory', 'small', 'large', 'more', 'goal', 'met'])
for (const growth of growths) if (wanted(growth.what)) print(growing, more(growth))
if (last === undefined) console.log('nothing to measure')
