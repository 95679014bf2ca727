/** The book: every page of a static site by its name, from what is in the repository. */
import { chapters, type Clause, clauses, isClauseId } from '../../../spec/index.js'
import { isBits } from '../../../src/bytes/bits.js'
import { type Described, describedStructures, type Word } from '../pages/described.js'
import { cases } from '../pages/errata.js'
import { structuresDocument } from '../pages/structures.js'
import { exactVersion, scripts, series } from '../pages/witnesses.js'
import { bitSvg } from './bits.js'
import { anchor, escaped, htmlTable, markdown } from './html.js'
import { messages, remedy } from './messages.js'
import { code, tests, textOf, vectors } from './sources.js'

/** The file of the chapter of each clause. */
const chapterOf = new Map(
  scripts.map(({ clause, document }) => [clause, document.replace(/\.md$/, '')] as [string, string])
)

const pageOf = (id: string): string => `${chapterOf.get(id) ?? 'index'}.html`

/** The documents of `spec` that are pages of the book, by the names of the pages. */
const documents: Readonly<Record<string, { readonly title: string; readonly text: () => string }>> = {
  'a-write': { title: 'One write, a crash and its repair', text: () => textOf('spec/README.md') },
  questions: { title: 'Twenty questions', text: () => textOf('spec/questions.md') },
  structures: { title: 'The structures', text: structuresDocument },
  edges: { title: 'What each flush is for', text: () => textOf('spec/edges.md') },
  errata: { title: 'Errata of the document', text: () => textOf('spec/errata.md') },
  qemu: { title: 'Losses in QEMU', text: () => textOf('spec/qemu.md') },
  superseded: { title: 'Superseded statements', text: () => textOf('spec/superseded.md') }
}

const chapterNames = new Set(chapterOf.values())

/** The page of a file of `spec`, as a document there links to it. */
const resolve = (href: string): string | undefined => {
  const [path = '', fragment] = href.split('#')
  const name = /^(?:\.\/)?(?:clauses\/)?([\w-]+)\.(md|ts)$/.exec(path)?.[1] ?? ''
  const page = path === 'clauses' ? 'index' : name === 'README' ? 'a-write' : name
  const isPage = page === 'index' || page in documents || chapterNames.has(page)
  if (path === '' && fragment !== undefined) return `#${fragment}`
  return isPage ? `${page}.html${fragment === undefined ? '' : `#${fragment}`}` : undefined
}

/** Text with a link for every clause that it names. */
const linked = (text: string): string =>
  escaped(text).replaceAll(/\b[A-Z][A-Z0-9]*-\d\d\b/g, (id) => (isClauseId(id) ? clauseLink(id) : id))

const clauseLink = (id: string): string => `<a class="clause" href="${pageOf(id)}#${id.toLowerCase()}">${id}</a>`

/** A field of a structure. */
interface Field {
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

const fields = describedStructures.flatMap(fieldsOf)

const fieldRows = (all: readonly Field[]): readonly (readonly string[])[] =>
  all.map(({ structure, name, place, doc, clause }) => [
    `<code>${escaped(name)}</code>`,
    `<a href="structures.html#${anchor(structure)}">${escaped(structure)}</a>`,
    place,
    escaped(doc),
    clauseLink(clause)
  ])

const fieldHead = ['Field', 'Structure', 'Place', 'Meaning', 'Clause']

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

const section = (document: string, id: string, { level, subject, source, says }: Clause): string => {
  const own = fields.filter(({ clause }) => clause === id)
  const words = [
    ...new Map(own.flatMap(({ structure, word }) => (word === undefined ? [] : [[structure, word] as const])))
  ]
  return `<section id="${id.toLowerCase()}">
<h2>${id} <span class="badges"><span>${level}</span><span>${subject}</span><span>${source}</span></span></h2>
<p class="says">${linked(says)}</p>
${divergences(id)}
${words.map(([title, word]) => bitSvg(title, word)).join('')}
${htmlTable(fieldHead, fieldRows(own))}
${list('Code', codes(code.get(id)))}
${list('Tests', codes(tests.get(id)))}
${list('Vectors that break it', vectorNames(id, true), 6)}
${list('Vectors that depend on it', vectorNames(id, false), 4)}
<details><summary>Witness: scripts that show it</summary>${markdown(witness(document, id), resolve)}</details>
</section>`
}

interface Page {
  readonly title: string
  readonly body: string
}

const chapterPages = (): readonly (readonly [string, Page])[] =>
  chapters.map(({ title, clauses: own }) => {
    const document = chapterOf.get(Object.keys(own)[0] ?? '') ?? ''
    const contents = Object.keys(own).map((id) => `<a href="#${id.toLowerCase()}">${id}</a>`)
    const sections = Object.entries<Clause>(own).map(([id, clause]) => section(document, id, clause))
    return [
      document,
      { title, body: `<h1>${title}</h1><p class="contents">${contents.join(' ')}</p>${sections.join('\n')}` }
    ]
  })

const withCode = (text: string): string => escaped(text).replaceAll(/`([^`]*)`/g, '<code>$1</code>')

const allMessages = messages()

const messagePage = (): Page => ({
  title: "QEMU's messages",
  body: `<h1>QEMU's messages</h1>
