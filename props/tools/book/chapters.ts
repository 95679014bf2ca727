/** The chapters of clauses: a section for each clause, with everything that the repository has about it. */
import { chapters, type Clause } from '../../../spec/index.js'
import { cases } from '../pages/errata.js'
import { exactVersion, series } from '../pages/witnesses.js'
import { bitSvg } from './bits.js'
import { type Field, fields, fieldTable } from './fields.js'
import { escaped, htmlTable, markdown, type Resolve } from './html.js'
import { chapterOf, linked } from './links.js'
import type { Page } from './page.js'
import { code, tests, textOf } from './sources.js'
import { breaking, holding, vectorLinks } from './vectors.js'

const list = (title: string, items: readonly string[], most = 12): string => {
  if (items.length === 0) return ''
  const more = items.length > most ? `, and ${items.length - most} more` : ''
  return `<p><b>${title}:</b> ${items.slice(0, most).join(', ')}${more}</p>`
}

const codes = (paths: readonly string[] = []): readonly string[] => paths.map((path) => `<code>${path}</code>`)

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

/** The fields of a clause in an example image, in the explorer; each has a link that selects it there. */
const live = (id: string, own: readonly Field[]): string => {
  const decoded = own.flatMap(({ name, decoded: to }) => (to === undefined ? [] : [{ name, to }]))
  const name = `live-${id.toLowerCase()}`
  const links = decoded.map((each) => `<a href="${each.to}" target="${name}"><code>${escaped(each.name)}</code></a>`)
  return decoded[0] === undefined
    ? ''
    : `<details class="live"><summary>Decoded in an image, byte by byte</summary>
<p>${links.join(' ')}</p>
<iframe name="${name}" title="The explorer on an image that has ${escaped(decoded[0].name)}" src="${decoded[0].to}" loading="lazy"></iframe></details>`
}

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
${live(id, own)}
${list('Code', codes(code.get(id)))}
${list('Tests', codes(tests.get(id)))}
${list('Vectors that break it', vectorLinks(breaking(id)), 6)}
${list('Vectors that hold it', vectorLinks(holding(id)), 6)}
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
