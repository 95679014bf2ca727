/** Fields as attributes of Kaitai Struct: rows of a field table, and runs of bits of a word. */
import type { BitRow } from '../../../src/bytes/bits.js'
import type { Leaf } from '../../../src/bytes/leaf.js'
import type { Placed } from '../../../src/bytes/struct.js'
import { isBits } from '../../../src/bytes/bits.js'
import { upper } from '../pages/markdown.js'
import type { Tailed, Word } from '../pages/described.js'
import { reservedRuns } from '../pages/structures.js'

/** An attribute of a sequence: what YAML has under each key. */
export type Attribute = Readonly<Record<string, unknown>>

/** A type: its sequence, and what is computed or lies elsewhere. */
export interface KsyType {
  readonly doc?: string
  readonly params?: readonly Attribute[]
  readonly seq: readonly Attribute[]
  readonly instances?: Readonly<Record<string, Attribute>>
}

/** Lines of at most 78 characters. */
const wrap = (text: string): string =>
  text.split(' ').reduce((done, word) => {
    const line = done.slice(done.lastIndexOf('\n') + 1)
    return done === '' ? word : `${done}${line.length + word.length < 66 ? ' ' : '\n'}${word}`
  }, '')

/** A documentation string, wrapped; several lines end in a line feed, as YAML's literal blocks do. */
export const docOf = (text: string): string => {
  const lines = wrap(upper(text))
  return lines.includes('\n') ? `${lines}\n` : lines
}

/** What is documented about a field, and the clause that states it, under a key that the compiler passes over. */
const documented = ({ doc, clause }: { readonly doc: string; readonly clause: string }): Attribute => ({
  doc: docOf(doc),
  '-clause': clause
})

/** The name of the type of a bit field. */
export const typeName = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '_')

const storage = (leaf: Leaf<unknown>): Attribute => {
  if (isBits(leaf)) return { type: typeName(leaf.name) }
  return leaf.kind === 'octets' ? { size: leaf.size } : { type: `u${leaf.size}` }
}

/** An attribute that is there under a condition; its documentation comes last. */
export const conditional = (condition: string, { doc, '-clause': clause, ...attribute }: Attribute): Attribute => ({
  ...attribute,
  if: condition,
  ...(doc === undefined ? {} : { doc }),
  ...(clause === undefined ? {} : { '-clause': clause })
})

/** The attributes of the rows of a table; `more` adds keys by the name of a field. */
export const rowAttributes = (
  rows: readonly Placed[],
  more: Readonly<Record<string, Attribute>> = {}
): readonly Attribute[] =>
  rows.map(({ row }) => ({ id: row.name, ...(more[row.name] ?? storage(row.as)), ...documented(row) }))

/** A string after the fields of an entry, whose length is in one of them. */
export const tailAttribute = (rows: readonly Placed[], tail: Tailed): Attribute => ({
  id: tail.name,
  size: rows.find(({ key }) => key === tail.size)?.row.name ?? '',
  ...documented(tail)
})

/** Bits of one half of a word. A number of JavaScript's runtime has at most 32 bits, so no run lies in both halves. */
interface Run {
  readonly lo: number
  readonly hi: number
  readonly row?: BitRow
}

const cut = (run: Run): readonly Run[] =>
  run.hi >= 32 && run.lo < 32
    ? [
        { ...run, lo: 32 },
        { ...run, hi: 31 }
      ]
    : [run]

/** The runs of a word, from its highest bit to its lowest. */
const runsOf = (word: Word): readonly Run[] => {
  const named = Object.values(word.rows).map((row): Run => ({ lo: row.lo, hi: row.hi, row }))
  return [...named, ...reservedRuns(word)].sort((a, b) => b.hi - a.hi).flatMap(cut)
}

/** Whether the value of a row is other than that of one run of bits: it is in two halves, or keeps its place. */
const isComputed = (row: BitRow): boolean => (row._tag === 'Masked' && row.lo > 0) || (row.hi >= 32 && row.lo < 32)

const half = (lo: number): string => (lo >= 32 ? 'high' : 'low')

const runName = ({ lo, hi, row }: Run): string => {
  if (row === undefined) return `reserved_${lo}_${hi}`
  return isComputed(row) ? `${row.name}_${half(lo)}` : row.name
}

const runAttribute = (run: Run): Attribute => ({
  id: runName(run),
  type: `b${run.hi - run.lo + 1}`,
  ...(run.row === undefined ? {} : isComputed(run.row) ? { doc: `Bits ${run.lo} to ${run.hi}` } : documented(run.row))
})

/** The value of a row whose bits are in several runs or keep their places. */
const computed = (row: BitRow, runs: readonly Run[]): Attribute => {
  const shift = row._tag === 'Masked' ? 0 : row.lo
  const terms = runs
    .filter((run) => run.row === row)
    .map((run) => (run.lo === shift ? runName(run) : `${runName(run)} * ${2 ** (run.lo - shift)}`))
  return { value: `(${terms.join(' + ')}).as<u8>`, ...documented(row) }
}

/** The type of a word of bits. */
export const wordType = (word: Word, doc?: string): KsyType => {
  const runs = runsOf(word)
  const rows = Object.values(word.rows).filter(isComputed)
  return {
    ...(doc === undefined ? {} : { doc: docOf(doc) }),
    seq: runs.map(runAttribute),
    ...(rows.length === 0 ? {} : { instances: Object.fromEntries(rows.map((row) => [row.name, computed(row, runs)])) })
  }
}

/** The type of each bit field among the rows of a table, by its name. */
export const wordTypes = (rows: readonly Placed[]): Readonly<Record<string, KsyType>> =>
  Object.fromEntries(
    rows.flatMap(({ row }) => (isBits(row.as) ? [[typeName(row.as.name), wordType(row.as, row.doc)]] : []))
  )
