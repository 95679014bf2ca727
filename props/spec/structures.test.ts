/** The reference says what the field tables say. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { isClauseId } from '../../spec/clauses/index.js'
import { structuresDocument } from '../../src/format/index.js'
import { suite } from '../run/suite.js'

const test = suite('reference')

test('spec/structures.md is made from the field tables of today', () => {
  const written = readFileSync(fileURLToPath(new URL('../../../spec/structures.md', import.meta.url)), 'utf8')
  assert.is(written, structuresDocument(), 'npm run structures writes it anew')
})

test('every line of every table ends in a clause of the catalogue', () => {
  const lines = structuresDocument()
    .split('\n')
    .filter((line) => /^\| (\d|then)/.test(line))
  assert.ok(lines.length > 80)
  for (const line of lines) assert.ok(isClauseId(line.split(' | ').at(-1)?.replace(' |', '')), line)
})

test.run()
