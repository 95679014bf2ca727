/** With every flush in its place, the smallest scripts that need one break nothing. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { note, suite } from '../../run/suite.js'
import { both, crashes, nobody } from './crash.js'
import { geometries, rowsOf } from './edge-table.js'
import { trace } from './edges.js'
import { inWords } from '../model/script-text.js'

const test = suite('flushes')

const rows = rowsOf(readFileSync(fileURLToPath(new URL('../../../../spec/edges.md', import.meta.url)), 'utf8'))

/** The scripts of the table on small images, each once. */
const scripts = [
  ...new Map(
    rows
      .flatMap(({ example }) => example ?? [])
      .filter(({ geometry }) => geometry === '8192 bytes, clusters of 512' || geometry.includes('extended L2'))
      .map(({ geometry, script }) => [`${geometry}\n${script.map(inWords).join('\n')}`, { geometry, script }])
  )
]

test('the scripts of the table break nothing', () => {
  let all = nobody
  for (const [words, { geometry, script }] of scripts) {
    const shape = geometries.get(geometry)
    assert.ok(shape !== undefined)
    const seen = crashes('P3', trace(shape, script).recording, { exhaustive: 16, sample: 1, seed: 1 }, true)
    assert.is(seen.first, undefined, words)
    all = both(all, seen)
  }
  assert.ok(scripts.length >= 30)
  note(`${scripts.length} scripts, ${all.states} states`)
})

test.run()
