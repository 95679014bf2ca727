/**
 * Syntax patterns: TypeScript code that is compared with a syntax tree, so that layout, comments, parentheses and types
 * make no difference. In a pattern `$name` stands for any one node, the same one wherever it recurs, and `$$name` for
 * any number of neighbours: `$host % $size !== 0`, `put($at, $$rest)`.
 */
import * as E from 'fp-ts/lib/Either.js'
import ts from 'typescript'

/** The source text that each metavariable of a pattern stands for. */
export type Bindings = ReadonlyMap<string, string>

/** The code around a pattern that makes it an expression, an element of an array, a property of an object, or a statement. */
const contexts = [
  ['async function* _() { (', ') }'],
  ['const _ = [', ']'],
  ['const _ = { ', ' }'],
  ['async function* _() { ', ' }']
] as const

export const parse = (code: string): ts.SourceFile => ts.createSourceFile('_.ts', code, ts.ScriptTarget.ES2023, true)

/** Whether the parser accepts the code. Its complaints are with the tree, although the declared type does not say so. */
export const isSyntax = (code: string): boolean => {
  const source = parse(code)
  return 'parseDiagnostics' in source && Array.isArray(source.parseDiagnostics) && source.parseDiagnostics.length === 0
}

/** The node inside parentheses, type assertions and `satisfies`. */
export const bare = (node: ts.Node): ts.Node =>
  ts.isParenthesizedExpression(node) ||
  ts.isAsExpression(node) ||
  ts.isSatisfiesExpression(node) ||
  ts.isNonNullExpression(node)
    ? bare(node.expression)
    : node

/** The children of a node without types and modifiers. */
const childrenOf = (node: ts.Node): readonly ts.Node[] => {
  const children: ts.Node[] = []
  node.forEachChild((child) => {
    if (!ts.isTypeNode(child) && !ts.isModifier(child) && !ts.isTypeParameterDeclaration(child)) children.push(child)
  })
  return children
}

/** The first node below `root` that spans exactly this range, so the outermost one. */
const spanning = (root: ts.Node, start: number, end: number): ts.Node | undefined =>
  root.getStart() === start && root.getEnd() === end ? root : root.forEachChild((child) => spanning(child, start, end))

/** The syntax tree of a pattern. */
export const parsePattern = (code: string): E.Either<string, ts.Node> => {
  const context = contexts.find(([before, after]) => isSyntax(before + code + after))
  if (context === undefined) return E.left(`is not an expression, a property or a statement: ${code}`)
  const [before, after] = context
  const node = spanning(parse(before + code + after), before.length, before.length + code.length)
  return node === undefined ? E.left(`is not one node: ${code}`) : E.right(node)
}

/** The text that distinguishes two leaves of the same kind. */
const leafText = (node: ts.Node): string => {
  if (ts.isIdentifier(node) || ts.isPrivateIdentifier(node) || ts.isLiteralExpression(node)) return node.text
  if (ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) return node.text
  return ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node) ? String(node.operator) : ''
}

/** The name of the metavariable that a pattern node is. */
const metavariable = (node: ts.Node): string | undefined => {
  if (ts.isIdentifier(node)) return node.text.startsWith('$') ? node.text : undefined
  if (ts.isExpressionStatement(node)) return metavariable(node.expression)
  return ts.isShorthandPropertyAssignment(node) ? metavariable(node.name) : undefined
}

const bind = (name: string, text: string, bindings: Bindings): Bindings | undefined => {
  const bound = bindings.get(name)
  if (bound !== undefined) return bound === text ? bindings : undefined
  return new Map([...bindings, [name, text]])
}

/** The source text from the first of these neighbours to the last. */
const textOf = (nodes: readonly ts.Node[]): string => {
  const [first, last] = [nodes[0], nodes.at(-1)]
  return first === undefined || last === undefined
    ? ''
    : first.getSourceFile().text.slice(first.getStart(), last.getEnd())
}

const matchAll = (
  patterns: readonly ts.Node[],
  nodes: readonly ts.Node[],
  bindings: Bindings
): Bindings | undefined => {
  const [pattern, ...others] = patterns
  if (pattern === undefined) return nodes.length === 0 ? bindings : undefined
  const name = metavariable(pattern)
  if (name?.startsWith('$$') !== true) {
    const bound = nodes[0] === undefined ? undefined : match(pattern, nodes[0], bindings)
    return bound === undefined ? undefined : matchAll(others, nodes.slice(1), bound)
  }
  for (let length = 0; length <= nodes.length; length++) {
    const bound = bind(name, textOf(nodes.slice(0, length)), bindings)
    const found = bound === undefined ? undefined : matchAll(others, nodes.slice(length), bound)
    if (found !== undefined) return found
  }
  return undefined
}

/** The bindings under which a node is of a pattern; undefined when it is not. */
export const match = (pattern: ts.Node, node: ts.Node, bindings: Bindings = new Map()): Bindings | undefined => {
  const [wanted, given] = [bare(pattern), bare(node)]
  const name = metavariable(wanted)
  if (name !== undefined) return bind(name, node.getText(), bindings)
  if (wanted.kind !== given.kind || leafText(wanted) !== leafText(given)) return undefined
  return matchAll(childrenOf(wanted), childrenOf(given), bindings)
}
