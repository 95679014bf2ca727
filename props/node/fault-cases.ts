/** The commands that write, each with the files that it finds, and what an image holds. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import { fromMemory, runSync } from '../../src/bytes/plan.js'
import { empty, fromText, toSomeText } from '../../src/bytes/octets.js'
import { check } from '../../src/image/check/check.js'
import type { Finding } from '../../src/image/check/findings.js'
import { dump } from '../../src/image/dump/dump.js'
import { using, wait } from '../../src/node/command-error.js'
import { guestReader, guestSize } from '../../src/node/images/guest.js'
import { openChain } from '../../src/node/images/open.js'
import { openableMetadata } from '../../src/node/images/openable-metadata.js'
import { openFile } from '../../src/node/files/file.js'
import { runHere, valueOf } from './outcome.js'

/** Files by name. */
export type Files = ReadonlyMap<string, Uint8Array>

/** A command line in a folder of files. */
export interface FaultCase {
  readonly words: readonly string[]
  /** The scene that it starts from. */
  readonly scene: string
  /** Whether it writes guest bytes, of which each sector is old or new after a failure. */
  readonly sectors?: true
  /** Whether a crash may leave an image whose backing file, or the format of that, is not named: it moves in the header. */
  readonly unnamed?: true
  /** The file that it makes, which is complete or not there. */
  readonly output?: string
}

const io = (...lines: readonly string[]): readonly string[] => [
  'io',
  ...lines.flatMap((line) => ['-c', line]),
  'disk.qcow2'
]

export const faultCases: readonly FaultCase[] = [
  { words: ['snapshot', '-c', 'two', 'disk.qcow2'], scene: 'plain' },
  { words: ['snapshot', '-a', 'one', 'disk.qcow2'], scene: 'plain' },
  { words: ['snapshot', '-d', 'one', 'disk.qcow2'], scene: 'plain' },
  { words: ['resize', '-q', 'disk.qcow2', '4M'], scene: 'plain' },
  { words: ['resize', '-q', '--preallocation=full', 'disk.qcow2', '192k'], scene: 'plain' },
  { words: ['resize', '-q', '--shrink', 'disk.qcow2', '20k'], scene: 'plain', sectors: true },
  { words: ['amend', '-o', 'refcount_bits=64', 'disk.qcow2'], scene: 'plain' },
  { words: ['amend', '-o', 'compat=0.10', 'disk.qcow2'], scene: 'plain' },
  { words: ['rebase', '-u', '-b', 'other.qcow2', '-F', 'qcow2', 'disk.qcow2'], scene: 'plain' },
  { words: ['bitmap', '--add', 'disk.qcow2', 'b2'], scene: 'bitmaps' },
  { words: ['bitmap', '--remove', 'disk.qcow2', 'b1'], scene: 'bitmaps' },
  { words: ['bitmap', '--add', '--merge', 'b1', '--disable', 'disk.qcow2', 'b2'], scene: 'bitmaps' },
  { words: ['bitmap', '--clear', 'disk.qcow2', 'b1'], scene: 'bitmaps' },
  { words: ['check', '-q', '-r', 'leaks', 'disk.qcow2'], scene: 'leaky' },
  { words: ['check', '-q', '-r', 'all', 'disk.qcow2'], scene: 'leaky' },
  { words: ['check', '-q', '-r', 'all', 'disk.qcow2'], scene: 'broken' },
  { words: io('write -q -P 9 1000 40000'), scene: 'plain', sectors: true },
  { words: io('write -q -P 9 1000 40000', 'write -q -P 8 90k 9k'), scene: 'bitmaps', sectors: true },
  { words: io('write -q -c -P 9 96k 4k'), scene: 'plain', sectors: true },
  { words: io('write -q -z -u 3k 50k'), scene: 'plain', sectors: true },
  { words: io('write -q -z 3k 50k'), scene: 'plain', sectors: true },
  { words: io('discard -q 2k 60k'), scene: 'plain', sectors: true },
  { words: ['resize', '-q', '--shrink', 'disk.qcow2', '20k'], scene: 'external', sectors: true },
  { words: io('write -q -P 9 1000 40000', 'discard -q 50k 20k'), scene: 'external', sectors: true },
  { words: ['commit', '-q', 'overlay.qcow2'], scene: 'overlay', sectors: true },
  { words: ['amend', '-o', 'compat=0.10,size=64k', 'overlay.qcow2'], scene: 'overlay', unnamed: true },
  { words: ['rebase', '-b', 'other.qcow2', '-F', 'qcow2', 'overlay.qcow2'], scene: 'overlay' },
  { words: ['convert', '-n', '-O', 'qcow2', 'other.qcow2', 'disk.qcow2'], scene: 'plain', sectors: true },
  { words: ['create', '-q', '-o', 'cluster_size=512', 'new.qcow2', '1M'], scene: 'plain', output: 'new.qcow2' },
  { words: ['convert', '-O', 'qcow2', 'disk.qcow2', 'new.qcow2'], scene: 'plain', output: 'new.qcow2' },
  { words: ['convert', '-c', '-O', 'qcow2', 'disk.qcow2', 'new.qcow2'], scene: 'plain', output: 'new.qcow2' },
  { words: ['assemble', 'disk.json', 'new.qcow2'], scene: 'plain', output: 'new.qcow2' }
]

