/** The imports of a TypeScript source, read from its syntax tree. */
import { posix } from 'node:path'
import ts from 'typescript'

export interface Import {
  readonly from: string
  readonly typeOnly: boolean
  /** An `import()`, which loads when it is called. */
  readonly lazy: boolean
}

const isTypeOnly = (node: ts.ImportDeclaration | ts.ExportDeclaration): boolean => {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly
  return node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword
}

/** Calls `visit` with every node of a source. */
const walk = (path: string, text: string, visit: (node: ts.Node) => void): void => {
  const each = (node: ts.Node): void => {
    visit(node)
    ts.forEachChild(node, each)
  }
  each(ts.createSourceFile(path, text, ts.ScriptTarget.ES2023))
}

/** Every import, re-export, `import()` and `import('...')` type of a source, in order. */
export const importsOf = (path: string, text: string): readonly Import[] => {
  const found: Import[] = []
  const add = (from: ts.Node | undefined, typeOnly: boolean, lazy = false): void => {
    if (from !== undefined)
      found.push({ from: ts.isStringLiteralLike(from) ? from.text : '(computed)', typeOnly, lazy })
  }
  walk(path, text, (node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node))
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false, true)
    if (ts.isImportTypeNode(node))
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument, true)
  })
  return found
}

/** The source of a module of ours, by the path or the relative path of the built one. */
export const sourceOf = (importer: string, module: string): string =>
  (module.startsWith('.') ? posix.join(posix.dirname(importer), module) : module).replace(/\.(c?)js$/, '.$1ts')

/** Every string in a source that may name a module of ours which it loads or starts; types are erased, and load nothing. */
export const namedModules = (path: string, text: string): readonly string[] => {
  const types = new Set(importsOf(path, text).flatMap(({ from, typeOnly }) => (typeOnly ? [from] : [])))
  const found = new Set<string>()
  walk(path, text, (node) => {
    if (ts.isStringLiteralLike(node) && /\.c?js$/.test(node.text) && !types.has(node.text))
      found.add(sourceOf(path, node.text))
  })
  return [...found]
}
