/** The fields of every structure, from the field tables, and tables of them. */
import { isBits } from '../../../src/bytes/bits.js'
import { type Described, describedStructures, type Word } from '../pages/described.js'
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
}

const bitFields = (structure: string, word: Word): readonly Field[] =>
  Object.values(word.rows).map(({ lo, hi, name, doc, clause }) => {
    const place = lo === hi ? `bit ${lo}` : `bits ${lo} to ${hi}`
    return { structure, name, place, doc, clause, word }
  })

const fieldsOf = ({ title, rows = [], from = 0, tails = {}, bits }: Described): readonly Field[] => [
  ...rows.flatMap(({ at, row }) => {
    const [first, last] = [from + at, from + at + row.as.size - 1]
    const place = first === last ? `byte ${first}` : `bytes ${first} to ${last}`
    const own = { structure: title, name: row.name, place, doc: row.doc, clause: row.clause }
    return isBits(row.as) ? [own, ...bitFields(row.as.name, row.as)] : [own]
  }),
  ...Object.values(tails).map(({ name, doc, clause }) => ({
    structure: title,
    name,
    place: 'after the fields',
    doc,
    clause
  })),
  ...(bits === undefined ? [] : bitFields(title, bits))
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
