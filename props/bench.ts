/**
 * Speed, beside a named rival that does the same work: `node --expose-gc dist/props/bench.js [TEXT...]`.
 *
 * The two take turns in one run, so that both meet the same weather; a ratio is the median over the rounds.
 * Nothing fails on a time: the goals are there to be read. A TEXT picks the lines that contain it.
 */
import { deepStrictEqual } from 'node:assert'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import * as E from 'fp-ts/lib/Either.js'
import { corpusFolder } from '../corpus/load.js'
import { type Header, header, v2Defaults } from '../src/format/header.js'
import { clusterKind, clusterKinds, L2View } from '../src/format/views.js'
import { sparseMachine } from './transition/sparse.js'
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

/** Ours and the rival's work. */
interface Sides {
  readonly ours: () => unknown
  readonly theirs: () => unknown
}

/** Sides that give equal values. */
const equal = (sides: Sides): Sides => {
  deepStrictEqual(sides.ours(), sides.theirs())
  return sides
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

const scratch = mkdtempSync(join(tmpdir(), 'qcow2-bench-'))
process.on('exit', () => {
  rmSync(scratch, { recursive: true })
})

/** A small image: of the corpus, or else made by qemu-img; `undefined` when there is neither. */
const smallImage = (): string | undefined => {
  const path = join(scratch, 'small.qcow2')
  const kept = `${corpusFolder}images/matrix-64k-w16-v3-zstd-ext.qcow2.gz`
  if (existsSync(kept)) writeFileSync(path, gunzipSync(readFileSync(kept)))
  else spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G'])
  return existsSync(path) ? path : undefined
}

const qemu = (...args: readonly string[]): number | null => spawnSync('qemu-img', args, { stdio: 'ignore' }).status

const command = fileURLToPath(new URL('../src/node/main.js', import.meta.url))

/** Our command and QEMU's on the same image, both with the same exit code. */
const besideQemu = (
  image: string,
  ours: readonly string[],
  theirs: readonly string[],
  make: () => number | null
): Sides | string => {
  if (!existsSync(image) && make() !== 0) return 'no qemu-img'
  return equal({ ours: () => node(command, ...ours), theirs: () => qemu(...theirs) })
}

/** An image of this size with all its metadata and no data. */
const metadataOnly =
  (size: string, ...words: readonly string[]) =>
  (): Sides | string => {
    const image = join(scratch, `metadata-${size}.qcow2`)
    return besideQemu(image, [...words, image], [...words, image], () =>
      qemu('create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', image, size)
    )
  }

/** A snapshot of an image with all its metadata, gone back to and deleted: by plans in memory, by qemu-img on the file. */
const snapshotting = (size: string) => (): Sides | string => {
  const image = join(scratch, `snapshots-${size}.qcow2`)
  if (qemu('create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', image, size) !== 0) return 'no qemu-img'
  const ours = sparseMachine(image)
  return {
    ours: () => {
      for (const _tag of ['SnapshotCreate', 'SnapshotApply', 'SnapshotDelete'] as const) ours({ _tag, name: 'a' })
    },
    theirs: () => ['-c', '-a', '-d'].map((action) => qemu('snapshot', action, 'a', image))
  }
}

/** 256 MiB of real files: Node's own program, over and over. */
const realData = (): string => {
  const path = join(scratch, 'real.raw')
  const program = readFileSync(process.execPath)
  const bytes = Buffer.alloc(2 ** 28)
  for (let at = 0; at < bytes.length; at += program.length) program.copy(bytes, at)
  if (!existsSync(path)) writeFileSync(path, bytes)
  return path
}

/** An image of real files made with these options, converted back to raw. */
const converting =
  (name: string, ...options: readonly string[]) =>
  (): Sides | string => {
    const image = join(scratch, `${name}.qcow2`)
    const out = join(scratch, 'out.raw')
    return besideQemu(image, ['convert', image, out], ['convert', '-O', 'raw', image, out], () =>
      qemu('convert', '-f', 'raw', '-O', 'qcow2', ...options, realData(), image)
    )
  }

const node = (...args: readonly string[]): number | null =>
  spawnSync(process.execPath, args, { stdio: 'ignore' }).status

const starting = (): Sides | string => {
  const image = smallImage()
  if (image === undefined) return 'no image'
  return equal({ ours: () => node(command, 'info', image), theirs: () => node('-e', '0') })
}

const once = { calls: 1, things: 1 }
/** A whole process beside qemu-img's. */
const wholeProcess = { rival: 'qemu-img', rounds: 5, ...once }

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
  ...['64G', '256G', '1T'].flatMap((size): readonly Bench[] => [
    { what: `check, ${size} metadata`, ...wholeProcess, goal: 1, sides: metadataOnly(size, 'check') },
    { what: `map, ${size} metadata`, ...wholeProcess, goal: 1.5, sides: metadataOnly(size, 'map', '--output=json') }
  ]),
  { what: 'snapshot -c -a -d, 256G', ...wholeProcess, goal: 2, sides: snapshotting('256G') },
  { what: 'convert 256 MiB', ...wholeProcess, goal: 1.3, sides: converting('plain') },
  { what: 'convert 256 MiB deflate', ...wholeProcess, goal: 1, sides: converting('deflate', '-c') },
  {
    what: 'convert 256 MiB zstd',
    ...wholeProcess,
    goal: 2,
    sides: converting('zstd', '-c', '-o', 'compression_type=zstd')
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
  const medians = [median(taken.map((t) => t.ours)), median(taken.map((t) => t.theirs))].map(time)
  return [what, ...medians, rival, ratio.toFixed(2), `${goal}`, ratio <= goal ? 'yes' : 'no']
}

const widths = [25, 10, 10, 18, 6, 5, 4]
const print = (cells: readonly string[]): void => {
  console.log(
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

const wanted = process.argv.slice(2)
print(['what', 'ours', 'rival', '', 'ratio', 'goal', 'met'])
for (const bench of benches)
  if (wanted.length === 0 || wanted.some((text) => bench.what.includes(text))) print(measure(bench))
if (last === undefined) console.log('nothing to measure')
