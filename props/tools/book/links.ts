/** Where the pages of the book lead: to the clause of an id, to the page of a file of `spec`. */
import { isClauseId } from '../../../spec/index.js'
import { scripts } from '../pages/witnesses.js'
import { escaped } from './html.js'

/** The page of the chapter of each clause, without `.html`. */
export const chapterOf: ReadonlyMap<string, string> = new Map(
  scripts.map(({ clause, document }) => [clause, document.replace(/\.md$/, '')])
)

const chapterNames = new Set(chapterOf.values())

/** Whether a page is a chapter of clauses. */
export const isChapter = (page: string): boolean => chapterNames.has(page)

/** The place of a clause in the book. */
export const placeOf = (id: string): string => `${chapterOf.get(id) ?? 'index'}.html#${id.toLowerCase()}`

export const clauseLink = (id: string): string => `<a class="clause" href="${placeOf(id)}">${id}</a>`

const withLinks = (text: string, link: (id: string) => string): string =>
  text.replaceAll(/\b[A-Z][A-Z0-9]*-\d\d\b/g, (id) => (isClauseId(id) ? link(id) : id))

/** Text with a link for every clause that it names. */
export const linked = (text: string): string => withLinks(escaped(text), clauseLink)

/** Markdown with a link for every clause that it names, from a page that reaches the book by `prefix`. */
export const linkedMarkdown = (text: string, prefix: string): string =>
  withLinks(text, (id) => `[${id}](${prefix}${placeOf(id)})`)

/** The page of a file of `spec`, as a document there links to it, where the book has it. */
export const resolving =
  (pages: ReadonlySet<string>) =>
  (href: string): string | undefined => {
    const [path = '', fragment] = href.split('#')
    const name = /^(?:\.\/)?(?:clauses\/)?([\w-]+)\.(md|ts)$/.exec(path)?.[1] ?? ''
    const page = path === 'clauses' ? 'index' : name === 'README' ? 'a-write' : name
    if (path === '' && fragment !== undefined) return `#${fragment}`
    const isPage = page === 'index' || pages.has(page) || isChapter(page)
    return isPage ? `${page}.html${fragment === undefined ? '' : `#${fragment}`}` : undefined
  }
