/** The chapters of clauses: a section for each clause, with everything that the repository has about it. */
import { chapters, type Clause } from '../../../spec/index.js'
import { cases } from '../pages/errata.js'
import { exactVersion, series } from '../pages/witnesses.js'
import { bitSvg } from './bits.js'
import { fields, fieldTable } from './fields.js'
import { escaped, htmlTable, markdown, type Resolve } from './html.js'
import { chapterOf, linked } from './links.js'
import type { Page } from './page.js'
import { code, tests, textOf, vectors } from './sources.js'

const list = (title: string, items: readonly string[], most = 12): string => {
  if (items.length === 0) return ''
  const more = items.length > most ? `, and ${items.length - most} more` : ''
  return `<p><b>${title}:</b> ${items.slice(0, most).join(', ')}${more}</p>`
}

const codes = (paths: readonly string[] = []): readonly string[] => paths.map((path) => `<code>${path}</code>`)

const vectorNames = (id: string, broken: boolean): readonly string[] =>
  vectors
    .filter(({ clauses: own, result, check, reason }) => {
      const isBroken = result === 'invalid' || reason !== undefined || (check.corruptions ?? 0) > 0
      return broken ? isBroken && own[0] === id : result === 'valid' && !isBroken && own.some((one) => one === id)
    })
    .map((vector) => `<span title="${escaped(vector.title)}">${escaped(vector.id)}</span>`)

const divergences = (id: string): string =>
  htmlTable(
    ['Where they differ', 'The text', ...series.map((name) => `QEMU ${exactVersion(name)}`)],
    cases
      .filter(({ clause }) => clause === id)
      .map(({ on, format, qemu, versions = series }) => [
        escaped(on),
        format,
        ...series.map((name) => (versions.includes(name) ? qemu : format))
      ])
  )

/** The witness of each clause: its section in the document of the chapter. */
const witness = (document: string, id: string): string =>
  textOf(`spec/clauses/${document}.md`)
    .split(/^## /m)
    .find((part) => part.startsWith(`${id}\n`))
    ?.slice(id.length) ?? ''

const section = (document: string, id: string, { level, subject, source, says }: Clause, resolve: Resolve): string => {
  const own = fields.filter(({ clause }) => clause === id)
  const words = [
    ...new Map(own.flatMap(({ structure, word }) => (word === undefined ? [] : [[structure, word] as const])))
  ]
  return `<section id="${id.toLowerCase()}">
<h2>${id} <span class="badges"><span>${level}</span><span>${subject}</span><span>${source}</span></span></h2>
<p class="says">${linked(says)}</p>
${divergences(id)}
${words.map(([title, word]) => bitSvg(title, word)).join('')}
${fieldTable(own)}
${list('Code', codes(code.get(id)))}
${list('Tests', codes(tests.get(id)))}
${list('Vectors that break it', vectorNames(id, true), 6)}
${list('Vectors that depend on it', vectorNames(id, false), 4)}
<details><summary>Witness: scripts that show it</summary>${markdown(witness(document, id), resolve)}</details>
</section>`
}

/** The pages of the chapters, by their names. */
export const chapterPages = (resolve: Resolve): readonly (readonly [string, Page])[] =>
  chapters.map(({ title, clauses: own }) => {
    const document = chapterOf.get(Object.keys(own)[0] ?? '') ?? ''
    const contents = Object.keys(own).map((id) => `<a href="#${id.toLowerCase()}">${id}</a>`)
    const sections = Object.entries<Clause>(own).map(([id, clause]) => section(document, id, clause, resolve))
    return [
      document,
      { title, body: `<h1>${title}</h1><p class="contents">${contents.join(' ')}</p>${sections.join('\n')}` }
    ]
  })
