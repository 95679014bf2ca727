/** spec/structures.md is generated from the field tables. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { isClauseId } from '../../spec/clauses/index.js'
import { structuresDocument } from '../../src/format/index.js'
import { suite } from '../run/suite.js'

const test = suite('structures')

test('spec/structures.md is what npm run structures writes', () => {
  const written = readFileSync(fileURLToPath(new URL('../../../spec/structures.md', import.meta.url)), 'utf8')
  assert.is(written, structuresDocument(), 'run npm run structures')
})

test('every row of every table ends in a clause of the catalogue', () => {
  const lines = structuresDocument()
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|Bytes|Bits|Field)/.test(line))
  assert.ok(lines.length > 180)
  for (const line of lines) assert.ok(isClauseId(line.split(' | ').at(-1)?.replace(' |', '')), line)
})

test.run()
