/** The conformance vectors: their files and verdicts, and the faults that they find in readers. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { diskFound, type Expected, expectedOfReader, type Found, isRight } from '../../src/node/conform/outcome.js'
import { type Run, suspects } from '../../src/node/conform/report.js'
import { filesOf, loadVectors } from '../../src/node/conform/suite.js'
import { right } from '../image/world.js'
import { suite } from '../run/suite.js'
import { flags } from './flags.js'
import { type Fault, faults } from './naive-faults.js'
import { naiveRead } from './naive-reader.js'

const test = suite('vectors')

const { vectors, count, flags: explained } = right(loadVectors())

test('there are 1500 vectors or more, each with its own id, a clause and flags that are explained', () => {
  assert.ok(vectors.length >= 1500)
  assert.is(vectors.length, count)
  assert.is(new Set(vectors.map(({ id }) => id)).size, count)
  assert.equal(explained, flags)
  for (const { id, clauses, flags: given } of vectors) {
    assert.ok(clauses.length > 0, id)
    assert.ok(
      given.every((flag) => flag in explained),
      id
    )
  }
})

/** Longest image that the naive reader is asked about, in bytes, but for those with one feature and encrypted ones. */
const largest = 2 ** 18

const read = (
  files: ReadonlyMap<string, Uint8Array>,
  expected: Expected,
  fault?: Fault,
  reached?: Set<Fault>
): Found => {
  const disk = naiveRead(files.get('img.qcow2') ?? new Uint8Array(), files, fault, reached)
  return E.isLeft(disk) ? { _tag: 'Refused' } : diskFound(disk.right.length, expected, () => disk.right)
}

/** Vectors that the naive reader is asked about, and what it makes of each without a fault. */
const asked = vectors.flatMap((vector) => {
  const expected = expectedOfReader(vector)
  const files = right(filesOf(vector))
  const isWanted = vector.flags.includes('single') || vector.flags.includes('encrypted')
  if (!isWanted && (files.get('img.qcow2')?.length ?? 0) > largest) return []
  const reached = new Set<Fault>()
  return expected === undefined
    ? []
    : [{ vector, expected, files, reached, found: read(files, expected, undefined, reached) }]
})
const passed = asked.filter(({ found, expected }) => isRight(found, expected))

/** The run of a reader with a fault. On a vector with which the fault is not reached it does what a sound reader does. */
const runWith = (fault: Fault): Run => ({
  command: 'naive',
  role: 'reader',
  tried: passed.map(({ vector, expected, files, reached, found }) => ({
    vector,
    expected,
    found: reached.has(fault) ? read(files, expected, fault) : found,
    complaint: ''
  })),
  leftOut: 0,
  notes: []
})

test('a naive reader passes most vectors', () => {
  assert.ok(passed.length > 0.9 * asked.length, `${passed.length} of ${asked.length}`)
})

for (const [fault, ...blamed] of faults)
  test(`a reader that ${fault} is found, and its clause comes first`, () => {
    const [first] = suspects(runWith(fault))
    assert.ok(first !== undefined, 'nothing failed')
    assert.ok(
      blamed.some((clause) => clause === first.clause),
      `${first.clause} for ${blamed.join(' or ')}`
    )
  })

test.run()
