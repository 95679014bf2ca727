/** The compiler's messages about variants of sources, all of them in one program. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const root = fileURLToPath(new URL('../../..', import.meta.url))

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
  readonly config: object
}
const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root)

/** What a mutant leaves unused or out of reach is not wrong with its types. */
const settings: ts.CompilerOptions = {
  ...options,
  noUnusedLocals: false,
  noUnusedParameters: false,
  allowUnreachableCode: true,
  noEmit: true,
  incremental: false
}

/** A source file, below src, and its text with or without a change. */
export interface Variant {
  readonly file: string
  readonly text: string
}

/** Where a variant is compiled: in the folder of its file, so that its imports are those of the file. */
const beside = ({ file }: Variant, index: number): string =>
  join(root, 'src', dirname(file), `variant-${index}.${file.replaceAll('/', '-')}`)

/** Sources that are no variants, which all programs share. */
const parsed = new Map<string, ts.SourceFile | undefined>()

const compile = (variants: ReadonlyMap<string, string>): ts.Program => {
  const host = ts.createCompilerHost(settings)
  const fromDisk = host.getSourceFile.bind(host)
  host.fileExists = (path) => variants.has(path) || ts.sys.fileExists(path)
  host.getSourceFile = (path, language, ...rest) => {
    const variant = variants.get(path)
    if (variant !== undefined) return ts.createSourceFile(path, variant, language)
    if (!parsed.has(path)) parsed.set(path, fromDisk(path, language, ...rest))
    return parsed.get(path)
  }
  return ts.createProgram([...variants.keys()], settings, host)
}

/** For each variant what the compiler says about it and not about the file as it is. */
export const typeMessages = (variants: readonly Variant[]): readonly (readonly string[])[] => {
  const files = [...new Set(variants.map(({ file }) => file))]
  const originals = files.map((file) => ({ file, text: readFileSync(join(root, 'src', file), 'utf8') }))
  const all = [...originals, ...variants]
  const program = compile(new Map(all.map((variant, i) => [beside(variant, i), variant.text])))
  const messages = (index: number): readonly string[] => {
    const variant = all[index]
    const source = variant === undefined ? undefined : program.getSourceFile(beside(variant, index))
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')
    )
  }
  // A copy of a class is another class: what is wrong with a copy of the file is not the fault of the mutant.
  const allowed = new Map(files.map((file, i) => [file, new Set(messages(i))]))
  return variants.map(({ file }, i) =>
    messages(files.length + i).filter((message) => allowed.get(file)?.has(message) !== true)
  )
}
