/** Each clause that an image can break has vectors that hold it, break it, and come nearest to breaking it. */
import * as assert from 'uvu/assert'
import { type ClauseId, clauses, isClauseId } from '../../spec/clauses/index.js'
import { loadVectors } from '../../src/node/conform/suite.js'
import type { Vector } from '../../src/node/conform/vector.js'
import { right } from '../image/world.js'
import { suite } from '../run/suite.js'
import { breakable, breaking, nearest, tooLarge, unbreakable } from './edges.js'

const test = suite('edges')

const { vectors } = right(loadVectors())
const broken = new Set(vectors.flatMap(({ breaks = [] }) => breaks))
const all = breakable(broken)

/** The clause that an image with the structure of a chapter uses; other structures are in every image. */
const structures: Readonly<Record<string, ClauseId>> = {
  BACK: 'BACK-06',
  DATA: 'DATA-01',
  SUB: 'SUB-01',
  CMP: 'CMP-02',
  SNAP: 'SNAP-01',
  BMP: 'BMP-01',
  LUKS: 'LUKS-01'
}

const structureOf = (clause: ClauseId): ClauseId | undefined => structures[clause.split('-', 1)[0] ?? '']

/** Whether an image that breaks no rule has what a clause is about. */
const holds = (clause: ClauseId) => {
  const structure = structureOf(clause)
  return ({ clauses: used, breaks, result }: Vector): boolean =>
    breaks === undefined && result === 'valid' && (structure === undefined || used.includes(structure))
}

test('a clause that an image can break has vectors that break it', () => {
  assert.ok(all.length > 80, String(all.length))
  assert.equal(
    all.filter((id) => !broken.has(id)),
    []
  )
})

test('a clause that an image can break has a vector that comes nearest to breaking it', () => {
  const edges = new Set(vectors.flatMap((vector) => vector.nearest ?? []))
  assert.equal(
    all.filter((id) => !edges.has(id) && !(id in tooLarge)),
    []
  )
})

test('a clause that an image can break has a vector that breaks nothing and is not the nearest', () => {
  assert.equal(
    all.filter((id) => !vectors.some((vector) => holds(id)(vector) && vector.nearest?.includes(id) !== true)),
    []
  )
})

test('what comes nearest to breaking a clause does not break it', () => {
  for (const { id, breaks = [], nearest: edges = [] } of vectors)
    assert.equal(
      edges.filter((clause) => breaks.includes(clause)),
      [],
      id
    )
})

test('no vector breaks a clause that no image breaks, nor comes nearest to one that is too large', () => {
  for (const clause of Object.keys(unbreakable)) assert.not.ok(isClauseId(clause) && broken.has(clause), clause)
  for (const clause of Object.keys(tooLarge)) assert.not.ok(clause in nearest, clause)
})

test('every clause on images is broken by a vector, or has a reason why none can', () => {
  const reasons: Readonly<Partial<Record<ClauseId, string>>> = unbreakable
  for (const id of Object.keys(clauses).filter(isClauseId))
    if (clauses[id].subject === 'image') assert.ok(broken.has(id) !== ((reasons[id] ?? '') !== ''), id)
  assert.ok(Object.keys(unbreakable).length < 25)
})

test('the tables of edges name vectors that say so', () => {
  const stated = (clause: string, named: (vector: Vector) => readonly ClauseId[] | undefined) =>
    vectors.filter((vector) => (named(vector) ?? []).some((one) => one === clause)).map(({ id }) => id)
  for (const [clause, ids] of Object.entries(nearest))
    assert.equal(stated(clause, (vector) => vector.nearest).sort(), [...ids].sort(), clause)
  for (const [clause, ids] of Object.entries(breaking)) {
    const found = new Set(stated(clause, ({ breaks }) => breaks))
    assert.equal(
      ids.filter((id) => !found.has(id)),
      [],
      clause
    )
  }
})

test.run()
