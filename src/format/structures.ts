/** The reference: the field tables as Markdown. */
import type { BitRow, BitsLeaf, BitRows } from '../bytes/bits.js'
import type { Leaf } from '../bytes/leaf.js'
import { inWords } from '../bytes/rule.js'
import type { Placed } from '../bytes/struct.js'
import { bitmapEntry } from './bitmap-directory.js'
import { bitmapTableEntry } from './bitmap.js'
import { compressedBits } from './compressed.js'
import { extensionRecord } from './extension.js'
import { bitmapsExtension, encryptionPointer, featureName } from './extension-payload.js'
import { additionalFields, headerFields } from './header.js'
import { l1Entry } from './l1.js'
import { standardBits } from './l2.js'
import { luksHeader, luksSlot } from './luks.js'
import { refcountTableEntry } from './refcount.js'
import { snapshotEntry, snapshotExtra } from './snapshot.js'

/** A line of a table: cells from left to right. */
type Line = readonly string[]

const upper = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

const markdown = (head: Line, lines: readonly Line[]): readonly string[] =>
  [head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`)

const span = (from: number, size: number): string => (size === 1 ? String(from) : `${from}–${from + size - 1}`)

const ruleWords = (p: Placed): string =>
  p.row.rules.map((r) => `${inWords(r.allowed)} [${r.refusal ?? r.clause}]`).join('; ')

const isBits = (leaf: Leaf<unknown>): leaf is BitsLeaf<BitRows> => leaf.kind === 'bits' && 'rows' in leaf

const rowLines = (rows: readonly Placed[], from: number): readonly Line[] =>
  rows.map((p) => [span(from + p.at, p.row.as.size), p.row.name, p.row.as.name, ruleWords(p), p.row.doc, p.row.clause])

const bytesHead: Line = ['Bytes', 'Field', 'Storage', 'Allowed', 'Meaning', 'Clause']

const bitLines = (rows: Readonly<Record<string, BitRow>>): readonly Line[] =>
  Object.values(rows).map((r) => [span(r.lo, r.hi - r.lo + 1), r.name, r.doc, r.clause])

const bitsSection = (title: string, rows: Readonly<Record<string, BitRow>>): readonly string[] => [
  `## ${upper(title)}`,
  '',
  ...markdown(['Bits', 'Field', 'Meaning', 'Clause'], bitLines(rows)),
  ''
]

interface Tailed {
  readonly size: PropertyKey
  readonly name: string
  readonly doc: string
  readonly clause: string
}

/** Strings behind a table: their length stands in one of its fields. */
const tailLines = (rows: readonly Placed[], tails: Readonly<Record<string, Tailed>>): readonly Line[] =>
  Object.values(tails).map((tail) => {
    const length = rows.find((p) => p.key === tail.size)?.row.name ?? ''
    return ['then', tail.name, `${length} bytes`, '', tail.doc, tail.clause]
  })

const section = (
  title: string,
  rows: readonly Placed[],
  from = 0,
  tails: Readonly<Record<string, Tailed>> = {}
): readonly string[] => [
  `## ${upper(title)}`,
  '',
  ...markdown(bytesHead, [...rowLines(rows, from), ...tailLines(rows, tails)]),
  '',
  ...rows.flatMap((p) => (isBits(p.row.as) ? bitsSection(p.row.as.name, p.row.as.rows) : []))
]

/** Every field table of the format as one Markdown document. Integers are big-endian, bit 0 is the least significant one. */
export const structuresDocument = (): string =>
  [
    '# The structures of qcow2',
    '',
    'Made from the field tables in src/format by `npm run structures`. Integers are big-endian; bit 0 is the least significant one.',
    '',
    ...section('Header', headerFields.rows),
    ...section('Additional header fields', additionalFields.rows, headerFields.size),
    ...section(extensionRecord.name, extensionRecord.fixed.rows, 0, extensionRecord.tails),
    ...section('Feature name table entry', featureName.rows),
    ...section(bitmapsExtension.name, bitmapsExtension.rows),
    ...section(encryptionPointer.name, encryptionPointer.rows),
    ...bitsSection(l1Entry.name, l1Entry.leaf.rows),
    ...bitsSection('L2 entry of a standard cluster', standardBits.rows),
    ...bitsSection('L2 entry of a compressed cluster, 64 KiB clusters', compressedBits(16).rows),
    ...bitsSection(refcountTableEntry.name, refcountTableEntry.leaf.rows),
    ...section(snapshotEntry.name, snapshotEntry.fixed.rows, 0, snapshotEntry.tails),
    ...section('Extra data of a snapshot', snapshotExtra.rows),
    ...section(bitmapEntry.name, bitmapEntry.fixed.rows, 0, bitmapEntry.tails),
    ...bitsSection(bitmapTableEntry.name, bitmapTableEntry.leaf.rows),
    ...section(luksHeader.name, luksHeader.rows),
    ...section(luksSlot.name, luksSlot.rows)
  ].join('\n')
