/** Every mutant has types: one that the compiler rejects would never be built. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as E from 'fp-ts/lib/Either.js'
import ts from 'typescript'
import * as assert from 'uvu/assert'
import { suite } from '../run/suite.js'
import { curated } from './curated/index.js'
import { mutate } from './mutate.js'

const test = suite('types of mutants')
const root = fileURLToPath(new URL('../../..', import.meta.url))

/** The source of a file, beside which its mutants are compiled. */
const sourceOf = (file: string): string => readFileSync(join(root, 'src', file), 'utf8')

/** Where a variant of a file is compiled: in the same folder, so that its imports are those of the file. */
const beside = (file: string, variant: string): string =>
  join(root, 'src', dirname(file), `${variant}.${file.replaceAll('/', '-')}`)

/** The variants of the files with mutants, by their paths: each mutant, and each file as it is. */
const variants: ReadonlyMap<string, string> = new Map([
  ...curated.map(({ file }): [string, string] => [beside(file, 'as-it-is'), sourceOf(file)]),
  ...curated.flatMap((mutant, i): readonly [string, string][] => {
    const mutated = mutate(sourceOf(mutant.file), mutant)
    return E.isRight(mutated) ? [[beside(mutant.file, `mutant-${i}`), mutated.right]] : []
  })
])

const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), (path) => readFileSync(path, 'utf8')) as {
  readonly config: object
}
const { options } = ts.parseJsonConfigFileContent({ ...config, files: [] }, ts.sys, root)

/** All variants in one program. What a mutant leaves unused or out of reach is not wrong with its types. */
const compiled = ((): ts.Program => {
  const lenient = { noUnusedLocals: false, noUnusedParameters: false, allowUnreachableCode: true }
  const settings = { ...options, ...lenient, noEmit: true, incremental: false }
  const host = ts.createCompilerHost(settings)
  host.fileExists = (path) => variants.has(path) || ts.sys.fileExists(path)
  host.readFile = (path) => variants.get(path) ?? ts.sys.readFile(path)
  return ts.createProgram([...variants.keys()], settings, host)
})()

/** The messages of the compiler about a variant. */
const messages = (path: string): readonly string[] => {
  const source = compiled.getSourceFile(path)
  return [...compiled.getSyntacticDiagnostics(source), ...compiled.getSemanticDiagnostics(source)].map(
    ({ messageText }) => ts.flattenDiagnosticMessageText(messageText, ' ')
  )
}

test('the compiler accepts every mutant', () => {
  const rejected = curated.flatMap(({ name, file }, i) => {
    const wrong = messages(beside(file, `mutant-${i}`))
    if (wrong.length === 0) return []
    // A copy of a class is another class: what is wrong with a copy of the file is not the fault of the mutant.
    const allowed = messages(beside(file, 'as-it-is'))
    return wrong.filter((message) => !allowed.includes(message)).map((message) => `${name}: ${message}`)
  })
  assert.equal(rejected, [])
})

test.run()
