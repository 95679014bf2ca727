/**
 * `npm run bench [-- [--check] TEXT...]`: measures speed as a ratio to a named rival that does the same work.
 *
 * Both sides take turns in one run, so that the load of the machine affects both; the ratio is the median over the rounds.
 * The goals are printed for comparison; `--check` names the lines that fall short of theirs, and exits with 1 if one does.
 * A TEXT selects the lines that contain it.
 */
import { parseArgs } from 'node:util'
import { decoding, encoding, scanning } from './bench-codecs.js'
import { changing, onChain, onExtended, snapshotOf } from './bench-changes.js'
import { compressedReads, scatteredReads, smallReads } from './bench-disk.js'
import { goals, memoryGoals } from './bench-goals.js'
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

const convertOut = (image: string): readonly string[] => ['convert', '-O', 'raw', image, `${image}.raw`]
const mapJson = (image: string): readonly string[] => ['map', '--output=json', image]

/** Chains, extended L2 entries, and commands that change an image. */
const changes: readonly Bench[] = [
  { what: 'map, four layers', ...shortProcess, goal: goals.chain, sides: onChain(mapJson) },
  { what: 'convert -O raw, four layers', ...wholeProcess, goal: goals.chain, sides: onChain(convertOut) },
  { what: 'map, extended L2', ...shortProcess, goal: goals.walkExtended, sides: onExtended(mapJson) },
  { what: 'convert -O raw, extended L2', ...wholeProcess, goal: goals.convertExtended, sides: onExtended(convertOut) },
  { what: 'commit 64 MiB', ...wholeProcess, goal: goals.change, sides: changing((image) => ['commit', image]) },
  { what: 'rebase -b ""', ...wholeProcess, goal: goals.change, sides: changing((image) => ['rebase', '-b', '', image]) }
]

/** Reads of an open disk in this process. */
const readRow = { rounds: 15, calls: 1, things: 1 }
const diskReads: readonly Bench[] = [
  {
    what: 'openDisk, 20000 reads of 4 KiB',
    ...readRow,
    rival: 'fs.readSync',
    goal: goals.randomReads,
    sides: scatteredReads('64k')
  },
  {
    what: 'openDisk, the same, 2 MiB clusters',
    ...readRow,
    rival: 'fs.readSync',
    goal: goals.randomReadsLarge,
    sides: scatteredReads('2M')
  },
  {
    what: 'openDisk, compressed',
    ...readRow,
    rival: 'inflateRawSync',
    goal: goals.compressedReads,
    sides: compressedReads
  },
  { what: 'openDisk, reads of 512 bytes', ...readRow, rival: 'of 64 KiB', goal: goals.smallReads, sides: smallReads }
]

const benches: readonly Bench[] = [
  {
    what: 'header decode',
    rival: 'DataView by hand',
    goal: goals.headerCodec,
    rounds: 21,
    calls: 2000,
    things: 8,
    sides: decoding
  },
  {
    what: 'header encode',
    rival: 'DataView by hand',
    goal: goals.headerCodec,
    rounds: 21,
    calls: 2000,
    things: 8,
    sides: encoding
  },
  {
    what: 'L2View over 64 MiB',
    rival: 'DataView by hand',
    goal: goals.view,
    rounds: 11,
    calls: 1,
    things: 1,
    sides: scanning
  },
  ...['info', 'check', 'map'].map((word) => ({
    what: `qcow2 ${word} IMAGE`,
    rival: 'node -e 0',
    goal: goals.start,
    rounds: 15,
    ...once,
    sides: starting(word)
  })),
  ...disks.flatMap((size): readonly Bench[] => [
    { what: `check, ${size} GiB metadata`, ...wholeProcess, goal: goals.check, sides: metadataOnly(size, 'check') },
    {
      what: `map, ${size} GiB metadata`,
      ...shortProcess,
      goal: goals.map,
      sides: metadataOnly(size, 'map', '--output=json')
    }
  ]),
  ...holes.map(([what, sides]) => ({ what, ...wholeProcess, goal: goals.sparse, sides })),
  ...changes,
  ...diskReads,
  ...disks.map((size) => ({
    what: `snapshot -c -a -d, ${size} GiB`,
    ...wholeProcess,
    rounds: 3,
    goal: goals.change,
    sides: snapshotting(size)
  })),
  ...[5_000, 20_000].map((writes) => ({
    what: `io, ${writes} writes of 4 KiB`,
    ...wholeProcess,
    rival: 'qemu-io',
    rounds: 3,
    goal: goals.io,
    sides: writing(writes)
  })),
  {
    what: 'io, 20000 reads of 4 KiB',
    ...wholeProcess,
    rival: 'qemu-io',
    rounds: 3,
    goal: goals.io,
    sides: reading(20_000)
  },
  { what: 'convert 256 MiB', ...shortProcess, goal: goals.convert, sides: converting(256) },
  { what: 'convert 256 MiB deflate', ...wholeProcess, goal: goals.convert, sides: converting(256, ...deflate) },
  { what: 'convert 256 MiB zstd', ...wholeProcess, goal: goals.convert, sides: converting(256, ...zstd) },
  { what: 'compare 256 MiB', ...shortProcess, goal: goals.compare, sides: comparing(256) },
  { what: 'compare 256 MiB deflate', ...wholeProcess, goal: goals.compare, sides: comparing(256, ...deflate) },
  { what: 'convert -O qcow2, 1 GiB', ...shortProcess, goal: goals.convert, sides: filling(1024) },
  {
    what: 'convert -O qcow2 -c, 256 MiB',
    ...wholeProcess,
    rounds: 3,
    goal: goals.compressDeflate,
    sides: filling(256, ...deflate)
  },
  { what: 'convert -O qcow2 -c zstd, 256 MiB', ...wholeProcess, goal: goals.compressZstd, sides: filling(256, ...zstd) }
]

