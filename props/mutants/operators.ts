/** Mutation operators: each changes one node of a syntax tree in one way, and is of no use for any other node. */
import ts from 'typescript'

/** A range of the source text, as offsets into it, and what takes its place. */
export interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The edit that an operator makes of a node; undefined when it has none for it. */
export type Operator = (node: ts.Node) => Edit | undefined

const replace = (node: ts.Node, text: string): Edit => ({ start: node.getStart(), end: node.getEnd(), text })

/** The node with all the parentheses around it. */
const wrapped = (node: ts.Node): ts.Node => (ts.isParenthesizedExpression(node.parent) ? wrapped(node.parent) : node)

/** The list that a node is an element of: statements, arguments, elements, properties. */
const siblings = (node: ts.Node): ts.NodeArray<ts.Node> | undefined => {
  const { parent } = node
  if (ts.isBlock(parent) || ts.isSourceFile(parent) || ts.isCaseOrDefaultClause(parent)) return parent.statements
  if (ts.isArrayLiteralExpression(parent)) return parent.elements
  if (ts.isObjectLiteralExpression(parent)) return parent.properties
  return (ts.isCallExpression(parent) || ts.isNewExpression(parent)) && parent.expression !== node
    ? parent.arguments
    : undefined
}

/** The statement that a node is, or that consists of nothing else. */
const statementOf = (node: ts.Node): ts.Statement | undefined => {
  if (ts.isStatement(node)) return node
  return ts.isExpressionStatement(node.parent) ? node.parent : undefined
}

const comparisons = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.LessThanToken, '<='],
  [ts.SyntaxKind.LessThanEqualsToken, '<'],
  [ts.SyntaxKind.GreaterThanToken, '>='],
  [ts.SyntaxKind.GreaterThanEqualsToken, '>']
])
const equalities = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.EqualsEqualsEqualsToken, '!=='],
  [ts.SyntaxKind.ExclamationEqualsEqualsToken, '===']
])
const connectives = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.AmpersandAmpersandToken, '||'],
  [ts.SyntaxKind.BarBarToken, '&&']
])
const arithmetic = new Map<ts.SyntaxKind, string>([
  [ts.SyntaxKind.PlusToken, '-'],
  [ts.SyntaxKind.MinusToken, '+'],
  [ts.SyntaxKind.AsteriskToken, '/'],
  [ts.SyntaxKind.SlashToken, '*'],
  [ts.SyntaxKind.PercentToken, '*'],
  [ts.SyntaxKind.AmpersandToken, '|'],
  [ts.SyntaxKind.BarToken, '&'],
  [ts.SyntaxKind.LessThanLessThanToken, '>>'],
  [ts.SyntaxKind.GreaterThanGreaterThanToken, '<<'],
  [ts.SyntaxKind.GreaterThanGreaterThanGreaterThanToken, '<<']
])

/** Writes another operator between two operands. */
const otherOperator =
  (others: ReadonlyMap<ts.SyntaxKind, string>): Operator =>
  (node) => {
    if (!ts.isBinaryExpression(node)) return undefined
    const other = others.get(node.operatorToken.kind)
    return other === undefined ? undefined : replace(node.operatorToken, other)
  }

/** Whether a node decides something: a comparison, a connective, a negation, or where a branch looks. */
const isCondition = (node: ts.Node): boolean => {
  if (ts.isBinaryExpression(node))
    return [comparisons, equalities, connectives].some((others) => others.has(node.operatorToken.kind))
  if (ts.isPrefixUnaryExpression(node)) return node.operator === ts.SyntaxKind.ExclamationToken
  const outer = wrapped(node)
  const { parent } = outer
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === outer
  if (ts.isConditionalExpression(parent)) return parent.condition === outer
  return ts.isPrefixUnaryExpression(parent) || ts.isBinaryExpression(parent) ? isCondition(parent) : false
}

/** Decides a condition, or that of a branch, once and for all. */
const decided =
  (value: boolean): Operator =>
  (node) => {
    if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return replace(node.expression, String(value))
    if (ts.isConditionalExpression(node)) return replace(node.condition, String(value))
    return isCondition(node) ? replace(node, String(value)) : undefined
  }

const dropStatement: Operator = (node) => {
  const statement = statementOf(node)
  return statement === undefined || ts.isBlock(statement) ? undefined : replace(statement, ';')
}

const dropOperand: Operator = (node) => {
  const outer = wrapped(node)
  const { parent } = outer
  if (!ts.isBinaryExpression(parent) || parent.operatorToken === outer) return undefined
  return replace(parent, (parent.left === outer ? parent.right : parent.left).getText())
}

const dropElement: Operator = (node) => {
  const list = siblings(node)
  if (list === undefined || ts.isStatement(node)) return undefined
  const [before, after] = [list[list.indexOf(node) - 1], list[list.indexOf(node) + 1]]
  if (before !== undefined) return { start: before.getEnd(), end: node.getEnd(), text: '' }
  return { start: node.getStart(), end: after?.getStart() ?? node.getEnd(), text: '' }
}

const swapWithNext: Operator = (node) => {
  const statement = statementOf(node) ?? node
  const list = siblings(statement)
  const next = list?.[list.indexOf(statement) + 1]
  if (next === undefined) return undefined
  const between = node.getSourceFile().text.slice(statement.getEnd(), next.getStart())
  return { start: statement.getStart(), end: next.getEnd(), text: next.getText() + between + statement.getText() }
}

/** All operators by name. */
export const operators = {
  /** A condition holds always. */
  'condition-true': decided(true),
  /** A condition never holds. */
  'condition-false': decided(false),
  /** `<` and `<=`, `>` and `>=` change places. */
  boundary: otherOperator(comparisons),
  /** `===` and `!==` change places. */
  equality: otherOperator(equalities),
  /** `&&` and `||` change places. */
  connective: otherOperator(connectives),
  /** Addition and subtraction, multiplication and division, and their like among bits change places. */
  arithmetic: otherOperator(arithmetic),
  /** A statement is left out. */
  'drop-statement': dropStatement,
  /** Of two operands only the other one is left. */
  'drop-operand': dropOperand,
  /** An argument, an element of an array or a property of an object is left out. */
  'drop-element': dropElement,
  /** A statement, an argument or an element and the one after it change places. */
  'swap-with-next': swapWithNext
} satisfies Readonly<Record<string, Operator>>

export type OperatorName = keyof typeof operators
