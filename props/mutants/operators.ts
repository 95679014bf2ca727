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

const isDeclaration = (node: ts.Node): boolean =>
  ts.isImportDeclaration(node) ||
  ts.isExportDeclaration(node) ||
  ts.isExportAssignment(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isClassDeclaration(node) ||
  ts.isInterfaceDeclaration(node) ||
  ts.isTypeAliasDeclaration(node)

/** The lists of statements, arguments, elements and properties of a node. */
const listsOf = (node: ts.Node): readonly (readonly ts.Node[])[] => {
  if (ts.isBlock(node) || ts.isSourceFile(node) || ts.isCaseOrDefaultClause(node)) return [node.statements]
  if (ts.isArrayLiteralExpression(node)) return [node.elements]
  if (ts.isObjectLiteralExpression(node)) return [node.properties]
  return ts.isCallExpression(node) || ts.isNewExpression(node) ? [node.arguments ?? []] : []
}

/** The list that a node is an element of. */
const siblings = (node: ts.Node): readonly ts.Node[] | undefined =>
  listsOf(node.parent).find((list) => list.includes(node))

/** The statement that a node is, or that consists of nothing else; none that declares something. */
const statementOf = (node: ts.Node): ts.Statement | undefined => {
  if (ts.isExpressionStatement(node.parent)) return node.parent
  const isPlain = ts.isStatement(node) && !ts.isBlock(node) && !ts.isVariableStatement(node)
  return isPlain && !isDeclaration(node) ? node : undefined
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

const isNegation = (node: ts.Node): boolean =>
  ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.ExclamationToken

const isConnective = (node: ts.Node): boolean => ts.isBinaryExpression(node) && connectives.has(node.operatorToken.kind)

const isComparison = (node: ts.Node): boolean =>
  ts.isBinaryExpression(node) && (comparisons.has(node.operatorToken.kind) || equalities.has(node.operatorToken.kind))

/** Whether a node is a comparison, a connective, a negation, an operand of these two, or the condition of a branch. */
const isCondition = (node: ts.Node): boolean => {
  if (isComparison(node) || isConnective(node) || isNegation(node)) return true
  if (!ts.isExpression(node)) return false
  const outer = wrapped(node)
  const { parent } = outer
  if (ts.isIfStatement(parent) || ts.isWhileStatement(parent)) return parent.expression === outer
  if (ts.isConditionalExpression(parent)) return parent.condition === outer
  return isNegation(parent) || isConnective(parent)
}

/** Decides a condition, or that of a branch, once and for all. */
const decided =
  (value: boolean): Operator =>
  (node) => {
    if (ts.isIfStatement(node) || ts.isWhileStatement(node)) return replace(node.expression, String(value))
    if (ts.isConditionalExpression(node)) return replace(node.condition, String(value))
    return isCondition(node) ? replace(node, String(value)) : undefined
  }

/** The code that decides the opposite. */
const negated: Operator = (node) => {
  if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) return negated(node.expression)
  if (ts.isConditionalExpression(node)) return negated(node.condition)
  if (!isCondition(node)) return undefined
  return isNegation(node) && ts.isPrefixUnaryExpression(node)
    ? replace(node, node.operand.getText())
    : replace(node, `!(${node.getText()})`)
}

/** Adds to a numeric literal that is an expression. */
const addedTo =
  (summand: 1 | -1): Operator =>
  (node) => {
    if (ts.isBigIntLiteral(node)) return replace(node, `(${BigInt(node.text.slice(0, -1)) + BigInt(summand)}n)`)
    if (!ts.isNumericLiteral(node) || ts.isLiteralTypeNode(node.parent)) return undefined
    return ts.isPropertyAssignment(node.parent) && node.parent.name === node
      ? undefined
      : replace(node, `(${Number(node.text) + summand})`)
  }

const otherBoolean: Operator = (node) => {
  if (ts.isLiteralTypeNode(node.parent)) return undefined
  if (node.kind === ts.SyntaxKind.TrueKeyword) return replace(node, 'false')
  return node.kind === ts.SyntaxKind.FalseKeyword ? replace(node, 'true') : undefined
}

/** Empties a text that is an expression. */
const emptyText: Operator = (node) => {
  if (!ts.isStringLiteralLike(node) || node.text === '') return undefined
  const { parent } = node
  const isExpression =
    !ts.isLiteralTypeNode(parent) &&
    !ts.isImportDeclaration(parent) &&
    !ts.isExportDeclaration(parent) &&
    !ts.isTaggedTemplateExpression(parent) &&
    !(ts.isPropertyAssignment(parent) && parent.name === node)
  return isExpression ? replace(node, "''") : undefined
}

/** What a function returns: the expression of a `return`, or the body of an arrow function. */
const returned = (node: ts.Node): ts.Expression | undefined => {
  if (ts.isReturnStatement(node)) return node.expression
  const { parent } = node
  const isResult =
    (ts.isReturnStatement(parent) && parent.expression === node) || (ts.isArrowFunction(parent) && parent.body === node)
  return isResult && ts.isExpression(node) ? node : undefined
}

/** Returns another value. */
const otherResult =
  (other: string | ((result: string) => string)): Operator =>
  (node) => {
    const result = returned(node)
    if (result === undefined) return undefined
    const text = typeof other === 'string' ? other : other(result.getText())
    return text === result.getText() ? undefined : replace(result, text)
  }

const dropStatement: Operator = (node) => {
  const statement = statementOf(node)
  return statement === undefined ? undefined : replace(statement, ';')
}

const dropOperand: Operator = (node) => {
  const outer = wrapped(node)
  const { parent } = outer
  if (!ts.isBinaryExpression(parent) || parent.operatorToken === outer) return undefined
  if (!arithmetic.has(parent.operatorToken.kind) && !isConnective(parent)) return undefined
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
  const element = statementOf(node) ?? node
  const list = siblings(element)
  const next = list?.[list.indexOf(element) + 1]
  if (next === undefined || ts.isObjectLiteralExpression(element.parent)) return undefined
  if (next.getText() === element.getText()) return undefined
  if (ts.isStatement(element) && statementOf(next) === undefined) return undefined
  const between = node.getSourceFile().text.slice(element.getEnd(), next.getStart())
  return { start: element.getStart(), end: next.getEnd(), text: next.getText() + between + element.getText() }
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
  /** A condition is negated. */
  negation: negated,
  /** A number is greater by one. */
  increment: addedTo(1),
  /** A number is less by one. */
  decrement: addedTo(-1),
  /** `true` and `false` change places. */
  boolean: otherBoolean,
  /** A text is empty. */
  text: emptyText,
  /** A function returns the opposite. */
  'return-negated': otherResult((result) => `!(${result})`),
  /** A function returns nothing. */
  'return-undefined': otherResult('undefined'),
  /** A function returns zero. */
  'return-zero': otherResult('0'),
  /** A function returns an empty list. */
  'return-empty': otherResult('[]'),
  /** A statement is left out. */
  'drop-statement': dropStatement,
  /** Of the operands of a connective or of arithmetic only the other one is left. */
  'drop-operand': dropOperand,
  /** An argument, an element of an array or a property of an object is left out. */
  'drop-element': dropElement,
  /** A statement, an argument or an element and the one after it change places. */
  'swap-with-next': swapWithNext
} satisfies Readonly<Record<string, Operator>>

export type OperatorName = keyof typeof operators
