/** The reference: every structure of the format, its fields and its rules, as Markdown. */
import { type BitRow, maskOf } from '../../../src/bytes/bits.js'
import type { FieldRule } from '../../../src/bytes/judgement.js'
import type { Placed } from '../../../src/bytes/struct.js'
import { isBits } from '../../../src/bytes/bits.js'
import { type Described, describedStructures, type Tailed, type Word } from './described.js'
import { type Line, table, upper } from './markdown.js'

const span = (from: number, size: number): string => (size === 1 ? String(from) : `${from}–${from + size - 1}`)

const rowLines = (rows: readonly Placed[], from: number): readonly Line[] =>
  rows.map((p) => [span(from + p.at, p.row.as.size), p.row.name, p.row.as.name, p.row.doc, p.row.clause])

/** Strings after the fields: their length is in one of them. */
const tailLines = (rows: readonly Placed[], tails: Readonly<Record<string, Tailed>>): readonly Line[] =>
  Object.values(tails).map((tail) => {
    const length = rows.find((p) => p.key === tail.size)?.row.name ?? ''
    return ['then', tail.name, `${length} bytes`, tail.doc, tail.clause]
  })

/** What a reader and a writer owe a feature bit. */
const dutyOf = (row: BitRow): Line =>
  'reader' in row && 'writer' in row ? [String(row.reader), String(row.writer)] : []

/** The runs of bits that no row names, lowest and highest bit. */
export const reservedRuns = ({ rows, size }: Word): readonly { readonly lo: number; readonly hi: number }[] => {
  const named = Object.values(rows).reduce((mask, row) => mask | maskOf(row), 0n)
  const free = Array.from({ length: 8 * size }, (_, bit) => bit).filter((bit) => ((named >> BigInt(bit)) & 1n) === 0n)
  const starts = free.filter((bit) => !free.includes(bit - 1))
  const ends = free.filter((bit) => !free.includes(bit + 1))
  return starts.map((lo, i) => ({ lo, hi: ends[i] ?? lo }))
}

/** The number of a bit, by the x of its word. */
const bitName = (bit: number, x: number | undefined): string =>
  bit === x ? 'x' : bit + 1 === x ? '(x-1)' : String(bit)

/** The rows of a word; `clause` is the one that reserves the bits that no row names. */
const bitLines = (word: Word, clause: string): readonly string[] => {
  const all = Object.values(word.rows)
  const duties = all.some((row) => dutyOf(row).length > 0) ? ['Reader', 'Writer'] : []
  const bitsOf = ({ lo, hi }: { readonly lo: number; readonly hi: number }): string =>
    [...new Set([lo, hi])].map((bit) => bitName(bit, word.x)).join('–')
  const lines = [
    ...all.map((row) => ({ lo: row.lo, line: [bitsOf(row), row.name, row.doc, ...dutyOf(row), row.clause] })),
    ...reservedRuns(word).map((run) => ({
      lo: run.lo,
      line: [bitsOf(run), 'reserved', 'zero', ...duties.map(() => ''), clause]
    }))
  ]
  return table(
    ['Bits', 'Field', 'Meaning', ...duties, 'Clause'],
    [...lines].sort((a, b) => a.lo - b.lo).map(({ line }) => line)
  )
}

/** The names of the fields of a structure by their keys, as far as its tables have them. */
export const namesOf = ({ rows = [], bits }: Described): ReadonlyMap<string, string> =>
  new Map([
    ...rows.map((p): [string, string] => [p.key, p.row.name]),
    ...Object.entries(bits?.rows ?? {}).map(([key, row]): [string, string] => [key, row.name])
  ])

/** The name of a field that another table has: the format writes names in lower case with underscores. */
const snakeCase = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The field of a rule, or the part of it that is meant, as issues name it. */
export const ruledField = (rule: FieldRule<never, never>, names: ReadonlyMap<string, string>): string =>
  [names.get(rule.field) ?? snakeCase(rule.field), ...(rule.part === undefined ? [] : [rule.part])].join('.')

const ruleLine = (rule: FieldRule<never, never>, names: ReadonlyMap<string, string>): Line => [
  ruledField(rule, names),
  rule.expected,
  rule.phase ?? 'invalid',
  rule.source ?? 'both',
  rule.refusal ?? '',
  rule.clause
]

const valueLines = ({ values }: Described): readonly string[] =>
  values === undefined
    ? []
    : table(
        [values.of, 'Meaning', 'Clause'],
        values.meanings.map((meaning) => [...meaning, values.clause])
      )

const section = (d: Described): readonly string[] => {
  const rows = d.rows ?? []
  const names = namesOf(d)
  const rules = d.tables.flatMap((table) => table.rules.map((rule) => ruleLine(rule, names)))
  return [
    `## ${upper(d.title)}`,
    '',
    ...(d.note === undefined ? [] : [d.note, '']),
    ...table(
      ['Bytes', 'Field', 'Storage', 'Meaning', 'Clause'],
      [...rowLines(rows, d.from ?? 0), ...tailLines(rows, d.tails ?? {})]
    ),
    ...(d.bits === undefined ? [] : bitLines(d.bits, Object.values(d.bits.rows)[0]?.clause ?? '')),
    ...valueLines(d),
    ...table(['Field', 'Expected', 'Otherwise', 'Source', 'Refusal', 'Clause'], rules),
    ...rows.flatMap(({ row }) =>
      isBits(row.as) ? [`### ${upper(row.as.name)}`, '', ...bitLines(row.as, row.clause)] : []
    )
  ]
}

/** Every structure of the format as one Markdown document. Integers are big-endian, bit 0 is the least significant one. */
export const structuresDocument = (): string =>
  [
    '# The structures of qcow2',
    '',
    'Generated from the field tables and the rule tables in src/format by `npm run pages`. Integers are big-endian; bit 0 is the least significant one.',
    '',
    "A structure that breaks a rule is `invalid` by itself, `inconsistent` with another structure, or over a `limit`. The source of a rule is the text of the format, QEMU or both; the refusal is the row of QEMU's opening checks that rejects the image for it, where that is another clause.",
    '',
    ...describedStructures.flatMap(section)
  ].join('\n')
