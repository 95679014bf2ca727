/** The package as its users get it: packed, installed, and loaded by plain node. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as t from 'io-ts'
import * as assert from 'uvu/assert'
import { load } from '../../corpus/load.js'
import { note, suite } from '../run/suite.js'

const test = suite('package')
const root = fileURLToPath(new URL('../../..', import.meta.url))

const Entry = t.type({ types: t.string, default: t.string })
const Manifest = t.type({
  name: t.string,
  version: t.string,
  bin: t.record(t.string, t.string),
  exports: t.record(t.string, t.union([t.string, Entry])),
  dependencies: t.record(t.string, t.string),
  peerDependencies: t.record(t.string, t.string)
})
const manifest: unknown = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
if (!Manifest.is(manifest)) throw new Error('package.json lacks a field, or has another shape')

const consumer = mkdtempSync(join(tmpdir(), 'qcow2-spec-package-'))
const installed = join(consumer, 'node_modules', manifest.name)
process.on('exit', () => rmSync(consumer, { recursive: true }))

/** Packs the package and lays it out below the consumer, beside the declared dependencies, the optional ones too, and nothing else. */
test.before(() => {
  // Nothing of it depends on the network, on settings of the user, or on what others do in npm's cache.
  const alone = ['--offline', '--no-update-notifier', '--userconfig=/dev/null', `--cache=${join(consumer, 'cache')}`]
  const pack = ['pack', '--ignore-scripts', '--pack-destination', consumer]
  execFileSync('npm', [...pack, ...alone], { cwd: root, stdio: 'ignore' })
  const tarball = readdirSync(consumer).find((name) => name.endsWith('.tgz')) ?? ''
  mkdirSync(installed, { recursive: true })
  execFileSync('tar', ['-xzf', join(consumer, tarball), '-C', installed, '--strip-components=1'])
  for (const name of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    const at = join(consumer, 'node_modules', name)
    mkdirSync(dirname(at), { recursive: true })
    symlinkSync(join(root, 'node_modules', name), at)
  }
})

/** Runs node with the consumer as its working folder. */
const node = (...args: string[]): { readonly status: number | null; readonly printed: string } => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: consumer, encoding: 'utf8', input: '' })
  return { status, printed: stdout + stderr }
}

/** Compiles with the consumer as its working folder. */
const compile = (args: readonly string[]) => {
  const tsc = fileURLToPath(import.meta.resolve('typescript/lib/tsc.js'))
  const options = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023']
  return node(tsc, ...options, ...args)
}

/** The entries with code: package.json is one too. */
const entries = Object.entries(manifest.exports).flatMap(([path, entry]) =>
  typeof entry === 'string' ? [] : [{ name: manifest.name + path.slice(1), ...entry }]
)

test('it holds only the built src, spec and generators, the mutator for fuzzers, the vectors, README, LICENSE and package.json', () => {
  const files = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(installed, path)).isFile()
  )
  const built = /^dist\/(src|spec|props\/arbitrary)\/.+\.(c?js|d\.c?ts|c?js\.map)$/
  const permitted = new RegExp(
    `${built.source}|^dist/src/explorer/explorer\\.html$|^dist/src/bin/LICENSES$|^corpus/(images|vectors)/.+$|^corpus/witnesses\\.json$|^dist/src/qcow2\\.1$|^src/node/fuzz/mutator\\.c$|^(README\\.md|LICENSE|package\\.json)$`
  )
  assert.equal(
    files.filter((path) => !permitted.test(path)),
    []
  )
  for (const path of ['LICENSE', 'package.json']) assert.ok(files.includes(path), `${path} is missing`)
  const size = files.reduce((sum, path) => sum + statSync(join(installed, path)).size, 0)
  note(`${files.length} files, ${Math.ceil(size / 1000)} kB unpacked`)
})

test('every entry loads with plain node and exports something', () => {
  for (const { name } of entries) {
    const source = `if (Object.keys(await import('${name}')).length === 0) throw new Error('exports nothing')`
    const { status, printed } = node('--input-type=module', '--eval', source)
    assert.is(status, 0, `${name}\n${printed}`)
  }
})

test('every entry loads by `require` too, and so does package.json', () => {
  const { status, printed } = node(
    '--eval',
    `for (const name of ${JSON.stringify(entries.map(({ name }) => name))})
      if (Object.keys(require(name)).length === 0) throw new Error(name + ' exports nothing')
    console.log(require('${manifest.name}/package.json').version)`
  )
  assert.equal({ status, printed }, { status: 0, printed: `${manifest.version}\n` })
})

test('only the entries can be imported', () => {
  const { status, printed } = node(
    '--input-type=module',
    '--eval',
    `await import('${manifest.name}/dist/src/index.js')`
  )
  assert.is(status, 1)
  assert.match(printed, 'ERR_PACKAGE_PATH_NOT_EXPORTED')
})

test('every entry has types that compile under --strict', () => {
  for (const { types } of entries) assert.ok(existsSync(join(installed, types)), `${types} is missing`)
  writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }')
  const uses = entries.map(({ name }, index) => `import * as entry${index} from '${name}'\nexport { entry${index} }`)
  writeFileSync(join(consumer, 'consumer.ts'), uses.join('\n'))
  const { status, printed } = compile(['consumer.ts'])
  assert.is(status, 0, printed)
})

