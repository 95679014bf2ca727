/** Every clause that a structure can break by itself: kept by some bytes, broken by others, and named in the issue. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { type ClauseId, isClauseId } from '../../spec/index.js'
import type { BitRow } from '../../src/bytes/bits.js'
import type { ByteType } from '../../src/bytes/byte-type.js'
import { type Complaint, refusalOf, show } from '../../src/bytes/issue.js'
import { type Placed, StructType } from '../../src/bytes/struct.js'
import { writableRules } from '../../src/format/header-rules.js'
import * as format from '../../src/format/index.js'
import { luksHeader, luksSlot } from '../../src/format/luks.js'
import { note, suite } from '../run/suite.js'
import type { Case } from './case.js'
import { cases } from './cases.js'
import { issuesOf, same } from './laws.js'
import { bytesIn, withPatch } from './notation.js'
import { readAs } from './readers.js'
import { describedStructures } from '../tools/pages/described.js'
import { namesOf, ruledField } from '../tools/pages/structures.js'

const test = suite('clauses of the format')

const patchedBy = (bytes: Uint8Array, patches: string): Uint8Array =>
  patches === ''
    ? bytes
    : patches
        .split('; ')
        .reduce(
          (out, patch) => (patch.startsWith('cut ') ? out.slice(0, Number(patch.slice(4))) : withPatch(out, patch)),
          bytes
        )

const complaintsAbout = ({ structure, base, geometry }: Case, patches: string): readonly Complaint[] =>
  readAs(structure, patchedBy(bytesIn(base), patches), geometry).complaints

const shown = (complaints: readonly Complaint[]): string => complaints.map(show).join('\n')

for (const each of cases) {
  const [clause, title, patch, place, verdict, near, also = []] = each.row
  test(`${clause}: ${each.structure}: ${title}`, () => {
    same(complaintsAbout(each, ''), [], 'of the base: ')
    for (const patched of near.split(' | ')) {
      const held = complaintsAbout(each, patched).filter((c) => c.clause === clause)
      assert.is(held.length, 0, `keeps the clause, but:\n${shown(held)}`)
    }
    const broken = complaintsAbout(each, patch)
    assert.equal(broken.map((c) => c.clause).sort(), [clause, ...also].sort(), shown(broken))
    const [, field = '', at, size] = /^(.*) (\d+) (\d+)$/.exec(place) ?? []
    const [phase, source, refusal] = verdict.split(' ')
    const found = broken.find((c) => c.clause === clause)
    same(
      [found?.field, found?.at, found?.size, found?.phase, found?.source, found?.refusal],
      [field, Number(at), Number(size), phase, source, refusal]
    )
    const opening = clause.startsWith('OPEN-') ? clause : undefined
    assert.is(found === undefined ? undefined : refusalOf(found), refusal ?? opening)
  })
}

interface Table {
  readonly structure: string
  /** The issues of bytes that are none of this structure. */
  readonly issues: (bytes: Uint8Array) => readonly Complaint[]
  readonly rows: readonly Placed[]
}

const table = <A>(type: ByteType<A>, rows: readonly Placed[]): Table => ({
  structure: type.name,
  issues: (bytes) => issuesOf(type, bytes),
  rows
})

const tables: readonly Table[] = [
  table(format.header, format.headerFields.rows),
  table(format.extensionRecord, format.extensionRecord.fixed.rows),
  table(format.featureName, format.featureName.rows),
  ...Object.values(format.extensionKinds).flatMap(({ payload }): readonly Table[] =>
    payload instanceof StructType ? [table(payload, payload.rows)] : []
  ),
  table(format.snapshotEntry, format.snapshotEntry.fixed.rows),
  table(format.bitmapEntry, format.bitmapEntry.fixed.rows),
  table(luksHeader, luksHeader.rows),
  table(luksSlot, luksSlot.rows)
]

test('bytes that end within a field are malformed at that field, by the clause of its row', () => {
  // Begins as a header of version 3 does; without that there is no telling which fields follow.
  const whole = withPatch(bytesIn('514649fb00000003'), '1023 00')
  for (const { issues, rows } of tables)
    for (const { at, row } of rows)
      for (let length = at; length < at + row.as.size; length++) {
        const [found] = issues(whole.subarray(0, length))
        same(
          [found?.clause, found?.field, found?.at, found?.size, found?.phase],
          [row.clause, row.name, at, row.as.size, 'malformed']
        )
      }
})