/** How much more memory a large image needs than a small one. */
interface Growth {
  readonly what: string
  /** The upper bound in MiB that the difference should keep. */
  readonly goal: number
  /** Whether the bound is one of all memory that the large image takes. */
  readonly ofAll?: boolean
  readonly small: () => Sides | string
  readonly large: () => Sides | string
}

/** Clusters of 64 KiB. */
const clusters = 2 ** 14 * (1024 - 64)
const { noise } = memoryGoals

const growths: readonly Growth[] = [
  {
    what: 'snapshot -c, 64 GiB to 4 TiB',
    goal: memoryGoals.snapshot,
    ofAll: true,
    small: snapshotOf(64),
    large: snapshotOf(4096)
  },
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

/** The lines that fall short of their goals. */
const short: string[] = []

/** The cell of whether a goal is met, which is kept where it is not. */
const met = (what: string, isMet: boolean): string => {
  if (!isMet) short.push(what)
  return isMet ? 'yes' : 'no'
}

/** The cells of one row. */
const measure = ({ what, rival, goal, rounds, calls, things, sides }: Bench): readonly string[] => {
  const both = sides()
  if (typeof both === 'string') return [what, both, '', rival, '', goal.toFixed(1), '']
  globalThis.gc?.()
  const taken = Array.from({ length: warmUp + rounds }, () => ({
    ours: (milliseconds(both.ours, calls) - milliseconds(both.start ?? nothing, calls)) / calls / things,
    theirs: milliseconds(both.theirs, calls) / calls / things
  })).slice(warmUp)
  const ratio = median(taken.map((t) => t.ours / t.theirs))
  const [ours, theirs] = [median(taken.map((t) => t.ours)), median(taken.map((t) => t.theirs))]
  const ofProcess =
    both.process === undefined ? [] : [(aloneTime() / theirs).toFixed(2), memoryOf(both.process).toFixed(0)]
  // A goal over a program of QEMU's leaves out what Node takes to start.
  const start = rival.startsWith('qemu') && both.start === undefined ? aloneTime() / theirs : 0
  return [
    what,
    time(ours),
    time(theirs),
    rival,
    ratio.toFixed(2),
    goal.toFixed(1),
    met(what, ratio <= goal + start),
    ...ofProcess
  ]
}

const more = ({ what, goal, small, large, ofAll = false }: Growth): readonly string[] => {
  const [a, b] = [small(), large()]
  if (typeof a === 'string' || typeof b === 'string') return [what, 'no qemu-img', '', '', `${goal}`, '']
  const [before, after] = [memoryOf(a.process ?? []), memoryOf(b.process ?? [])]
  const isMet = (ofAll ? after : after - before) <= goal
  return [what, ...[before, after, after - before, goal].map((n) => n.toFixed(0)), met(what, isMet)]
}

const print = (widths: readonly number[], cells: readonly string[]): void => {
  console.log(
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

const { values, positionals: words } = parseArgs({ allowPositionals: true, options: { check: { type: 'boolean' } } })
const wanted = (what: string): boolean => words.length === 0 || words.some((text) => what.includes(text))

const columns = [35, 10, 10, 16, 5, 4, 3, 5, 3]
print(columns, ['what', 'ours', 'rival', '', 'ratio', 'goal', 'met', 'least', 'MiB'])
for (const bench of benches) if (wanted(bench.what)) print(columns, measure(bench))
console.log('\nleast: the ratio of Node alone; MiB: our peak memory\n')

const growing = [47, 5, 5, 4, 4, 3]
print(growing, ['memory', 'small', 'large', 'more', 'goal', 'met'])
for (const growth of growths) if (wanted(growth.what)) print(growing, more(growth))
if (last === undefined) console.log('nothing to measure')
if (values.check === true && short.length > 0) {
  console.log(`\nshort of their goals: ${short.length}`)
  for (const what of short) console.log(`  ${what}`)
  process.exitCode = 1
}
