/** The examples in the doc comments of the package, as its users read them: each compiles, runs, and calls its function. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as t from 'io-ts'
import * as assert from 'uvu/assert'
import { note, reason, suite } from '../run/suite.js'
import { compilerIn, consumerOf, errorsIn, type Exported, exportsOf, run } from './examples.js'
import { root } from './offence.js'

const test = suite('examples')

const Manifest = t.type({ name: t.string, exports: t.record(t.string, t.unknown) })
const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
if (!Manifest.is(manifest)) throw new Error('package.json has no name or no entries')

/** The main entry comes last: what it exports is from other entries. */
const entries = Object.keys(manifest.exports)
  .filter((path) => !path.endsWith('.json'))
  .map((path) => manifest.name + path.slice(1))
  .sort((a, b) => b.length - a.length)

const modules = join(root, 'node_modules')
const packages = ['fp-ts', 'io-ts', 'fast-check', '@types/node'].map((name) => [name, join(modules, name)] as const)
const folder = consumerOf({ ...Object.fromEntries(packages), [manifest.name]: root })

const write = (name: string, code: string): string => {
  const path = join(folder, `${name}.mts`)
  writeFileSync(path, code)
  return path
}

const importer = write('entries', entries.map((name) => `import '${name}'\n`).join(''))
const compile = compilerIn(folder)

/** An example as a module of its own. */
interface Example extends Pick<Exported, 'name'> {
  readonly path: string
}

const examplesOf = (entry: string, exported: readonly Exported[]): readonly Example[] =>
  exported.flatMap(({ name, examples }) =>
    examples.map((code, i) => ({ name, path: write(`${entry.replace('/', '-')}-${name}-${i}`, code) }))
  )

/** The functions without an example that names them. */
const withoutExample = (exported: readonly Exported[]): readonly string[] =>
  exported
    .filter(
      ({ isFunction, name, examples }) => isFunction && !examples.some((code) => RegExp(`\\b${name}\\b`).test(code))
    )
    .map(({ name }) => name)

const described = (name: string, ...examples: readonly string[]): Exported => ({
  id: name,
  name,
  isFunction: true,
  examples
})

const faulty = [
  described('missing'),
  described('other', '1'),
  described('typed', "export const typed: number = 'text'"),
  described('thrown', "throw new Error('thrown')"),
  described('right', "import { right } from 'fp-ts/lib/Either.js'\nexport default right(1)")
]
const faultyExamples = examplesOf('faulty', faulty)

const seen = new Set<string>()
const all = [...exportsOf(compile([importer]), importer)].map(([entry, values]) => {
  const exported = values.filter(({ id }) => !seen.has(id))
  exported.forEach(({ id }) => seen.add(id))
  return { entry, exported, examples: examplesOf(entry, exported) }
})

/** The program of all examples. */
const program = compile([...faultyExamples, ...all.flatMap(({ examples }) => examples)].map(({ path }) => path))

/** What is wrong with examples: the errors of the compiler, and of running those that compile. */
const wrongWith = async (examples: readonly Example[]): Promise<readonly string[]> => {
  const wrong: string[] = []
  for (const { name, path } of examples) {
    const errors = errorsIn(program, path)
    wrong.push(...errors.map((error) => `${name}: ${error}`))
    if (errors.length === 0) await run(path).catch((thrown: unknown) => wrong.push(`${name}: ${reason(thrown)}`))
  }
  return wrong
}

for (const { entry, exported, examples } of all)
  test(`every function of ${entry} has an example that compiles and runs`, async () => {
    assert.equal(withoutExample(exported), [])
    assert.equal(await wrongWith(examples), [])
    if (examples.length > 0) note(`${entry}: ${examples.length} examples`)
  })

test('every entry of the package is looked at', () => {
  assert.equal(
    all.map(({ entry }) => entry),
    entries
  )
})

test('a missing example, one that does not compile and one that throws are found', async () => {
  assert.equal(withoutExample(faulty), ['missing', 'other'])
  const wrong = await wrongWith(faultyExamples)
  assert.is(wrong.length, 2)
  assert.match(wrong[0] ?? '', /^typed: Type 'string' is not assignable to type 'number'/)
  assert.match(wrong[1] ?? '', /^thrown: thrown/)
})

test.run()
