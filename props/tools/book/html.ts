/** Pieces of HTML, and Markdown as HTML. */
import { Marked } from 'marked'

/** Text in which no character has a meaning for HTML. */
export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** The anchor of a heading, as GitHub makes it. */
export const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/<[^>]*>|&[a-z]+;/g, '')
    .replaceAll(/[^\w\- ]/g, '')
    .replaceAll(' ', '-')

/** A table of cells that are HTML; nothing without lines. */
export const htmlTable = (head: readonly string[], lines: readonly (readonly string[])[]): string => {
  const row = (tag: 'th' | 'td') => (cells: readonly string[]) =>
    `<tr>${cells.map((cell) => `<${tag}>${cell}</${tag}>`).join('')}</tr>`
  return lines.length === 0
    ? ''
    : `<div class="scroll" tabindex="0"><table><thead>${row('th')(head)}</thead><tbody>${lines.map(row('td')).join('\n')}</tbody></table></div>`
}

/** Where a link of a page of `spec` leads in the book; none for files that are not in it. */
export type Resolve = (href: string) => string | undefined

/** Markdown as HTML. A link to a file that is not in the book becomes its text. */
export const markdown = (text: string, resolve: Resolve): string => {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: heading }) {
        return `<h${depth} id="${anchor(heading)}">${this.parser.parseInline(tokens)}</h${depth}>\n`
      },
      link({ href, tokens }) {
        const inner = this.parser.parseInline(tokens)
        const to = /^https?:/.test(href) ? href : resolve(href)
        return to === undefined ? inner : `<a href="${escaped(to)}">${inner}</a>`
      },
      code({ text: code }) {
        return `<pre tabindex="0"><code>${escaped(code)}</code></pre>\n`
      }
    }
  })
  return marked
    .parse(text, { async: false })
    .replaceAll('<table>', '<div class="scroll" tabindex="0"><table>')
    .replaceAll('</table>', '</table></div>')
}
