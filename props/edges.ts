/** Looks for what breaks without each flush, and writes spec/edges.md. What stands there is kept where it still breaks. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import type { Command } from '../src/transition/command.js'
import { arbitraryScript } from './arbitrary/script.js'
import { document, geometries, type Row, rowsOf } from './transition/edge-table.js'
import { breakEdges, trace } from './transition/edges.js'
import { record } from './transition/recording.js'
import { smallest } from './transition/smallest.js'

const path = fileURLToPath(new URL('../../spec/edges.md', import.meta.url))
const [scripts = '2000', seed = '1'] = process.argv.slice(2)

const rows = new Map<string, Row>()
const keep = (edge: string, geometry: string, script: readonly Command[]): void => {
  const example = smallest(geometry, script, edge)
  if (example !== undefined) rows.set(edge, { edge, example })
}

for (const { edge: known, example } of existsSync(path) ? rowsOf(readFileSync(path, 'utf8')) : []) {
  if (example === undefined) rows.set(known, { edge: known })
  const shape = geometries.get(example?.geometry ?? '')
  if (example === undefined || shape === undefined) continue
  for (const { edge } of trace(shape, example.script).barriers)
    if (rows.get(edge)?.example === undefined) keep(edge, example.geometry, example.script)
}

const drawn = fc.sample(fc.tuple(fc.constantFrom(...geometries), arbitraryScript(4, 16)), {
  numRuns: Number(scripts),
  seed: Number(seed)
})
for (const [[geometry, shape], moves] of drawn) {
  const { commands } = record(shape, moves)
  for (const { edge } of trace(shape, commands).barriers) {
    if (rows.get(edge)?.example !== undefined) continue
    const hard = rows.has(edge)
    rows.set(edge, { edge })
    if (breakEdges(shape, commands, { only: edge, hard }).length > 0) keep(edge, geometry, commands)
  }
}

const sorted = [...rows.values()].sort((a, b) => (a.edge < b.edge ? -1 : 1))
writeFileSync(path, document(sorted))
const broken = sorted.filter(({ example }) => example !== undefined).length
console.log(`${sorted.length} edges, ${broken} with a counterexample: ${path}`)
