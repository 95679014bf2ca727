/**
 * Compares what an older commit and this tree do:
 *
 *     npm run same -- COMMIT [--images N] [--scripts N] [--seed N] [--jobs N] [--patience SECONDS] [--all] [--outcomes] [--replay ITEM]
 *
 * Both are asked about the same images, by command lines, and carry out the same scripts. Everything that they print, their
 * exit codes, the files that they leave and the order of their writes are compared. `--all` asks every question about every
 * image, where otherwise they take turns; `--outcomes` leaves out why something is wrong or refused: the lines that name a
 * clause; `--replay` asks about the item.jsonl of a difference only.
 *
 * Differences are kept below dist/same, each with its image or script and what both sides said of it.
 *
 * The exit code is 1 if anything is different or too little was compared, 2 if a side cannot be built. What is meant to be
 * different is listed in same/renames.ts.
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { builtCommit, commitOf, NotBuilt, probeOf } from './same/build.js'
import { type Difference, differences } from './same/compare.js'
import { batches } from './same/items.js'
import { itemOf } from './same/protocol.js'
import { described } from './same/report.js'
import { asked, type Batch, type Side, type Way } from './same/side.js'
import { Tally } from './same/tally.js'
import { workFolder } from './same/work-folder.js'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    images: { type: 'string', default: '20000' },
    scripts: { type: 'string', default: '5000' },
    seed: { type: 'string', default: '1' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    patience: { type: 'string', default: '60' },
    all: { type: 'boolean', default: false },
    outcomes: { type: 'boolean', default: false },
    replay: { type: 'string' }
  }
})

const root = fileURLToPath(new URL('../../..', import.meta.url))

/** Differences that are shown, and kept in files. */
const shown = 10

/** Of one verb so many. */
const shownOfVerb = 3

/** Images are asked about in this many processes, so that none grows without bound. */
const parts = 4

const say = (line: string): void => console.log(line)

const sidesOf = async (name: string): Promise<readonly [Side, Side]> => {
  const old = await builtCommit(root, commitOf(root, name))
  return [
    { name: 'old', probe: probeOf(old) },
    { name: 'new', probe: probeOf(root) }
  ]
}

const batchesFor = (folder: string): readonly Batch[] => {
  if (values.replay !== undefined)
    return [{ path: values.replay, ids: [itemOf(readFileSync(values.replay, 'utf8').trim()).id] }]
  const wanted = { images: Number(values.images), scripts: Number(values.scripts), seed: Number(values.seed) }
  return batches(wanted, parts, folder)
}

/** The results of both sides for every batch, a few processes at a time. */
const answered = async (all: readonly Batch[], sides: readonly [Side, Side], way: Way) => {
  const tasks = all.flatMap((batch) => sides.map((side) => ({ batch, side })))
  const results = new Map<string, string>()
  const waiting = tasks.values()
  const work = async (): Promise<void> => {
    for (const { batch, side } of waiting)
      results.set(`${side.name} ${batch.path}`, await asked(side, batch, basename(batch.path, '.jsonl'), way))
  }
  await Promise.all(Array.from({ length: Number(values.jobs) }, work))
  return (side: Side, batch: Batch): string => results.get(`${side.name} ${batch.path}`) ?? ''
}

/** The first few differences, not all of one verb. */
const chosen = (found: readonly Difference[]): readonly Difference[] => {
  const verbs = new Map<string, number>()
  return found
    .filter(({ label }) => {
      const verb = label.split(' ', 1).join()
      const n = (verbs.get(verb) ?? 0) + 1
      verbs.set(verb, n)
      return n <= shownOfVerb
    })
    .slice(0, shown)
}

const compared = async (name: string): Promise<number> => {
  const began = Date.now()
  const seconds = (): string => `${((Date.now() - began) / 1000).toFixed(0)} s`
  const sides = await sidesOf(name)
  const folder = workFolder()
  say(`${name} is built, ${seconds()}`)
  const way: Way = {
    folder,
    patience: Number(values.patience),
    all: values.all,
    outcomes: values.outcomes,
    texts: false
  }
  const all = batchesFor(folder)
  say(`${all.reduce((n, { ids }) => n + ids.length, 0)} items are made, ${seconds()}`)
  const resultsOf = await answered(all, sides, way)
  const tally = new Tally()
  const found: Difference[] = []
  for (const batch of all) {
    const [old, now] = [resultsOf(sides[0], batch), resultsOf(sides[1], batch)]
    for await (const each of differences(batch.path, old, now, tally)) found.push(each)
  }
  const kept = join(root, 'dist', 'same')
  if (values.replay === undefined) rmSync(kept, { recursive: true, force: true })
  mkdirSync(kept, { recursive: true })
  for (const [i, each] of chosen(found).entries())
    for (const line of await described(each, sides, join(kept, String(i)), way)) say(line)
  const thin = values.replay === undefined ? tally.thin() : []
  for (const line of ['', ...tally.report(), ...thin.map((why) => `too little: ${why}`)]) say(line)
  say(`${tally.total(found.length)}, ${seconds()}`)
  return found.length > 0 || thin.length > 0 ? 1 : 0
}

const main = async (): Promise<number> => {
  const [name] = positionals
  if (name === undefined) {
    console.error('usage: npm run same -- COMMIT')
    return 2
  }
  try {
    return await compared(name)
  } catch (error) {
    if (!(error instanceof NotBuilt)) throw error
    console.error(error.message)
    return 2
  }
}

process.exitCode = await main()
