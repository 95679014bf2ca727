/**
 * `npm run bench [-- TEXT...]`: measures speed as a ratio to a named rival that does the same work.
 *
 * Both sides take turns in one run, so that the load of the machine affects both; the ratio is the median over the rounds.
 * No time is a failure; the goals are printed for comparison. A TEXT selects the lines that contain it.
 */
import { decoding, encoding, scanning } from './bench-codecs.js'
import { holes } from './bench-holes.js'
import {
  comparing,
  converting,
  filling,
  mebi,
  memoryOf,
  metadataOnly,
  node,
  reading,
  type Sides,
  snapshotting,
  starting,
  writing
} from './bench-processes.js'

/** One line of the table. */
interface Bench {
  readonly what: string
  readonly rival: string
  /** The upper bound that our time divided by the rival's should keep. */
  readonly goal: number
  readonly rounds: number
  /** Calls of each side in a round. */
  readonly calls: number
  /** The number of things that one call processes; times are printed for one of them. */
  readonly things: number
  /** Both sides, or why they cannot run here. */
  readonly sides: () => Sides | string
}

const once = { calls: 1, things: 1 }
/** A whole process, compared with qemu-img's. */
const wholeProcess = { rival: 'qemu-img', rounds: 5, ...once }
/** The same for processes so short that noise weighs more. */
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
    things: 8,
    sides: decoding
  },
  {
    what: 'header encode',
    rival: 'DataView by hand',
    goal: 4,
    rounds: 21,
    calls: 2000,
    things: 8,
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
  ...holes.map(([what, sides]) => ({ what, ...wholeProcess, goal: 2, sides })),
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
  {
    what: 'io, 20000 reads of 4 KiB',
    ...wholeProcess,
    rival: 'qemu-io',
    rounds: 3,
    goal: 1.5,
    sides: reading(20_000)
  },
  { what: 'convert 256 MiB', ...shortProcess, goal: 1.3, sides: converting(256) },
  { what: 'convert 256 MiB deflate', ...wholeProcess, goal: 1, sides: converting(256, ...deflate) },
  { what: 'convert 256 MiB zstd', ...wholeProcess, goal: 2, sides: converting(256, ...zstd) },
  { what: 'compare 256 MiB', ...shortProcess, goal: 1, sides: comparing(256) },
  { what: 'compare 256 MiB deflate', ...wholeProcess, goal: 1, sides: comparing(256, ...deflate) },
  { what: 'convert -O qcow2, 1 GiB', ...shortProcess, goal: 1.3, sides: filling(1024) },
  { what: 'convert -O qcow2 -c, 256 MiB', ...wholeProcess, rounds: 3, goal: 1, sides: filling(256, ...deflate) },
  { what: 'convert -O qcow2 -c zstd, 256 MiB', ...wholeProcess, goal: 2, sides: filling(256, ...zstd) }
]

/** How much more memory a large image needs than a small one. */
interface Growth {
  readonly what: string
  /** The upper bound in MiB that the difference should keep. */
  readonly goal: number
  readonly small: () => Sides | string
  readonly large: () => Sides | string
}

/** Clusters of 64 KiB. */
const clusters = 2 ** 14 * (1024 - 64)
/** The noise between two runs, in MiB. */
const noise = 16

const growths: readonly Growth[] = [
  {
    what: 'check, 64 GiB to 1 TiB: 4 bytes a cluster',
    goal: (4 * clusters) / mebi + noise,
    small: metadataOnly(64, 'check'),
    large: metadataOnly(1024, 'check')
  },
  {
    what: 'map, 64 GiB to 1 TiB: nothing',
    goal: noise,
    small: metadataOnly(64, 'map', '--output=json'),
    large: metadataOnly(1024, 'map', '--output=json')
  },
  { what: 'convert, 128 MiB to 1 GiB: nothing', goal: noise, small: converting(128), large: converting(1024) },
  { what: 'convert -O qcow2, 128 MiB to 1 GiB: nothing', goal: noise, small: filling(128), large: filling(1024) },
  {
    what: 'convert deflate, 128 to 256 MiB: nothing',
    goal: noise,
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

/** The median time of Node alone: the lower bound of any command of ours. */
let nodeAlone: number | undefined

const aloneTime = (): number => {
  nodeAlone ??= median(Array.from({ length: 9 }, () => milliseconds(() => node('-e', '0'), 1)))
  return nodeAlone
}

const time = (ms: number): string =>
  ms < 1e-3 ? `${(ms * 1e6).toFixed(0)} ns` : ms < 1 ? `${(ms * 1e3).toFixed(2)} us` : `${ms.toFixed(1)} ms`

const nothing = (): undefined => undefined

/** The cells of one row. */
const measure = ({ what, rival, goal, rounds, calls, things, sides }: Bench): readonly string[] => {
  const both = sides()
  if (typeof both === 'string') return [what, both, '', rival, '', `${goal}`, '']
  globalThis.gc?.()
  const taken = Array.from({ length: warmUp + rounds }, () => ({
    ours: (milliseconds(both.ours, calls) - milliseconds(both.start ?? nothing, calls)) / calls / things,
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
console.log('\nleast: the ratio of Node alone; MiB: our peak memory\n')

const growing = [47, 5, 5, 4, 4, 3]
print(growing, ['memory', 'small', 'large', 'more', 'goal', 'met'])
for (const growth of growths) if (wanted(growth.what)) print(growing, more(growth))
if (last === undefined) console.log('nothing to measure')
