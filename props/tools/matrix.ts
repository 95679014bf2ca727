/**
 * `npm run matrix [-- --reader NAME]`: runs every reader that Debian and npm have over the vectors, and keeps what each made of them
 * in corpus/matrix.json. With names only those readers are run on all vectors, and the others on those that show their violations.
 * A reader that takes too long on a vector is run on it once more, alone.
 *
 * Readers that the machine lacks are downloaded into the user's cache: QEMU 10 and 11 by `npm run qemus`, the others here.
 * `npm run pages` then writes spec/matrix.md.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { violations } from '../../spec/violations.js'
import { toHex } from '../../src/bytes/octets.js'
import { cageHere } from '../../src/node/conform/cage.js'
import { conformance } from '../../src/node/conform/conformance.js'
import { execute } from '../../src/node/conform/execute.js'
import {
  diskFound,
  expectedOfReader,
  type Found,
  foundText,
  readerFound,
  tooSlow
} from '../../src/node/conform/outcome.js'
import { readers as presets } from '../../src/node/conform/presets.js'
import type { Run, Tried } from '../../src/node/conform/report.js'
import { imageName, loadVectors, writeFiles } from '../../src/node/conform/suite.js'
import { fill, type Template } from '../../src/node/conform/template.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { native } from '../../src/node/index.js'
import { right } from '../image/world.js'
import { keptMatrix, matrixFile, matrixText, outcomeOf, type Row, rowOf, type Shown } from '../matrix/matrix.js'
import { type ReadFolder, withDecoders } from '../matrix/own.js'
import { type Reader, readersHere, setUp } from '../matrix/readers.js'

const { values } = parseArgs({
  options: { reader: { type: 'string', multiple: true, default: [] } }
})

const limits = { time: 20, memory: 2 ** 30, output: 2 ** 26 }

/** Bytes of a difference that are kept. */
const mostShown = 16

/** Calls with a folder of the files of a vector. */
const inFolder = async <A>(vector: Vector, work: (folder: string) => Promise<A>): Promise<A> => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-matrix-'))
  try {
    right(writeFiles(vector, folder))
    return await work(folder)
  } finally {
    process.chdir(tmpdir())
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What a program makes of a vector, and where its disk first differs from ours. */
const shownBy = (program: Template, vector: Vector): Promise<Shown> =>
  inFolder(vector, async (folder) => {
    const out = join(folder, 'out.raw')
    const ran = await execute(fill(program, { image: imageName, out }), { folder, limits, out })
    const expected = expectedOfReader(vector) ?? { refusal: true }
    const found = readerFound(ran, expected, program.hasOut ? out : undefined)
    const text = foundText(found, expected)
    const said = ran.complaint.split('\n').find((line) => line.includes('Assertion'))
    if (outcomeOf(found, expected) !== 'wrong') return { found: said ?? text }
    const theirs = program.hasOut ? readFileSync(out) : ran.printed
    const ours = right(await withDecoders(native)(folder))
    const at = ours.findIndex((byte, i) => byte !== theirs[i])
    const part = (all: Uint8Array): string => toHex(all.subarray(at, at + mostShown))
    return { found: text, at, expected: part(ours), bytes: part(theirs) }
  })

/** What a reader makes of the vectors by which violations in it are stated. */
const allShown = async ({ words, preset }: Reader, vectors: readonly Vector[]): Promise<Row['shown']> => {
  const shown: Record<string, Shown> = {}
  for (const { program, vector: id, command = presets[program] ?? '' } of violations) {
    const vector = vectors.find((one) => one.id === id)
    if (program === preset && words !== undefined && vector !== undefined)
      shown[id] = await shownBy(words(command), vector)
  }
  return shown
}

/** Runs what is no program over the vectors. */
const readAll = async (read: ReadFolder, vectors: readonly Vector[]): Promise<readonly Tried[]> => {
  const tried: Tried[] = []
  for (const vector of vectors) {
    const expected = expectedOfReader(vector)
    if (expected === undefined) continue
    const disk = await inFolder(vector, read)
    const found: Found =
      disk._tag === 'Left' ? { _tag: 'Refused' } : diskFound(disk.right.length, expected, () => disk.right)
    tried.push({ vector, expected, found, complaint: disk._tag === 'Left' ? disk.left : '' })
  }
  return tried
}

const isSlow = ({ found }: Tried): boolean => found._tag === 'Broke' && found.why === tooSlow

const runAll = async (program: Template, vectors: readonly Vector[]): Promise<readonly Tried[]> => {
  const { cage } = cageHere()
  const subject = { template: program, role: 'reader', limits, cage } as const
  const run = async (asked: readonly Vector[], jobs: number, time: number): Promise<readonly Tried[]> =>
    right(await conformance({ ...subject, limits: { ...limits, time } }, asked, jobs, () => undefined)()).tried
  const tried = await run(vectors, availableParallelism(), limits.time)
  const again = await run(
    tried.filter(isSlow).map(({ vector }) => vector),
    1,
    3 * limits.time
  )
  return tried.map((one) => again.find(({ vector }) => vector === one.vector) ?? one)
}

/** The row of a reader. */
const rowFor = async (reader: Reader, vectors: readonly Vector[]): Promise<Row> => {
  const { name, version, source, preset, words, read, isJudge } = reader
  const asked = isJudge
    ? vectors
    : vectors.filter((vector) => vector.result === 'valid' && expectedOfReader(vector)?.disk !== undefined)
  const line = presets[preset] ?? ''
  const tried =
    words !== undefined ? await runAll(words(line), asked) : read !== undefined ? await readAll(read, asked) : []
  const run: Run = { command: name, role: 'reader', tried, notes: [], leftOut: vectors.length - tried.length }
  return rowOf(run, { name, version, source, preset, date: new Date().toISOString().slice(0, 10) })
}

setUp()
const { vectors } = right(loadVectors())
const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}
const readers = readersHere(version)
const rows = new Map((existsSync(matrixFile) ? right(keptMatrix()).readers : []).map((row) => [row.name, row]))
for (const reader of readers) {
  const isAsked = values.reader.length === 0 || values.reader.includes(reader.name)
  const row = isAsked ? await rowFor(reader, vectors) : rows.get(reader.name)
  if (row === undefined) continue
  rows.set(reader.name, { ...row, shown: await allShown(reader, vectors) })
  const { right: good, ...rest } = row.count
  console.log(
    `${row.name} ${row.version}: ${good} right, ${Object.entries(rest)
      .map(([what, n]) => `${n} ${what}`)
      .join(', ')}`
  )
  const ordered = readers.flatMap(({ name }) => rows.get(name) ?? [])
  writeFileSync(matrixFile, matrixText({ vectors: vectors.length, readers: ordered }))
}