<p>What qemu-img ${exactVersion('7.2')} prints about damaged images, the clause that the image breaks, and what can be done. … is what differs from image to image. Several faults can cause one message.</p>
${htmlTable(
  ['Message', 'An image that causes it', 'Clause', 'What to do'],
  allMessages.map((message) => [
    `<span id="${anchor(`${message.text} ${message.clause}`)}">${escaped(message.text)}</span>`,
    escaped(message.images[0]?.title ?? ''),
    clauseLink(message.clause),
    withCode(remedy(message))
  ])
)}`
})

const fieldPage = (): Page => ({
  title: 'Index of fields',
  body: `<h1>Index of fields</h1>${htmlTable(fieldHead, fieldRows([...fields].sort((a, b) => a.name.localeCompare(b.name, 'en'))))}`
})

const clausePage = (): Page => ({
  title: 'Index of clauses',
  body: `<h1>Index of clauses</h1>${htmlTable(
    ['Clause', 'Level', 'Subject', 'Source', 'It says'],
    Object.entries<Clause>(clauses).map(([id, { level, subject, source, says }]) => [
      clauseLink(id),
      level,
      subject,
      source,
      linked(says)
    ])
  )}`
})

const pages = (): ReadonlyMap<string, Page> => {
  const written = Object.entries(documents).map(
    ([name, { title, text }]) => [name, { title, body: markdown(text(), resolve) }] as const
  )
  return new Map<string, Page>([
    ...written,
    ...chapterPages(),
    ['messages', messagePage()],
    ['fields', fieldPage()],
    ['clauses', clausePage()]
  ])
}

const linkTo = (name: string, { title }: Page): string => `<li><a href="${name}.html">${escaped(title)}</a></li>`

const indexPage = (all: ReadonlyMap<string, Page>): Page => {
  const links = (chosen: (name: string) => boolean): string =>
    [...all].flatMap(([name, page]) => (chosen(name) ? [linkTo(name, page)] : [])).join('')
  return {
    title: 'qcow2: the format as a book',
    body: `<h1>qcow2: the format as a book</h1>
<p>${Object.keys(clauses).length} clauses, each with its level, its source, the fields that it is about, and scripts that show it on QEMU ${series.map(exactVersion).join(', ')}. New here? Read <a href="a-write.html">one write, a crash and its repair</a> and the <a href="questions.html">twenty questions</a>. With a message of QEMU at hand, go to <a href="messages.html">the index of messages</a>.</p>
<h2>Reading</h2><ul>${links((name) => !chapterNames.has(name))}</ul>
<h2>Chapters of clauses</h2><ol>${links((name) => chapterNames.has(name))}</ol>
<p>A clause is a <i>must</i>, a <i>should</i> or a <i>may</i>; it binds an image, a reader or a writer; its source is the text of the format, QEMU, both, or the writer of this package (<i>ours</i>).</p>`
  }
}

const frame = ({ title, body }: Page): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><link rel="stylesheet" href="style.css"></head>
<body><header><a href="index.html">qcow2</a>
<label>Search <input id="search" type="search" autocomplete="off" aria-controls="found"></label></header>
<ul id="found" aria-live="polite"></ul><main>${body}</main>
<script src="search-index.js"></script><script src="search.js"></script></body></html>
`

/** What is searched: a line of text and the place that it leads to. */
const searchIndex = (all: ReadonlyMap<string, Page>): readonly (readonly [text: string, to: string])[] => [
  ...[...all].map(([name, { title }]) => [title, `${name}.html`] as const),
  ...Object.entries<Clause>(clauses).map(
    ([id, { says }]) => [`${id}: ${says}`, `${pageOf(id)}#${id.toLowerCase()}`] as const
  ),
  ...fields.map(
    ({ name, structure, doc, clause }) =>
      [`${name}, ${structure}: ${doc}`, `${pageOf(clause)}#${clause.toLowerCase()}`] as const
  ),
  ...allMessages.map(({ text, clause }) => [text, `messages.html#${anchor(`${text} ${clause}`)}`] as const)
]

/** Every file of the book by its name. */
export const bookFiles = (): ReadonlyMap<string, string> => {
  const all = pages()
  return new Map([
    ['index.html', frame(indexPage(all))],
    ...[...all].map(([name, page]) => [`${name}.html`, frame(page)] as const),
    ['search-index.js', `const searchIndex = ${JSON.stringify(searchIndex(all)).replaceAll('],[', '],\n[')}\n`],
    ['search.js', textOf('props/tools/book/search.js')],
    ['style.css', textOf('props/tools/book/style.css')]
  ])
}
