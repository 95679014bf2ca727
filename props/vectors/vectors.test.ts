/** The conformance vectors: their files and verdicts, and the faults that they find in readers. */
import * as E from 'fp-ts/lib/Either.js'
import * as assert from 'uvu/assert'
import { diskFound, type Expected, expectedOfReader, type Found } from '../../src/node/conform/outcome.js'
import { failures, type Run, suspects } from '../../src/node/conform/report.js'
import { filesOf, loadVectors } from '../../src/node/conform/suite.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { right } from '../image/world.js'
import { suite } from '../run/suite.js'
import { flags } from './flags.js'
import { type Fault, faults, naiveRead } from './naive-reader.js'

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

/** Longest image that the naive reader is asked about, in bytes, but for those with one feature. */
const largest = 2 ** 20

/** Vectors that the naive reader is asked about: what it does not support, it refuses. */
const simple = vectors.flatMap((vector) => {
  const expected = expectedOfReader(vector)
  const files = right(filesOf(vector))
  if (!vector.flags.includes('single') && (files.get('img.qcow2')?.length ?? 0) > largest) return []
  const supported = vector.clauses.every((clause) => !/^(?:SUB-|CMP-10|LUKS-|OPEN-23)/.test(clause))
  return expected === undefined || !supported ? [] : [{ vector, expected, files }]
})

const read = (files: ReadonlyMap<string, Uint8Array>, expected: Expected, fault?: Fault): Found => {
  const disk = naiveRead(files.get('img.qcow2') ?? new Uint8Array(), files, fault)
  return E.isLeft(disk) ? { _tag: 'Refused' } : diskFound(disk.right.length, expected, () => disk.right)
}

const runWith = (
  asked: readonly { vector: Vector; expected: Expected; files: ReadonlyMap<string, Uint8Array> }[],
  fault?: Fault
): Run => ({
  command: 'naive',
  role: 'reader',
  tried: asked.map(({ vector, expected, files }) => ({
    vector,
    expected,
    found: read(files, expected, fault),
    complaint: ''
  })),
  leftOut: 0,
  notes: []
})

const failedWithout = new Set(failures(runWith(simple)).map(({ vector }) => vector.id))
const passed = simple.filter(({ vector }) => !failedWithout.has(vector.id))

test('a naive reader passes most vectors', () => {
  assert.ok(passed.length > 0.7 * simple.length, `${passed.length} of ${simple.length}`)
})

for (const [fault, ...blamed] of faults)
  test(`a reader that ${fault} is found, and its clause comes first`, () => {
    const [first] = suspects(runWith(passed, fault))
    assert.ok(first !== undefined, 'nothing failed')
    assert.ok(
      blamed.some((clause) => clause === first.clause),
      `${first.clause} for ${blamed.join(' or ')}`
    )
  })

test.run()
