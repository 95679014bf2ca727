/** The fields of every structure, from the field tables, and tables of them. */
import { isBits } from '../../../src/bytes/bits.js'
import { type Described, describedStructures, type Word } from '../pages/described.js'
import { decodedAt } from './examples.js'
import { anchor, escaped, htmlTable } from './html.js'
import { clauseLink } from './links.js'

/** A field of a structure. */
export interface Field {
  readonly structure: string
  readonly name: string
  readonly place: string
  readonly doc: string
  readonly clause: string
  readonly word?: Word
  /** Where the book decodes it in an image. */
  readonly decoded?: string
}

const decoding = (title: string, byte: number): Pick<Field, 'decoded'> => {
  const decoded = decodedAt(title, byte)
  return decoded === undefined ? {} : { decoded }
}

/** The fields of a word that is at this byte of the structure `title`. */
const bitFields = (structure: string, word: Word, title: string, byte: number): readonly Field[] =>
  Object.values(word.rows).map(({ lo, hi, name, doc, clause }) => {
    const place = lo === hi ? `bit ${lo}` : `bits ${lo} to ${hi}`
    return { structure, name, place, doc, clause, word, ...decoding(title, byte) }
  })

const fieldsOf = ({ title, rows = [], from = 0, tails = {}, bits }: Described): readonly Field[] => [
  ...rows.flatMap(({ at, row }) => {
    const [first, last] = [from + at, from + at + row.as.size - 1]
    const place = first === last ? `byte ${first}` : `bytes ${first} to ${last}`
    const own = { structure: title, name: row.name, place, doc: row.doc, clause: row.clause, ...decoding(title, first) }
    return isBits(row.as) ? [own, ...bitFields(row.as.name, row.as, title, first)] : [own]
  }),
  ...Object.values(tails).map(({ name, doc, clause }) => ({
    structure: title,
    name,
    place: 'after the fields',
    doc,
    clause
  })),
  ...(bits === undefined ? [] : bitFields(title, bits, title, 0))
]

export const fields: readonly Field[] = describedStructures.flatMap(fieldsOf)

const head = ['Field', 'Structure', 'Place', 'Meaning', 'Clause']

/** A table of fields; nothing without one. */
export const fieldTable = (all: readonly Field[]): string =>
  htmlTable(
    head,
    all.map(({ structure, name, place, doc, clause }) => [
      `<code>${escaped(name)}</code>`,
      `<a href="structures.html#${anchor(structure)}">${escaped(structure)}</a>`,
      place,
      escaped(doc),
      clauseLink(clause)
    ])
  )
