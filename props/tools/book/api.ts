/** The documentation of the entries of the package, by typedoc, as a folder of the book. */
import * as t from 'io-ts'
import { Application, Converter, type Context, PageEvent } from 'typedoc'
import ts from 'typescript'
import { linkedMarkdown } from './links.js'
import { pathOf, textOf } from './sources.js'

/** An entry of the package: the name that it is imported by, and its source. */
export interface Entry {
  readonly name: string
  readonly file: string
}

const Package = t.type({ exports: t.record(t.string, t.union([t.string, t.type({ types: t.string })])) })

/** The source of declarations. Only there a function that is a constant shows as one. */
const sourceOf = (types: string): string => types.replace('/dist/', '/').replace('.d.ts', '.ts')

/** The entries that package.json exports. */
export const entries = (): readonly Entry[] => {
  const given = Package.decode(JSON.parse(textOf('package.json')))
  if (given._tag === 'Left') return []
  return Object.entries(given.right.exports).flatMap(([path, to]) =>
    typeof to === 'string' ? [] : [{ name: `qcow2-spec${path.slice(1)}`, file: pathOf(sourceOf(to.types)) }]
  )
}

/** Stands in links for the folder of the book, as the page of the link is not known yet. */
const book = 'book:'

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  skipLibCheck: true,
  types: ['node']
}

/** Links the clauses that comments name. */
const linkClauses = ({ project }: Context): void => {
  for (const { comment } of Object.values(project.reflections))
    for (const part of [comment?.summary ?? [], ...(comment?.blockTags.map(({ content }) => content) ?? [])].flat())
      if (part.kind === 'text') part.text = linkedMarkdown(part.text, book)
}

/** Writes the pages about these entries into a folder of the book. */
export const writeApi = async (folder: string, chosen: readonly Entry[]): Promise<void> => {
  const files = chosen.map(({ file }) => file)
  const app = await Application.bootstrap({
    entryPoints: files,
    name: 'qcow2-spec',
    readme: 'none',
    disableSources: true,
    excludePrivate: true,
    // The build checks types.
    skipErrorChecking: true,
    validation: false,
    githubPages: false,
    logLevel: 'Error',
    navigationLinks: { 'The book': `${book}index.html` }
  })
  app.options.setCompilerOptions(files, options, [])
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, linkClauses)
  app.renderer.on(PageEvent.END, (page: PageEvent) => {
    const up = '../'.repeat(page.url.split('/').length)
    page.contents = page.contents?.replaceAll(`href="${book}`, `href="${up}`) ?? ''
  })
  const points = (app.getEntryPoints() ?? []).map((point) => ({
    ...point,
    displayName: chosen.find(({ file }) => file === point.sourceFile.fileName)?.name ?? point.displayName
  }))
  await app.generateDocs(app.converter.convert(points), folder)
}
