/** The outcomes of witnesses as text. */
import { chapters } from '../../spec/index.js'
import { parties } from './document.js'
import type { Placed } from './documents.js'
import type { Played } from './worker.js'

const indented = (text: string): string => text.replace(/^/gm, '    ').trimEnd()

/** A script that came out otherwise: where, and what was expected and printed. */
export const shown = ({ script, party, outcome }: Played, scripts: readonly Placed[]): string => {
  const { clause, document, line } = scripts[script] ?? { clause: '', document: '', line: 0 }
  const head = `${clause} (${document}:${line}) for ${party}: `
  if (outcome._tag === 'Held') return `${head}held`
  if (outcome._tag === 'Toothless') return `${head}${outcome.why}`
  const { command, expected, got } = outcome.why
  return [
    `${head}came out otherwise`,
    `  $ ${command}`,
    '  expected',
    indented(expected.join('\n')),
    '  printed',
    indented(got)
  ].join('\n')
}

/** For each chapter its clauses, how many have a witness, and for each party how many held of those played. */
export const table = (played: readonly Played[], scripts: readonly Placed[]): readonly string[] => {
  const cell = (ids: ReadonlySet<string>, party: string): string => {
    const mine = played.filter((one) => one.party === party && ids.has(scripts[one.script]?.clause ?? ''))
    const held = mine.filter(({ outcome }) => outcome._tag === 'Held').length
    return mine.length === 0 ? '-' : `${held}/${mine.length}`
  }
  const witnessed = new Set(scripts.map(({ clause }) => clause))
  const row = (title: string, ids: readonly string[]): readonly string[] => {
    const set = new Set(ids)
    return [
      title,
      String(ids.length),
      String(ids.filter((id) => witnessed.has(id)).length),
      ...parties.map((party) => cell(set, party))
    ]
  }
  const rows = [
    ['chapter', 'clauses', 'witnessed', ...parties],
    ...chapters.map(({ title, clauses }) => row(title, Object.keys(clauses))),
    row(
      'all',
      chapters.flatMap(({ clauses }) => Object.keys(clauses))
    )
  ]
  const widths = [0, 1, 2, 3, 4, 5, 6].map((column) => Math.max(...rows.map((one) => (one[column] ?? '').length)))
  return rows.map((one) =>
    one
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join('  ')
  )
}