/** The fenced blocks of a document in one language. */
const blocks = (path: string, language: string): readonly string[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(
    ([, text = '']) => text
  )

const examples = blocks('README.md', 'ts')

test('the examples of the README compile, and run on an image', () => {
  writeFileSync(join(consumer, 'disk.qcow2'), load('case-54-bitmaps').image)
  const printed = examples.map((code, index) => {
    writeFileSync(join(consumer, `example${index}.ts`), code)
    writeFileSync(join(consumer, `example${index}.mjs`), code)
    const ran = node(`example${index}.mjs`)
    assert.is(ran.status, 0, ran.printed)
    return ran.printed
  })
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck']
  const compiled = compile([...types, ...examples.map((_, index) => `example${index}.ts`)])
  assert.is(compiled.status, 0, compiled.printed)
  assert.is(printed.length, 3)
  assert.match(printed[0] ?? '', /^16 false\n$/)
  assert.match(printed[1] ?? '', /selfContained: true,[^]*bitmaps: 3[^]*_tag: 'Right'[^]*Uint8Array\(512\)/)
  assert.match(printed[2] ?? '', /^\[[^]+\]\n$/)
})

test('the examples of spec/README.md, one after the other, print the text below them', () => {
  const code = blocks('spec/README.md', 'ts')
  const program = code.map((block) => `${block}console.log('----')\n`).join('\n')
  writeFileSync(join(consumer, 'specification.ts'), program)
  const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types'), '--skipLibCheck']
  const compiled = compile(['--noEmit', 'false', ...types, 'specification.ts'])
  assert.is(compiled.status, 0, compiled.printed)
  const { status, printed } = node('specification.js')
  assert.is(status, 0, printed)
  assert.equal(printed.split('----\n').slice(0, -1), blocks('spec/README.md', 'text'))
  assert.ok(code.length >= 6)
})

for (const [command, path] of Object.entries(manifest.bin)) {
  const linked = join(consumer, command)

  test(`the command ${command} prints its version`, () => {
    symlinkSync(join(installed, path), linked)
    const { status, printed } = node(linked, '--version')
    assert.is(status, 0, printed)
    assert.match(printed, manifest.version)
    assert.match(readFileSync(linked, 'utf8'), /^#!\/usr\/bin\/env node\n/)
  })

  test(`the bundled command ${command} prints what its modules print`, () => {
    const modules = join(root, 'dist/src/node/main.js')
    const lines = ['info IMAGE', 'check --output=json IMAGE', 'map IMAGE', 'dump IMAGE', 'read IMAGE 0 4k']
    for (const line of lines) {
      const args = line.replace('IMAGE', 'disk.qcow2').split(' ')
      const [bundled, apart] = [node(linked, ...args), node(modules, ...args)]
      assert.is(bundled.status, 0, line)
      assert.ok(bundled.printed === apart.printed, line)
    }
  })

  test(`the command ${command} keeps its compiled code in the user's cache folder, and starts from it`, () => {
    const folder = join(consumer, 'user')
    const kept = join(folder, 'qcow2-spec/code/info')
    const start = (...words: readonly string[]) =>
      spawnSync(process.execPath, [linked, ...words], {
        cwd: consumer,
        encoding: 'utf8',
        env: {
          ...process.env,
          XDG_CACHE_HOME: folder,
          ...(words.length === 0 ? { NODE_DISABLE_COMPILE_CACHE: '1' } : {})
        }
      }).stdout
    /** Whether V8 takes the code that is kept. */
    const taken = `const load = (name) => require(process.argv[1] + name + '.cjs')
      const [bundle, cache, text] = [load('bundle'), load('code-cache'), load('bundle').text()]
      const code = cache.read(process.argv[2], cache.keyOf(bundle.digestOf(text)))
      process.exitCode = code !== undefined && bundle.script(text, code).cachedDataRejected === false ? 0 : 1`
    const takes = (): boolean => node('-e', taken, join(installed, 'dist/src/node/'), kept).status === 0

    start()
    start('info', 'missing.qcow2')
    assert.not.ok(existsSync(folder))
    const printed = start('info', 'disk.qcow2')
    assert.ok(takes())
    const code = readFileSync(kept)
    assert.is(start('info', 'disk.qcow2'), printed)
    assert.equal(readFileSync(kept), code)
    // The second word names the version of V8, the last bytes are the key of the bundle.
    for (const place of [4, code.length - 1]) {
      writeFileSync(
        kept,
        code.map((byte, i) => (i === place ? byte ^ 1 : byte))
      )
      assert.not.ok(takes())
      assert.is(start('info', 'disk.qcow2'), printed)
      assert.ok(takes())
    }
  })

  test(`the bundled command ${command} finds the packages and threads outside the bundle`, () => {
    for (const args of [
      ['create', '-q', 'new.qcow2', '1M'],
      ['io', '-c', 'write -q -P 7 0 256k', 'new.qcow2'],
      ['convert', '-O', 'qcow2', '-c', '-o', 'compression_type=zstd', 'new.qcow2', 'small.qcow2'],
      ['convert', 'small.qcow2', 'small.raw'],
      ['compare', '-q', '-F', 'raw', 'new.qcow2', 'small.raw'],
      ['check', '-q', 'small.qcow2']
    ])
      assert.equal(node(linked, ...args), { status: 0, printed: '' }, args.join(' '))
  })
}

test.run()
