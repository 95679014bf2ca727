/** The examples in the doc comments of the package: found, compiled and run. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import ts from 'typescript'

/** A value that a module exports. */
export interface Exported {
  /** The same for each module that exports it. */
  readonly id: string
  readonly name: string
  readonly isFunction: boolean
  /** The code of each `@example` of its doc comment. */
  readonly examples: readonly string[]
}

/** A folder that can import these packages, by their names and the folders they are in; it is removed at the end. */
export const consumerOf = (packages: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(join(tmpdir(), 'qcow2-spec-examples-'))
  process.on('exit', () => rmSync(folder, { recursive: true }))
  for (const [name, target] of Object.entries(packages)) {
    const link = join(folder, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(target, link)
  }
  return folder
}

/** The options of a user's program. */
const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: true
}

/**
 * Makes the programs of a folder from the paths of modules in it. Each file is read and parsed once, for all of them.
 */
export const compilerIn = (folder: string): ((paths: readonly string[]) => ts.Program) => {
  const host = ts.createCompilerHost(options)
  const parsed = new Map<string, ts.SourceFile | undefined>()
  const getSourceFile: typeof host.getSourceFile = (path, ...rest) => {
    if (!parsed.has(path)) parsed.set(path, host.getSourceFile(path, ...rest))
    return parsed.get(path)
  }
  return (paths) => ts.createProgram(paths, options, { ...host, getSourceFile, getCurrentDirectory: () => folder })
}

/** The compiler's errors in a module, a line each. */
export const errorsIn = (program: ts.Program, path: string): readonly string[] => {
  const source = program.getSourceFile(path)
  return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n')
  )
}

/** Runs a module; rejects with what it throws. */
export const run = async (path: string): Promise<void> => {
  const built = path.replace(/\.mts$/, '.mjs')
  writeFileSync(built, ts.transpile(readFileSync(path, 'utf8'), options, path))
  await import(pathToFileURL(built).href)
}

/** The values that a module exports under each module specifier that `path` imports, with those of their namespaces. */
export const exportsOf = (program: ts.Program, path: string): ReadonlyMap<string, readonly Exported[]> => {
  const checker = program.getTypeChecker()
  const describe = (exported: ts.Symbol): readonly Exported[] => {
    const symbol = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported)
    if ((symbol.flags & ts.SymbolFlags.ValueModule) !== 0) return checker.getExportsOfModule(symbol).flatMap(describe)
    if ((symbol.flags & ts.SymbolFlags.Value) === 0) return []
    const examples = symbol.getJsDocTags(checker).filter((tag) => tag.name === 'example')
    return [
      {
        id: `${symbol.name} of ${symbol.declarations?.[0]?.getSourceFile().fileName ?? ''}`,
        name: exported.name,
        isFunction: checker.getTypeOfSymbol(symbol).getCallSignatures().length > 0,
        examples: examples.map((tag) => ts.displayPartsToString(tag.text))
      }
    ]
  }
  const imports = program.getSourceFile(path)?.statements.filter(ts.isImportDeclaration) ?? []
  return new Map(
    imports.flatMap(({ moduleSpecifier }) => {
      const module = checker.getSymbolAtLocation(moduleSpecifier)
      const name = ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text : ''
      return module === undefined ? [] : [[name, checker.getExportsOfModule(module).flatMap(describe)] as const]
    })
  )
}
