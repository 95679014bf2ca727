/** spec/structures.md is generated from the field tables. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { isClauseId } from '../../spec/clauses/index.js'
import { structuresDocument } from '../tools/structures/document.js'
import { interfaceFiles } from '../tools/structures/interfaces.js'
import { suite } from '../run/suite.js'

const test = suite('structures')

for (const [path, text] of Object.entries({ 'spec/structures.md': structuresDocument(), ...interfaceFiles() }))
  test(`${path} is what npm run structures writes`, () => {
    const written = readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
    assert.is(written, text, 'run npm run structures')
  })

test('every row of every table ends in a clause of the catalogue', () => {
  const lines = structuresDocument()
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|Bytes|Bits|Field)/.test(line))
  assert.ok(lines.length > 180)
  for (const line of lines) assert.ok(isClauseId(line.split(' | ').at(-1)?.replace(' |', '')), line)
})

test.run()
