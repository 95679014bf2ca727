/** The scripts of the differential run, and how one is printed. */
import fc from 'fast-check'
import type { Command } from '../../src/transition/command.js'
import { type Shard, wholeRun } from '../../src/node/fuzz/shard.js'
import { arbitraryScript, type Move } from '../arbitrary/script.js'
import { arbitraryShape, minimalShapes, type Shape } from '../arbitrary/shape.js'
import { isOfGuest, lineOf } from '../qemu-crash/record.js'
import { type Difference, differences } from './differences.js'
import { creation, inFolder, names } from './files.js'
import { imgWords } from './party.js'
import { Tally } from './tally.js'
import { type Failed, type Script, tried } from './trial.js'

const raw = { name: names.data, raw: true } as const

const usual: readonly Shape[] = [
  { options: { size: 2 ** 20 }, backing: 0 },
  { options: { size: 2 ** 20, compressionType: 'zstd' }, backing: 300_000 },
  { options: { size: 2 ** 20 + 512, extendedL2: true }, backing: 2 ** 20 },
  { options: { size: 2 ** 19, version: 2 }, backing: 2 ** 20 },
  { options: { size: 8192, clusterBits: 9, dataFile: raw }, backing: 0 },
  { options: { size: 2 ** 20, dataFile: raw }, backing: 0 }
]

/** The same with a data file that is the raw disk, where there is nothing behind it. */
const madeRaw = (shape: Shape): Shape =>
  shape.options.dataFile === undefined || shape.backing > 0
    ? shape
    : { ...shape, options: { ...shape.options, dataFile: raw } }

/** What many scripts begin with, so that there is something for the rest of them. */
const prelude: readonly Move[] = [
  { kind: 'Write', where: 0, size: 13, off: 511, which: 1 },
  { kind: 'BitmapAdd', where: 4, size: 0, off: 0, which: 0 },
  { kind: 'BitmapAdd', where: 7, size: 0, off: 0, which: 1 },
  { kind: 'SnapshotCreate', where: 0, size: 0, off: 0, which: 0 }
]

const arbitraryScripts: fc.Arbitrary<Script> = fc.record({
  shape: fc.oneof(
    fc.constantFrom(...minimalShapes, ...usual),
    arbitraryShape,
    fc.tuple(arbitraryShape, fc.boolean()).map(([shape, isRaw]) => (isRaw ? madeRaw(shape) : shape))
  ),
  byQemu: fc.boolean(),
  moves: fc.tuple(fc.subarray([...prelude]), arbitraryScript(3, 14)).map(([first, rest]) => [...first, ...rest]),
  turns: fc.nat(2 ** 30 - 1),
  nbd: fc.integer({ min: 0, max: 15 }).map((n) => n === 7)
})

const quoted = (words: readonly string[]): string =>
  words.map((word) => (/^[\w./=,-]+$/.test(word) ? word : `'${word}'`)).join(' ')

/** The bytes of a write are one byte over and over here. */
const ioWords = (c: Command): readonly string[] => [
  '-c',
  c._tag === 'Flush' ? 'flush' : lineOf(c, '').replace('-s  ', `-P ${'bytes' in c ? (c.bytes[0] ?? 0) : 0} `),
  names.image
]

/** A command in the words of each party. */
const spelt = (c: Command): readonly [theirs: string, ours: string] => {
  const isIo = isOfGuest(c) || c._tag === 'Flush'
  const words = quoted(isIo ? ioWords(c) : imgWords(c))
  return [`${isIo ? 'qemu-io' : 'qemu-img'} ${words}`, `qcow2 ${isIo ? 'io ' : ''}${words}`]
}

/** A failure: why, and the lines of both side by side, after which it shows. */
const linesOf = ({ shape, byQemu }: Script, { why, done }: Failed): readonly string[] => {
  const create = quoted(creation(shape))
  const rows = done.map(({ command, by }) => ({ by, words: spelt(command) }))
  const width = Math.max(0, ...rows.map(({ words }) => words[0].length))
  return [
    why,
    ...(shape.backing > 0 ? [`head -c ${shape.backing} /dev/urandom > ${names.backing}`] : []),
    byQemu ? `qemu-img ${create}` : `qcow2 ${create}`,
    ...rows.map(({ by, words }) => `${by.padEnd(4)}  ${words[0].padEnd(width)}  |  ${words[1]}`)
  ]
}

/** The rows by which differences may be explained, but for those with one of these clauses. */
export const rowsWithout = (without: readonly string[]): readonly Difference[] =>
  differences.filter(({ clause }) => !without.includes(clause))

/**
 * Tries scripts until one fails; of a shard every n-th. The lines are about the shortest script that fails, if there is one. A
 * difference counts as a failure also where its row has one of the clauses of `without`.
 */
export const differential = async (
  scripts: number,
  seed: number,
  without: readonly string[] = [],
  { shard, shards }: Shard = wholeRun
): Promise<{ readonly tally: Tally; readonly failure?: readonly string[] }> =>
  inFolder(async (folder) => {
    const tally = new Tally(rowsWithout(without))
    let last: readonly string[] | undefined
    let number = 0
    const property = fc.asyncProperty(arbitraryScripts, async (script) => {
      // What follows a failure are shorter scripts.
      if (last === undefined && number++ % shards !== shard - 1) return true
      const failed = await tried(folder, script, tally)
      if (failed !== undefined) last = linesOf(script, failed)
      return failed === undefined
    })
    const { counterexample, errorInstance } = await fc.check(property, { numRuns: scripts, seed })
    if (errorInstance instanceof Error && last === undefined) throw errorInstance
    return { tally, ...(counterexample === null || last === undefined ? {} : { failure: last }) }
  })
