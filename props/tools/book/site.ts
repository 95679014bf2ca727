/** The book: every page of a static site by its name, from what is in the repository. */
import { type Clause, clauses } from '../../../spec/index.js'
import { structuresDocument } from '../pages/structures.js'
import { exactVersion, series } from '../pages/witnesses.js'
import { chapterPages } from './chapters.js'
import { examplePage, examples } from './examples.js'
import { fields, fieldTable } from './fields.js'
import { anchor, escaped, htmlTable, markdown } from './html.js'
import { clauseLink, isChapter, linked, placeOf, resolving } from './links.js'
import { messages, remedy } from './messages.js'
import { apiFolder, framed, type Page } from './page.js'
import { diskPage, recipePage } from './programs.js'
import { explorerPage, textOf } from './sources.js'
import { vectorPage } from './vectors.js'

/** The documents of `spec` that are pages of the book, by the names of the pages. */
const documents: Readonly<Record<string, { readonly title: string; readonly text: () => string }>> = {
  'a-write': { title: 'One write, a crash and its repair', text: () => textOf('spec/README.md') },
  questions: { title: 'Twenty questions', text: () => textOf('spec/questions.md') },
  structures: { title: 'The structures', text: structuresDocument },
  matrix: { title: 'What readers make of the vectors', text: () => textOf('spec/matrix.md') },
  edges: { title: 'What each flush is for', text: () => textOf('spec/edges.md') },
  errata: { title: 'Errata of the document', text: () => textOf('spec/errata.md') },
  qemu: { title: 'Losses in QEMU', text: () => textOf('spec/qemu.md') },
  superseded: { title: 'Superseded statements', text: () => textOf('spec/superseded.md') }
}

const resolve = resolving(new Set(['disk', ...Object.keys(documents)]))

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
  body: `<h1>Index of fields</h1>${fieldTable([...fields].sort((a, b) => a.name.localeCompare(b.name, 'en')))}`
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
    ['disk', diskPage()],
    ['vectors', vectorPage()],
    ['recipes', recipePage()],
    ...chapterPages(resolve),
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
<h2>Reading</h2><ul>${links((name) => !isChapter(name))}<li><a href="${apiFolder}/index.html">The library</a></li></ul>
<h2>Chapters of clauses</h2><ol>${links((name) => isChapter(name))}</ol>
<p>A clause is a <i>must</i>, a <i>should</i> or a <i>may</i>; it binds an image, a reader or a writer; its source is the text of the format, QEMU, both, or the writer of this package (<i>ours</i>).</p>`
  }
}

/** What is searched: a line of text and the place that it leads to. */
const searchIndex = (all: ReadonlyMap<string, Page>): readonly (readonly [text: string, to: string])[] => [
  ...[...all].map(([name, { title }]) => [title, `${name}.html`] as const),
  ...Object.entries<Clause>(clauses).map(([id, { says }]) => [`${id}: ${says}`, placeOf(id)] as const),
  ...fields.map(({ name, structure, doc, clause }) => [`${name}, ${structure}: ${doc}`, placeOf(clause)] as const),
  ...allMessages.map(({ text, clause }) => [text, `messages.html#${anchor(`${text} ${clause}`)}`] as const)
]

/** Every file of the book by its name. */
export const bookFiles = (): ReadonlyMap<string, string> => {
  const all = pages()
  const explorer = explorerPage()
  const places = Object.fromEntries(Object.keys(clauses).map((id) => [id, placeOf(id)]))
  return new Map([
    ['index.html', framed(indexPage(all))],
    ...[...all].map(([name, page]) => [`${name}.html`, framed(page)] as const),
    ...examples.map((example) => [`${example.page}.html`, examplePage(explorer, example, places)] as const),
    ['search-index.js', `const searchIndex = ${JSON.stringify(searchIndex(all)).replaceAll('],[', '],\n[')}\n`],
    ['search.js', textOf('props/tools/book/search.js')],
    ['style.css', textOf('props/tools/book/style.css')]
  ])
}