/** Rules that the bytes of one structure in a case do not break: for them rules.test.ts draws values that do. */
const drawnOnly: readonly string[] = [
  'header extension area rest: EXT-21',
  'header and extensions autoclear_features: FEAT-07',
  'header and extensions autoclear_features: BMP-11',
  'header and extensions bitmap_directory_offset: BMP-01',
  'header and extensions crypt_method: EXT-09',
  'header and extensions offset: EXT-09',
  'header and extensions crypt_method: LUKS-02',
  'header and extensions incompatible_features: EXT-11',
  'L2 entry host_cluster_offset: DATA-01',
  'snapshot table entry l1_table_offset: SNAP-07',
  'snapshot table size: OPEN-30',
  'bitmap directory offset: BMP-12',
  'bitmap directory entries: BMP-12',
  'bitmap directory entry flags.in_use: BMP-09',
  'bitmap directory entry bitmap_table_size: BMP-07',
  'bitmap data bits: BMP-08'
]

test('every rule of every table has a case that breaks it', () => {
  const broken = new Set(
    cases
      .flatMap((each) => complaintsAbout(each, each.row[2]))
      .map((c) => [c.field, c.clause, c.source, c.refusal].join(' '))
  )
  const unbroken = describedStructures.flatMap((structure) =>
    structure.tables
      .flatMap(({ rules }) => rules)
      .map((rule) => ({ ...rule, field: ruledField(rule, namesOf(structure)) }))
      .filter(({ field, clause, source = 'both', refusal }) => !broken.has([field, clause, source, refusal].join(' ')))
      .map(({ field, clause }) => `${structure.title} ${field}: ${clause}`)
  )
  assert.equal(unbroken, drawnOnly)
})

/** The ids that the sources of a folder name outside of comments. */
const idsIn = (folder: string): ReadonlySet<ClauseId> =>
  new Set(
    readdirSync(folder, { encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').match(/(?<=')[A-Z]+[0-9]?-[0-9]{2}(?=')/g) ?? [])
      .filter(isClauseId)
  )

const bitRows: readonly Readonly<Record<string, BitRow>>[] = [
  format.incompatibleFeatures.rows,
  format.compatibleFeatures.rows,
  format.autoclearFeatures.rows,
  format.bitmapFlags.rows,
  format.l1Entry.leaf.rows,
  format.refcountTableEntry.leaf.rows,
  format.bitmapTableEntry.leaf.rows,
  format.standardBits.rows,
  format.subclusterBits.rows,
  format.compressedBits(16).rows
]

test('every clause and every opening check that the sources name is broken by a case or by bytes that end early', () => {
  const shownBy = new Set<string>([
    ...cases.flatMap(({ row: [clause, , , , verdict] }): readonly string[] => [clause, ...verdict.split(' ').slice(2)]),
    ...tables.flatMap(({ rows }) => rows.map(({ row }) => row.clause)),
    // rules.test.ts breaks each rule of each structure.
    ...describedStructures.flatMap((s) =>
      s.tables.flatMap(({ rules }) => rules.flatMap((rule) => [rule.clause, rule.refusal ?? '']))
    ),
    // feature.test.ts breaks each rule of an open for writing.
    ...writableRules.rules.map((rule) => rule.refusal ?? '')
  ])
  // A row of a bit field names the clause that gives it its meaning; what it forbids is judged elsewhere.
  const explained = new Set(bitRows.flatMap((rows) => Object.values(rows).map((row) => row.clause)))
  const root = fileURLToPath(new URL('../../../src/', import.meta.url))
  const named = new Set([...idsIn(join(root, 'bytes')), ...idsIn(join(root, 'format'))])
  assert.ok(named.size > 50)
  assert.equal(
    [...named].filter((id) => !shownBy.has(id) && !explained.has(id)),
    []
  )
  note(`${new Set(cases.map(({ row }) => row[0])).size} clauses in ${cases.length} cases`)
})

test.run()
