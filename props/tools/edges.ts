/**
 * `npm run edges [-- SCRIPTS SEED]`: looks for a script that breaks without each flush, and writes spec/edges.md. Scripts
 * that are there already are kept if they still break.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { actionsOf, arbitraryPlot } from '../transition/model/operation-moves.js'
import type { Action } from '../transition/model/operations.js'
import { document, geometries, type Row, rowsOf } from '../transition/crash/edge-table.js'
import { breakEdges, trace } from '../transition/crash/edges.js'
import { smallest } from '../transition/crash/smallest.js'

const path = fileURLToPath(new URL('../../../spec/edges.md', import.meta.url))
const [scripts = '2000', seed = '1'] = process.argv.slice(2)

const rows = new Map<string, Row>()
const keep = (edge: string, geometry: string, script: readonly Action[]): void => {
  const example = smallest(geometry, script, edge)
  if (example !== undefined) rows.set(edge, { edge, example })
}

for (const { example } of existsSync(path) ? rowsOf(readFileSync(path, 'utf8')) : []) {
  const shape = geometries.get(example?.geometry ?? '')
  if (example === undefined || shape === undefined) continue
  for (const { edge } of trace(shape, example.script).barriers)
    if (rows.get(edge)?.example === undefined) keep(edge, example.geometry, example.script)
}

const drawn = fc.sample(fc.tuple(fc.constantFrom(...geometries), arbitraryPlot), {
  numRuns: Number(scripts),
  seed: Number(seed)
})
for (const [[geometry, shape], plot] of drawn) {
  const actions = actionsOf(shape, plot)
  for (const { edge } of trace(shape, actions).barriers) {
    if (rows.get(edge)?.example !== undefined) continue
    const hard = rows.has(edge)
    rows.set(edge, { edge })
    if (breakEdges(shape, actions, { only: edge, hard }).length > 0) keep(edge, geometry, actions)
  }
}

const sorted = [...rows.values()].sort((a, b) => (a.edge < b.edge ? -1 : 1))
writeFileSync(path, document(sorted))
const broken = sorted.filter(({ example }) => example !== undefined).length
console.log(`${sorted.length} edges, ${broken} with a counterexample: ${path}`)
