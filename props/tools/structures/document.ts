/** The reference: every structure of the format, its fields and its rules, as Markdown. */
import type { BitRow, Bits, BitsLeaf } from '../../../src/bytes/bits.js'
import type { FieldRule } from '../../../src/bytes/judgement.js'
import type { Leaf } from '../../../src/bytes/leaf.js'
import type { Placed } from '../../../src/bytes/struct.js'
import { type Described, describedStructures, type Tailed } from './described.js'

/** A line of a table: cells from left to right. */
type Line = readonly string[]

const upper = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

const markdown = (head: Line, lines: readonly Line[]): readonly string[] =>
  lines.length === 0
    ? []
    : [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`).concat('')

const span = (from: number, size: number): string => (size === 1 ? String(from) : `${from}–${from + size - 1}`)

const isBits = (leaf: Leaf<unknown>): leaf is BitsLeaf<Bits> => leaf.kind === 'bits' && 'rows' in leaf

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

const bitLines = (rows: Readonly<Record<string, BitRow>>): readonly string[] => {
  const all = Object.values(rows)
  const duties = all.some((row) => dutyOf(row).length > 0) ? ['Reader', 'Writer'] : []
  return markdown(
    ['Bits', 'Field', 'Meaning', ...duties, 'Clause'],
    all.map((row) => [span(row.lo, row.hi - row.lo + 1), row.name, row.doc, ...dutyOf(row), row.clause])
  )
}

/** The names of the fields of a structure by their keys, as far as its tables have them. */
export const namesOf = ({ rows = [], bits = {} }: Described): ReadonlyMap<string, string> =>
  new Map([
    ...rows.map((p): [string, string] => [p.key, p.row.name]),
    ...Object.entries(bits).map(([key, row]): [string, string] => [key, row.name])
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

const section = (d: Described): readonly string[] => {
  const rows = d.rows ?? []
  const names = namesOf(d)
  const rules = d.tables.flatMap((table) => table.rules.map((rule) => ruleLine(rule, names)))
  return [
    `## ${upper(d.title)}`,
    '',
    ...markdown(
      ['Bytes', 'Field', 'Storage', 'Meaning', 'Clause'],
      [...rowLines(rows, d.from ?? 0), ...tailLines(rows, d.tails ?? {})]
    ),
    ...bitLines(d.bits ?? {}),
    ...markdown(['Field', 'Expected', 'Otherwise', 'Source', 'Refusal', 'Clause'], rules),
    ...rows.flatMap(({ row }) => (isBits(row.as) ? [`### ${upper(row.as.name)}`, '', ...bitLines(row.as.rows)] : []))
  ]
}

/** Every structure of the format as one Markdown document. Integers are big-endian, bit 0 is the least significant one. */
export const structuresDocument = (): string =>
  [
    '# The structures of qcow2',
    '',
    'Generated from the field tables and the rule tables in src/format by `npm run structures`. Integers are big-endian; bit 0 is the least significant one.',
    '',
    "A structure that breaks a rule is `invalid` by itself, `inconsistent` with another structure, or over a `limit`. The source of a rule is the text of the format, QEMU or both; the refusal is the row of QEMU's opening checks that rejects the image for it, where that is another clause.",
    '',
    ...describedStructures.flatMap(section)
  ].join('\n')
