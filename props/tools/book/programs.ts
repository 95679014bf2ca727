/** Programs of the repository as pages of the book: the recipes, and the abstract disk. */
import { readdirSync } from 'node:fs'
import { escaped } from './html.js'
import { linked } from './links.js'
import type { Page } from './page.js'
import { pathOf, textOf } from './sources.js'

/** A program: the comment at its start, and its code. */
interface Program {
  readonly name: string
  readonly comment: string
  readonly code: string
}

const programOf = (path: string): Program => {
  const [, comment = '', code = ''] = /^\/\*\*(.*?)\*\/\n(.*)$/s.exec(textOf(path)) ?? []
  const words = comment.replaceAll(/\n \*/g, ' ').replaceAll(/\s+/g, ' ').trim()
  return { name: path.split('/').at(-1) ?? '', comment: words, code: code.trim() }
}

const prose = (comment: string): string => `<p>${linked(comment).replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</p>`

const codeBlock = (code: string): string => `<pre tabindex="0"><code>${linked(code)}</code></pre>`

const recipe = (path: string): string => {
  const { name, comment, code } = programOf(path)
  const [title = '', ...rest] = comment.split(': ')
  return `<h2 id="${escaped(name.replace('.ts', ''))}">${escaped(title)}</h2>${prose(rest.join(': '))}${codeBlock(code)}`
}

const recipes = 'props/recipes'

/** Every recipe. */
export const recipePage = (): Page => {
  const files = readdirSync(pathOf(recipes)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  return {
    title: 'Recipes',
    body: `<h1>Recipes</h1><p>Programs over the library, each of at most 30 lines. The tests run them all.</p>${files
      .sort()
      .map((name) => recipe(`${recipes}/${name}`))
      .join('')}`
  }
}

/** The abstract machine: what each command does to a disk. */
export const diskPage = (): Page => {
  const { comment, code } = programOf('spec/disk.ts')
  return { title: 'The abstract disk', body: `<h1>The abstract disk</h1>${prose(comment)}${codeBlock(code)}` }
}