const folder = mkdtempSync(join(tmpdir(), 'qcow2-faults-'))

/** The path of a file of the folder in which the commands run. */
export const pathOf = (name: string): string => join(folder, name)

/** Removes the folder. */
export const removeFolder = (): void => rmSync(folder, { recursive: true })

/** The names of the files in the folder. */
export const filesThere = (): readonly string[] => readdirSync(folder).sort()

/** A command line, whose words that name files of the folder are paths. */
export const inFolder = (words: readonly string[]): readonly string[] =>
  words.map((word, i) => (/\.(qcow2|json)$/.test(word) && words[i - 1] !== '-b' ? pathOf(word) : word))

/** Makes the folder hold these files only. */
export const putFiles = (files: Files): void => {
  for (const name of filesThere()) rmSync(pathOf(name))
  for (const [name, bytes] of files) writeFileSync(pathOf(name), bytes)
}

const run = (...words: readonly string[]): Promise<void> => runHere(...inFolder(words))

const takeFiles = (): Files => new Map(filesThere().map((name) => [name, readFileSync(pathOf(name))]))

/** Clusters of 512 bytes: a small disk has many tables. */
const small = ['-o', 'cluster_size=512'] as const

const makeDisk = async (): Promise<void> => {
  await run('create', '-q', ...small, 'other.qcow2', '128k')
  await run('io', '-c', 'write -q -P 7 40k 9k', 'other.qcow2')
  await run('create', '-q', ...small, 'disk.qcow2', '128k')
  await run(...io('write -q -P 1 0 48k', 'write -q -c -P 2 48k 512', 'write -q -c -P 2 49k 512'))
  await run('snapshot', '-c', 'one', 'disk.qcow2')
  await run(...io('write -q -P 3 4k 6000', 'write -q -z 30k 2k'))
}

/** The files of each scene. */
export const makeScenes = async (): Promise<ReadonlyMap<string, Files>> => {
  putFiles(new Map())
  await makeDisk()
  const disk = takeFiles()
  await run('bitmap', '--add', '-g', '512', 'disk.qcow2', 'b1')
  await run(...io('write -q -P 4 60k 3000'))
  const bitmaps = takeFiles()
  putFiles(new Map())
  await run('create', '-q', '-o', 'cluster_size=512,data_file=data.raw', 'disk.qcow2', '128k')
  await run(...io('write -q -P 1 0 96k'))
  const external = takeFiles()
  putFiles(disk)
  await run('create', '-q', ...small, '-b', 'disk.qcow2', '-F', 'qcow2', 'overlay.qcow2', '128k')
  await run(
    'io',
    '-c',
    'write -q -P 6 99k 9k',
    '-c',
    'write -q -z 100 3k',
    '-c',
    'write -q -P 5 10k 20k',
    'overlay.qcow2'
  )
  const overlay = takeFiles()
  const image = disk.get('disk.qcow2') ?? empty
  const json = fromText(dumpOf(image))
  return new Map([
    ['plain', new Map([...disk, ['disk.json', json]])],
    ['bitmaps', bitmaps],
    ['overlay', overlay],
    ['external', external],
    ['leaky', new Map([...disk, ['disk.qcow2', withRefcounts(image, 200, 256, 1)]])],
    ['broken', new Map([...disk, ['disk.qcow2', withRefcounts(image, 20, 40, -1)]])]
  ])
}

/** An image of which the refcounts of clusters `[from, to)` are wrong. */
const withRefcounts = (image: Uint8Array, from: number, to: number, by: 1 | -1): Uint8Array => {
  const bytes = Uint8Array.from(image)
  const words = new DataView(bytes.buffer)
  const block = Number(words.getBigUint64(Number(words.getBigUint64(48))))
  for (let c = from; c < to; c++) words.setUint16(block + 2 * c, words.getUint16(block + 2 * c) + by)
  return bytes
}

const dumpOf = (image: Uint8Array): string => {
  const text: string[] = []
  runSync(dump(image.length, 'inline'), { read: fromMemory(image), emit: (part) => text.push(part) })
  return text.join('')
}

/** What is wrong with an image. */
export const findingsOf = (name: string): readonly Finding[] => {
  const bytes = readFileSync(pathOf(name))
  const report = E.flattenW(runSync(check(bytes.length), { read: fromMemory(bytes) }))
  if (E.isLeft(report)) throw new Error(report.left[0]?.message)
  return report.right.findings
}

/** What the guest reads, from the active disk and from each snapshot. */
export interface Contents {
  readonly active: Uint8Array
  readonly snapshots: ReadonlyMap<string, Uint8Array>
}

const diskOf = (name: string, snapshot?: string): Promise<Uint8Array> =>
  valueOf(
    using(openChain(pathOf(name), { allow: [], snapshot }), async function* (open) {
      return yield* wait((await guestReader(open))(0, guestSize(open)))
    })
  )

export const contentsOf = async (name: string): Promise<Contents> => {
  const names = await valueOf(
    using(openFile({ name: pathOf(name) }, 'shared'), async function* (source) {
      return (yield* wait(openableMetadata(source))).snapshots.map((s) => toSomeText(s.name))
    })
  )
  const snapshots = new Map<string, Uint8Array>()
  for (const of of names) snapshots.set(of, await diskOf(name, of))
  return { active: await diskOf(name), snapshots }
}
