/** Makes mutants: finds the place of each change in a source file, changes it, and compiles what comes of it. */
import * as A from 'fp-ts/lib/Array.js'
import * as E from 'fp-ts/lib/Either.js'
import { pipe } from 'fp-ts/lib/function.js'
import ts from 'typescript'
import type { Change, Mutant } from './mutant.js'
import { type Edit, operators } from './operators.js'
import { bare, type Bindings, isSyntax, match, parse, parsePattern } from './pattern.js'

/** The name of a declaration. */
const declaredName = (node: ts.Node): string | undefined => {
  if (ts.isConstructorDeclaration(node)) return 'constructor'
  const declares =
    ts.isFunctionDeclaration(node) ||
    ts.isClassDeclaration(node) ||
    ts.isClassElement(node) ||
    ts.isVariableDeclaration(node) ||
    ts.isPropertyAssignment(node)
  return declares ? node.name?.getText() : undefined
}

/** Calls `visit` with every node below a node and the names of the declarations around it, from the outermost one. */
export const walk = (node: ts.Node, visit: (node: ts.Node, path: string) => void, path = ''): void => {
  const name = declaredName(node)
  const here = name === undefined ? path : path === '' ? name : `${path}.${name}`
  visit(node, here)
  node.forEachChild((child) => walk(child, visit, here))
}

interface Site {
  readonly node: ts.Node
  readonly bindings: Bindings
}

/** The nodes of a declaration that have a pattern. */
const sitesIn = (source: ts.SourceFile, path: string, pattern: ts.Node): readonly Site[] => {
  const sites: Site[] = []
  walk(source, (node, around) => {
    if (bare(node) !== node || !(around === path || around.startsWith(`${path}.`))) return
    const bindings = match(pattern, node)
    if (bindings !== undefined) sites.push({ node, bindings })
  })
  return sites
}

/** The one node that a change is about. */
const siteOf = (source: ts.SourceFile, change: Change): E.Either<string, Site> =>
  pipe(
    parsePattern(change.find),
    E.chain((pattern) => {
      const sites = sitesIn(source, change.in, pattern)
      const site = sites[(change.nth ?? 1) - 1]
      return site === undefined || (change.nth === undefined && sites.length > 1)
        ? E.left(`${change.in} has ${sites.length} nodes like ${change.find}`)
        : E.right(site)
    })
  )

const editOf = ({ node, bindings }: Site, change: Change): E.Either<string, Edit> => {
  if ('operator' in change)
    return pipe(
      operators[change.operator](node),
      E.fromNullable(`${change.operator} does not apply to ${change.find} in ${change.in}`)
    )
  const text = change.to.replaceAll(/\$+\w+/g, (name) => bindings.get(name) ?? name)
  const whole = ts.isExpression(node) && !ts.isExpressionStatement(node.parent) ? `(${text})` : text
  return E.right({ start: node.getStart(), end: node.getEnd(), text: whole })
}

export const apply = (text: string, edits: readonly Edit[]): string =>
  [...edits]
    .sort((a, b) => b.start - a.start)
    .reduce((out, { start, end, text }) => out.slice(0, start) + text + out.slice(end), text)

/** The names that code refers to, without those of properties. */
const namesIn = (code: string): ReadonlySet<string> => {
  const names = new Set<string>()
  walk(parse(code), (node) => {
    if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node))
      names.add(node.text)
  })
  return names
}

/** A mutant that refers to nothing would be found by any test. */
const unknownName = (text: string, mutated: string): string | undefined => {
  const known = namesIn(text)
  return [...namesIn(mutated)].find((name) => !known.has(name) && !(name in globalThis))
}

/** The source text with the fault; a message when a change has not exactly one place, or makes no sense there. */
export const mutate = (
  text: string,
  { name, file, change }: Pick<Mutant, 'name' | 'file' | 'change'>
): E.Either<string, string> => {
  const source = parse(text)
  return pipe(
    'in' in change ? [change] : [...change],
    A.traverse(E.Applicative)((each) =>
      pipe(
        siteOf(source, each),
        E.chain((site) => editOf(site, each))
      )
    ),
    E.map((edits) => apply(text, edits)),
    E.filterOrElse(isSyntax, () => 'makes no TypeScript'),
    E.filterOrElse(
      (mutated) => unknownName(text, mutated) === undefined,
      (mutated) => `refers to ${String(unknownName(text, mutated))}, a name that the file does not have`
    ),
    E.mapLeft((message) => `${name}: ${file}: ${message}`)
  )
}

/** The JavaScript that the build makes of a source text. */
export const compile = (text: string): string =>
  ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true
    }
  }).outputText
