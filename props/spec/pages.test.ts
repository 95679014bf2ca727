/** The pages of the specification are generated. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { isClauseId } from '../../spec/clauses/index.js'
import { losses } from '../../spec/losses.js'
import { askedEntry, olderTexts } from '../../spec/superseded.js'
import { cases } from '../tools/pages/errata.js'
import { generatedFiles } from '../tools/pages/files.js'
import { scriptsWith } from '../tools/pages/losses.js'
import { structuresDocument } from '../tools/pages/structures.js'
import { readings } from '../tools/pages/superseded.js'
import { heldFor, scripts, series } from '../tools/pages/witnesses.js'
import { suite } from '../run/suite.js'

const test = suite('pages')

for (const [path, text] of Object.entries(generatedFiles()))
  test(`${path} is what npm run pages writes`, () => {
    const written = readFileSync(fileURLToPath(new URL(`../../../${path}`, import.meta.url)), 'utf8')
    assert.is(written, text, 'run npm run pages')
  })

test('every row of every table of the structures ends in a clause of the catalogue', () => {
  const lines = structuresDocument()
    .split('\n')
    .filter((line) => line.startsWith('| ') && !/^\| (---|Bytes|Bits|Field|Type)/.test(line))
  assert.ok(lines.length > 200)
  for (const line of lines) assert.ok(isClauseId(line.split(' | ').at(-1)?.replace(' |', '')), line)
})

test('a table of bits has every bit of its word', () => {
  const words = structuresDocument().split('\n| Bits').slice(1)
  assert.ok(words.length >= 11)
  for (const word of words) {
    const rows = (word.split('\n\n')[0] ?? '').split('\n').slice(2)
    const spans = rows.map((row) => {
      const cell = (row.split(' | ')[0] ?? '').slice(2)
      const [lo = NaN, hi = lo] = cell.replace('(x-1)', '15').replace('x', '16').split('–').map(Number)
      return { lo, hi }
    })
    assert.is(spans[0]?.lo, 0, word)
    for (const [i, { lo }] of spans.entries()) if (i > 0) assert.is(lo, (spans[i - 1]?.hi ?? NaN) + 1, word)
    assert.ok([15, 31, 63].includes(spans.at(-1)?.hi ?? NaN), word)
  }
})

test('an erratum names a section, says what is wrong, and proposes sentences that differ from the words they replace', () => {
  const errata = cases.flatMap(({ clause, on, erratum }) => (erratum === undefined ? [] : [{ clause, on, ...erratum }]))
  assert.ok(errata.length >= 28)
  for (const { clause, on, section, fault, replaces, proposal } of errata) {
    assert.match(section, /^[A-Za-z].*[^ .]$/, `${clause}: ${on}`)
    assert.match(fault, /^[A-Z].*[^ .]\.$/, `${clause}: ${on}`)
    assert.match(proposal, replaces?.endsWith('.') === false ? /[^ ]$/ : /^[A-Za-z(].*[^ .]\.$/, `${clause}: ${on}`)
    assert.is.not(replaces, '', `${clause}: ${on}`)
    assert.is.not(proposal, replaces, `${clause}: ${on}`)
  }
})

test('a divergence has a witness that held for every version of QEMU that it is about', () => {
  for (const { clause, on, versions = series } of cases)
    for (const name of versions)
      assert.ok(
        scripts.some((script) => script.clause === clause && heldFor(script, name) !== undefined),
        `${clause} was not seen on QEMU ${name}: ${on}`
      )
})

test('a loss has one script that shows it, which held for every version of QEMU that it happens in', () => {
  for (const loss of losses) {
    const shown = scriptsWith(loss)
    assert.is(shown.length, 1, `${loss.clause}: ${loss.command}`)
    for (const script of shown)
      for (const name of loss.versions ?? series)
        assert.ok(heldFor(script, name) !== undefined, `${loss.title}: QEMU ${name}`)
  }
  assert.is(new Set(losses.map(({ title }) => title)).size, losses.length)
})

test('the texts of a loss are whole sentences', () => {
  for (const { clause, title, ...texts } of losses) {
    assert.match(title, /^[A-Z].*[^ .]$/)
    for (const text of [texts.when, texts.lost, texts.source, texts.fix, texts.ours])
      assert.match(text, /^[A-Za-z].*[^ .]\.$/, `${clause}: ${title}`)
  }
})

test('a superseded statement and what holds are sentences, and the clause of the latter has a witness', () => {
  for (const { title, by, date, at, statements } of olderTexts) {
    for (const text of [title, by, date]) assert.match(text, /^[^ ].*[^ .]$/)
    assert.match(at, /^https?:/)
    assert.ok(statements.length > 0, title)
    for (const { said, now, clause } of statements) {
      assert.match(said, /[^ .]\.$/, title)
      assert.match(now, /^[A-Za-z].*[^ .]\.$/, title)
      assert.ok(isClauseId(clause) && scripts.some((script) => script.clause === clause), clause)
    }
  }
})

test('of the readings of the entry of 2016 that of the codec alone covers the payload', () => {
  const [question, letter, codec] = readings
  assert.equal([question?.offset, question?.sectors, question?.bytes], [0x3d_9750n, 0x2b, 0x5600])
  assert.equal([letter?.offset, letter?.sectors], [2n ** 54n + 0x3d_9750n, 0x15])
  assert.equal([codec?.offset, codec?.sectors, codec?.bytes], [0x3d_9750n, 0x2b, 44 * 512 - 336])
  const covering = readings.filter(
    ({ offset, bytes }) => offset < askedEntry.lastByte && askedEntry.lastByte < offset + BigInt(bytes)
  )
  assert.equal(covering, [codec])
})

test.run()
