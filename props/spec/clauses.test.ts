/** The catalogue of clauses is complete and well formed, and the sources cite no other clause. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { note, suite } from '../run/suite.js'
import * as assert from 'uvu/assert'
import { chapters, clause, clauses, isClauseId } from '../../spec/index.js'
import type { Clause, ClauseId } from '../../spec/index.js'

const test = suite('clauses')

/** The number of clauses of each prefix. */
const counts: Readonly<Record<string, number>> = {
  GEN: 6,
  HDR: 14,
  FEAT: 8,
  EXT: 15,
  BACK: 8,
  DATA: 10,
  REF: 14,
  L1: 6,
  L2: 9,
  SUB: 8,
  CMP: 14,
  SNAP: 13,
  BMP: 18,
  LUKS: 11,
  OPEN: 35,
  RD: 9,
  WR: 11,
  ZD: 17,
  SW: 6,
  CW: 5,
  INT: 9,
  ST: 7,
  RS: 9,
  BT: 7,
  AM: 7,
  CR: 6,
  CHK: 17,
  ORD: 7
}

const ids: readonly string[] = chapters.flatMap((c) => Object.keys(c.clauses))
const entries: readonly (readonly [string, Clause])[] = Object.entries(clauses)
const idsIn = (text: string): readonly string[] => text.match(/\b[A-Z]+[0-9]?-[0-9]{2}\b/g) ?? []

/** The clause ids in a source: after `@see` up to the end of the line, and as whole string literals. */
const cited = (source: string): readonly string[] => [
  ...(source.match(/@see .*/g) ?? []).flatMap(idsIn),
  ...(source.match(/(['"`])[A-Z]+[0-9]?-[0-9]{2}\1/g) ?? []).flatMap(idsIn)
]

const sources = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))

test('an id is in one chapter only', () => {
  assert.is(new Set(ids).size, ids.length)
  assert.equal([...ids].sort(), Object.keys(clauses).sort())
})

test('an id is a prefix and a number of two digits', () => {
  for (const id of ids) assert.match(id, /^[A-Z]+[0-9]?-[0-9]{2}$/)
})

test('each prefix has its number of clauses', () => {
  const prefixes = ids.map((id) => id.replace(/-[0-9]{2}$/, ''))
  const found = Object.fromEntries([...new Set(prefixes)].map((p) => [p, prefixes.filter((q) => q === p).length]))
  assert.equal(found, counts)
})

test('a clause consists of sentences, fewer than 600 characters, without stray blanks', () => {
  for (const [id, { says }] of entries) {
    assert.ok(/^[A-Za-z].*[^ .]\.$/.test(says), `${id} is no sentence`)
    assert.ok(says.length < 600, `${id} is ${says.length} characters long`)
    assert.not.match(says, / {2}|\n/)
  }
})

test('a clause cites only clauses of the catalogue', () => {
  for (const [id, { says }] of entries)
    for (const other of idsIn(says)) assert.ok(isClauseId(other), `${id} cites ${other}`)
})

test('in a divergence the format and QEMU give different verdicts, and no two divergences have one case', () => {
  const all = entries.flatMap(([id, { divergences = [] }]) => divergences.map((divergence) => ({ id, ...divergence })))
  for (const { id, on, format, qemu } of all) {
    assert.is.not(format, qemu, `${id}: ${on}`)
    assert.match(on, /^[^A-Z .].*[^ .]$/)
  }
  assert.is(new Set(all.map(({ on }) => on)).size, all.length)
})

test('a list of divergences is not empty', () => {
  for (const [id, { divergences }] of entries) assert.is.not(divergences?.length, 0, id)
})

test('a clause is found by its id only', () => {
  const known: ClauseId = 'HDR-01'
  assert.ok(isClauseId(known))
  assert.is(clause(known), clauses[known])
  for (const u of ['HDR-00', 'hdr-01', 'toString', '__proto__', '', 1, null, undefined, ['HDR-01']])
    assert.not(isClauseId(u))
})

test('a source cites only clauses of the catalogue', () => {
  const folder = fileURLToPath(new URL('../../../src', import.meta.url))
  for (const file of sources(folder))
    for (const id of cited(readFileSync(file, 'utf8'))) assert.ok(isClauseId(id), `${file} cites ${id}`)
})

test('a clause that binds a program or an image is cited by the sources; others are what QEMU does, and have witnesses', () => {
  const folders = ['src', 'spec/reference', 'corpus/recipes'].map((name) =>
    fileURLToPath(new URL(`../../../${name}`, import.meta.url))
  )
  const all = new Set(folders.flatMap(sources).flatMap((file) => cited(readFileSync(file, 'utf8'))))
  const silent = entries.flatMap(([id, { level }]) => (level !== 'may' && !all.has(id) ? [id] : []))
  assert.equal(silent, [])
  note(`${entries.filter(([id]) => all.has(id)).length} of ${entries.length} clauses are cited by the sources`)
})

test('citations are found after @see and in string literals', () => {
  const source = "/** @see HDR-01, L1-02 */ const a = 'FEAT-03', b = `OPEN-40`, c = 'UTF-8', d = 'HDR-01 or more'"
  assert.equal(cited(source.replace('*/', '*/\n')), ['HDR-01', 'L1-02', 'FEAT-03', 'OPEN-40'])
})

test.run()
