/** Every flush earns its place: what stands in spec/edges.md still breaks without it, and no other edge is in use. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { inOrder, stages } from '../../../src/transition/engine/stages.js'
import { edgesOf } from './stage-edges.js'
import { flush, type HostWrite } from '../../../src/bytes/host-write.js'
import { holds } from '../../run/holds.js'
import { note, suite } from '../../run/suite.js'
import { document, geometries, rowsOf } from './edge-table.js'
import { breakEdges, trace } from './edges.js'
import { actionsOf, arbitraryPlot } from '../model/operation-moves.js'

const test = suite('edges')
const text = readFileSync(fileURLToPath(new URL('../../../../spec/edges.md', import.meta.url)), 'utf8')
const rows = rowsOf(text)

test('each row of the table still breaks in the same way', () => {
  assert.is(document(rows), text)
  const examples = rows.flatMap(({ example }) => example ?? [])
  for (const { geometry, script, broken } of examples) {
    const shape = geometries.get(geometry)
    assert.ok(shape !== undefined, geometry)
    assert.equal(breakEdges(shape, script, { only: broken.edge, hard: true }), [broken])
  }
  assert.ok(examples.length >= 80)
  assert.is(examples.length, rows.length)
  note(`${rows.length} edges, each breaks something without its flush`)
})

test('every edge that a command uses is in the table', () => {
  const known = new Set(rows.map(({ edge }) => edge))
  holds(
    fc.property(fc.constantFrom(...geometries.values()), arbitraryPlot, (shape, plot) => {
      const { barriers } = trace(shape, actionsOf(shape, plot))
      assert.equal(
        barriers.map(({ edge }) => edge).filter((edge) => !known.has(edge)),
        []
      )
    }),
    { runs: 200 }
  )
})

test('no stage waits for a release, and the next preparation waits for no flush', () => {
  const write = (at: number): HostWrite => ({
    _tag: 'Write',
    file: { part: 'image', depth: 0 },
    at,
    bytes: new Uint8Array(1)
  })
  const staged = (...used: readonly number[]): readonly (readonly HostWrite[])[] =>
    Array.from({ length: 2 * stages.length }, (_, i) => (used.includes(i) ? [write(i)] : []))
  const numberOf = (stage: (typeof stages)[number], round = 0): number => stages.indexOf(stage) + round * stages.length
  const [expose, settle, release] = [numberOf('expose'), numberOf('settle'), numberOf('release')]
  const order = (...used: readonly number[]): readonly (number | '|')[] =>
    inOrder(staged(...used)).map((w) => (w === flush ? '|' : 'at' in w ? w.at : -1))
  assert.equal(order(0, expose, settle, release), [0, '|', expose, '|', settle, release])
  assert.equal(order(0, settle, numberOf('retire')), [0, '|', settle, '|', numberOf('retire')])
  const [next, seen] = [numberOf('prepare', 1), numberOf('expose', 1)]
  assert.equal(order(expose, next, seen), [expose, next, '|', seen])
  assert.equal(order(expose, release, seen), [expose, '|', release, seen])
  assert.equal(order(expose, settle, release, seen), [expose, '|', settle, release, '|', seen])
  assert.equal(edgesOf(staged(expose, settle, release, seen)), [
    { from: 'expose', to: 'settle', anew: false, stage: settle },
    { from: 'settle', to: 'expose', anew: true, stage: seen }
  ])
})

test.run()
