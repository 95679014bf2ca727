/** The transformer: writes the counting of edges into compiled JavaScript, by its syntax tree. */
import ts from 'typescript'

/** Text put in at an offset of the source. */
interface Insertion {
  readonly at: number
  readonly text: string
}

const branching: ReadonlySet<ts.SyntaxKind> = new Set([
  ts.SyntaxKind.AmpersandAmpersandToken,
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.AmpersandAmpersandEqualsToken,
  ts.SyntaxKind.BarBarEqualsToken,
  ts.SyntaxKind.QuestionQuestionEqualsToken
])

/** The statements that run only if something led to them, and the expressions. */
const guardedBy = (
  node: ts.Node
): { readonly statements: readonly ts.Node[]; readonly expressions: readonly ts.Node[] } => {
  const none = { statements: [], expressions: [] }
  if (ts.isIfStatement(node))
    return {
      ...none,
      statements: node.elseStatement === undefined ? [node.thenStatement] : [node.thenStatement, node.elseStatement]
    }
  if (ts.isIterationStatement(node, false)) return { ...none, statements: [node.statement] }
  if (ts.isTryStatement(node))
    return { ...none, statements: node.catchClause === undefined ? [] : [node.catchClause.block] }
  if (ts.isConditionalExpression(node)) return { ...none, expressions: [node.whenTrue, node.whenFalse] }
  if (ts.isBinaryExpression(node) && branching.has(node.operatorToken.kind))
    return { ...none, expressions: [node.right] }
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return none
  const body = node.body as ts.Node
  return ts.isBlock(body) ? { ...none, statements: [body] } : { ...none, expressions: [body] }
}

/** The program with the counting in it, and how many edges it counts: they have the numbers from `first` on. */
export const instrument = (
  code: string,
  first: number,
  edgesModule: string
): { readonly code: string; readonly edges: number } => {
  const source = ts.createSourceFile('a.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS)
  const insertions: Insertion[] = []
  let next = first
  const put = (at: number, text: string): void => {
    insertions.push({ at, text })
  }
  const count = (): string => `$edges[${next++}]++`
  const visit = (node: ts.Node): void => {
    const { statements, expressions } = guardedBy(node)
    for (const each of statements)
      if (ts.isBlock(each)) put(each.getStart() + 1, ` ${count()};`)
      else put(each.getStart(), `{ ${count()}; `)
    for (const each of expressions) put(each.getStart(), `(${count()}, `)
    if (ts.isCaseOrDefaultClause(node)) put(node.statements.pos, ` ${count()};`)
    ts.forEachChild(node, visit)
    for (const each of expressions) put(each.getEnd(), ')')
    for (const each of statements) if (!ts.isBlock(each)) put(each.getEnd(), ' }')
    if (ts.isIfStatement(node) && node.elseStatement === undefined) put(node.getEnd(), ` else { ${count()}; }`)
  }
  visit(source)
  const sorted = insertions.map((each, i) => ({ ...each, i })).sort((a, b) => (a.at === b.at ? a.i - b.i : a.at - b.at))
  const parts = [`import { edges as $edges } from ${JSON.stringify(edgesModule)}; `]
  let done = 0
  for (const { at, text } of sorted) {
    parts.push(code.slice(done, at), text)
    done = at
  }
  return { code: parts.join('') + code.slice(done), edges: next - first }
}
