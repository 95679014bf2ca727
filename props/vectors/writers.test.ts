/** Trials of writers: a sound one passes them, and the faults of others are found by their clauses. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { isRight } from '../../src/node/conform/outcome.js'
import { type Run, suspects, type Tried } from '../../src/node/conform/report.js'
import { filesOf, loadVectors } from '../../src/node/conform/suite.js'
import { hasSameFiles, judged, stateBefore, triedOf, tryTrial } from '../../src/node/conform/writer/perform.js'
import { rows } from '../../src/node/conform/writer/rows.js'
import { type Trial, trialsOf } from '../../src/node/conform/writer/trial.js'
import { right } from '../image/world.js'
import { suite } from '../run/suite.js'
import { canBeTried, faultyWriters, writtenBy } from './faulty-writers.js'

const test = suite('writers')

type Named = ReadonlyMap<string, Uint8Array>

const { vectors } = right(loadVectors())
const trials = trialsOf(vectors)

test('every row of the table is a trial, with its own id', () => {
  const ids = new Set(trials.map(({ id }) => id))
  assert.is(ids.size, trials.length)
  assert.equal(
    rows.map(({ id }) => id).filter((id) => !ids.has(id)),
    []
  )
  assert.ok(trials.some(({ outcome }) => outcome === 'either'))
  assert.ok(trials.filter(({ outcome }) => outcome === 'refused').length > 20)
})

const put = (folder: string, files: Named): void => {
  for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes)
}

/** The verdict on what a writer leaves of a trial; `undefined` files are a refusal. */
const triedWith = async (trial: Trial, files: Named, after: Named | undefined): Promise<Tried> => {
  if (after === undefined) return triedOf(trial, { found: { _tag: 'Refused' } }, '')
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-writers-'))
  put(folder, files)
  const before = right(await stateBefore(trial, folder)())
  put(folder, after)
  const verdict = await judged(trial, folder, before)
  rmSync(folder, { recursive: true })
  return triedOf(trial, verdict, '')
}

const asked = trials
  .map((trial) => ({ trial, files: right(filesOf(trial)) }))
  .filter(({ files }) => canBeTried(files))
  .map((one) => ({ ...one, after: writtenBy(one.files, one.trial) }))
let sound: readonly Tried[] = []

test('the writer of this package passes every trial', async () => {
  const all: Tried[] = []
  for (const { trial, files, after } of asked) all.push(await triedWith(trial, files, after))
  sound = all
  assert.ok(all.length > 150, String(all.length))
  assert.equal(
    all.filter(({ found, expected }) => !isRight(found, expected)).map(({ vector, found }) => [vector.id, found]),
    []
  )
})

test('a trial of an image that does not read fails the run, and leaves no folder', async () => {
  const magic = vectors.find(({ id }) => id === 'magic')
  assert.ok(magic !== undefined)
  const trial: Trial = { ...magic, image: magic.id, changes: [], outcome: 'done', blames: 'OPEN-01' }
  const limits = { time: 10, memory: 2 ** 30, output: 2 ** 20 }
  const root = mkdtempSync(join(tmpdir(), 'qcow2-writers-'))
  const folder = join(root, 'trial')
  const tried = await tryTrial(trial, [], { folder, limits, cage: (words) => words })()
  assert.match(E.isLeft(tried) ? tried.left.message : '', /\[OPEN-01\]/)
  assert.not.ok(existsSync(folder))
  rmSync(root, { recursive: true })
})

const isSame = (a: Named | undefined, b: Named | undefined): boolean =>
  a === undefined || b === undefined ? a === b : hasSameFiles(a, b)

for (const fault of faultyWriters)
  test(`a writer that ${fault.name} is found, and its clause comes first`, async () => {
    const tried: Tried[] = []
    for (const [i, { trial, files, after }] of asked.entries()) {
      const other = writtenBy(files, trial, fault)
      const known = sound[i]
      tried.push(isSame(after, other) && known !== undefined ? known : await triedWith(trial, files, other))
    }
    const run: Run = { command: fault.name, role: 'writer', tried, leftOut: 0, notes: [] }
    const [first] = suspects(run)
    assert.ok(first !== undefined, 'nothing failed')
    assert.ok(fault.blamed.includes(first.clause), `${first.clause} for ${fault.blamed.join(' or ')}`)
  })

test.run()
